import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compileScript, removeCompiled } from '../buffer/compiled.ts';
import { withFolder } from './harness.ts';
import { jsonServer } from './receivers/receiver-harness.ts';

/**
 * With `silences` says how many are active. Else: fires an alert, waits until it was told, ends it, waits until that was told. Prints `ending` before it ends the
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
if (stage === 'silences') {
  fs.writeSync(1, 'silences: ' + dispatcher.status().activeSilences);
  await dispatcher.stop(1000);
  process.exit(0);
}
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
  ...['unlink.before', 'create.after', 'rename.before', 'rename.after', 'dirsync.after'].map(
    (step) => `hooks.journal.${step}:kill@1`,
  ),
  // The first is that of the file that the start writes.
  ...['write.before', 'write.after', 'sync.after'].flatMap((step) =>
    [1, 2, 3, 4, 5, 6, 7].map((at) => `hooks.journal.${step}:kill@${at}`),
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

/** Starts with a damaged journal in which a silence and an alert can still be read, and is killed on the way. */
async function damagedAndKilled(faults: string): Promise<void> {
  await withFolder(async (dir) => {
    const journal = join(dir, 'journal');
    const lines = [{ format: 1, journal: 'hooks' }, [{ kind: 'silence', silence: SILENCE }], ['damaged']].map(
      line,
    );
    await writeFile(journal, lines.join('').replace('damaged', 'demaged'));
    const first = await run([dir, 'http://127.0.0.1:9', 'silences'], faults);
    expect(first.signal, faults).toBe('SIGKILL');
    const second = await run([dir, 'http://127.0.0.1:9', 'silences'], '');
    expect(second.output, faults).toBe('silences: 1');
    const aside = (await readdir(dir)).filter((name) => name.startsWith('journal.damaged'));
    expect(await readFile(join(dir, aside[0]!), 'utf8'), faults).toContain('demaged');
  });
}

const SILENCE = {
  id: '0b6f1c7e-8a54-4a0e-9d3d-3c0f6d1f5a11',
  matchers: [{ name: 'alertname', value: 'x', isRegex: false, isEqual: true }],
  startsAtMs: 0,
  endsAtMs: 4_000_000_000_000,
  updatedAtMs: 0,
  createdBy: 'a',
  comment: 'b',
};

function line(value: unknown): string {
  const json = JSON.stringify(value);
  return `${crc32(json).toString(16).padStart(8, '0')} ${json}\n`;
}

test('damaged, and killed at any step as it is set aside: its silences hold', async () => {
  const steps = ['link', 'dirsync', 'unlink', 'create', 'write', 'sync', 'rename'];
  const faults = steps.flatMap((step) => [`${step}.before:kill@1`, `${step}.after:kill@1`]);
  await Promise.all(faults.map(async (fault) => damagedAndKilled(`hooks.journal.${fault}`)));
}, 300_000);
