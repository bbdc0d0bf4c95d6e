import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compileScript, removeCompiled } from '../buffer/compiled.ts';
import { withFolder } from './harness.ts';
import { jsonServer } from './receivers/receiver-harness.ts';

/**
 * Fires an alert, waits until it was told, ends it, waits until that was told. Prints `ending` before it ends the
 * alert; run with `ended` it begins there, as rules do, which say again that an alert has ended.
 */
const SCRIPT = `
import fs from 'node:fs';
import { z } from 'zod';
import { alertingShape } from './config/alerting-schema.js';
import { HookDispatcher } from './hooks/hook-dispatcher.js';
import { systemClock } from './platform/clock.js';
import { silentLog } from './platform/log.js';
const [stateDir, url, stage] = process.argv.slice(2);
const config = z.strictObject(alertingShape).parse({
  route: { receiver: 'a', group_wait: '0s', group_interval: '1s' },
  receivers: [{ name: 'a', webhook_configs: [{ url, rate_limit: 1000 }] }],
});
const dispatcher = new HookDispatcher({ config, stateDir, clock: systemClock, log: silentLog, renderTemplate: (text) => text, externalUrl: '' });
const startsAtMs = Date.now() - 60000;
const alert = { labels: { alertname: 'x' }, annotations: {}, startsAtMs, endsAtMs: startsAtMs + 600000, status: 'firing', generatorUrl: '', value: '1' };
const until = async (condition) => { while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5)); };
const receiver = () => dispatcher.status().receivers[0];
await dispatcher.start();
if (stage === 'firing') {
  await dispatcher.accept([alert]);
  await until(() => receiver().recent.length > 0 && receiver().queueLength === 0);
}
fs.writeSync(1, 'ending');
await dispatcher.accept([{ ...alert, status: 'resolved', endsAtMs: Date.now() }]);
await until(() => dispatcher.status().groups === 0 && receiver().queueLength === 0);
await dispatcher.stop(1000);
`;

let script: string;
beforeAll(() => {
  script = compileScript('hooks-crash', SCRIPT);
});
afterAll(() => removeCompiled(script));

async function run(
  args: readonly string[],
  faults: string,
): Promise<{ output: string; signal: string | null; code: number | null }> {
  const env = { ...process.env, TAFFRAIL_FAULTS: faults };
  const child = spawn(process.execPath, [script, ...args], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()));
  await once(child, 'close');
  return { output, signal: child.signalCode, code: child.exitCode };
}

const FAULTS = [
  'hooks.journal.rewrite.before:kill@1',
  'hooks.journal.rename.before:kill@1',
  'hooks.journal.rename.after:kill@1',
  ...['write.before', 'write.after', 'sync.after'].flatMap((step) =>
    [1, 2, 3, 4, 5, 6].map((at) => `hooks.journal.${step}:kill@${at}`),
  ),
  ...['before', 'after'].flatMap((step) => [1, 2].map((at) => `http.request.${step}:kill@${at}`)),
];

/** Kills a process at a point, lets another go on, and gives whether the first was killed. */
async function killAndGoOn(faults: string): Promise<boolean> {
  const server = await jsonServer();
  try {
    return await withFolder(async (dir) => {
      const first = await run([dir, server.url, 'firing'], faults);
      const isKilled = first.signal === 'SIGKILL';
      if (isKilled) await run([dir, server.url, first.output === 'ending' ? 'ended' : 'firing'], '');
      const told = server.received.map(
        ({ headers, body }) => [headers['idempotency-key'], (body as { status: string }).status] as const,
      );
      const firstTimes = told.filter(([id], index) => told.findIndex(([other]) => other === id) === index);
      expect(
        firstTimes.map(([, status]) => status),
        faults,
      ).toEqual(['firing', 'resolved']);
      expect(told.length, faults).toBeLessThanOrEqual(3);
      return isKilled;
    });
  } finally {
    await server.close();
  }
}

test('killed at any step, the alert and its end are both told, in order, and at most one of them twice', async () => {
  // The processes mostly wait, so that several at a time load nobody.
  const killed: boolean[] = [];
  for (let from = 0; from < FAULTS.length; from += 5) {
    killed.push(
      ...(await Promise.all(FAULTS.slice(from, from + 5).map(async (faults) => killAndGoOn(faults)))),
    );
  }
  expect(killed).toEqual(FAULTS.map(() => true));
}, 300_000);
