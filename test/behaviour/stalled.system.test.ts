import { appendFileSync, chmodSync, existsSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { logsRequest } from '../collect/requests.ts';
import { Taffrail, type TaffrailProcess, until } from './run-taffrail.ts';

/** A part stands still after half a minute; all of them are stopped at the same time. */
const STALLED_MS = 180_000;

let all: Taffrail[];
beforeEach(() => {
  all = [];
});
afterEach(() => Promise.all(all.map((t) => t.dispose())));

const RULES = `groups:
  - name: always
    interval: 1s
    rules:
      - {alert: Always, expr: vector(1)}
`;

interface Started {
  readonly t: Taffrail;
  readonly agent: TaffrailProcess;
  /** When systemd was last told that the agent is well; 0 before. */
  readonly fed: () => number;
}

/** An agent with a source, a sink, a rule and a hook, under a systemd of which there is only what it is told. */
async function start(faults: string): Promise<Started> {
  const t = new Taffrail();
  all.push(t);
  t.write('always.yaml', RULES);
  t.write('logs/a.log', 'one\n');
  const heard = t.path('heard');
  const notify = t.write(
    'bin/systemd-notify',
    `#!/bin/sh\ncase "$*" in *WATCHDOG=1*) echo "$*" >>${heard};; esac\n`,
  );
  chmodSync(notify, 0o755);
  const config = {
    sources: [{ name: 'web', paths: ['./logs/*.log'], records: true }],
    sinks: [{ name: 'out', type: 'file', path: './out.jsonl' }],
    rules: ['./always.yaml'],
    route: { receiver: 'pager', group_wait: '0s' },
    receivers: [{ name: 'pager', exec_configs: [{ command: ['/bin/true'] }] }],
    metrics: { sample_interval: '1s' },
  };
  const env = {
    TAFFRAIL_FAULTS: faults,
    NOTIFY_SOCKET: '/nowhere',
    WATCHDOG_USEC: '1000000',
    PATH: `${t.path('bin')}:${process.env['PATH']}`,
  };
  const agent = await t.agent(config, { env });
  return { t, agent, fed: () => (existsSync(heard) ? statSync(heard).mtimeMs : 0) };
}

/** It is not ready, names the part, its metric is 1, an error is logged, and systemd hears nothing more. */
async function expectStalled({ t, agent, fed }: Started, part: string, name: string): Promise<void> {
  const what = `${part} ${name} stands still`;
  let files = 0;
  await until(
    async () => {
      appendFileSync(t.path('logs/a.log'), 'more\n');
      if (files < 20) t.write(`logs/b${files++}.log`, 'new\n');
      await sleep(500);
      return (await agent.get('/-/ready')).text.includes(what);
    },
    () => `"${what}"; log:\n${agent.err.slice(-2000)}`,
    STALLED_MS,
  );
  expect((await agent.get('/-/ready')).status).toBe(503);
  const status = await agent.status();
  expect(status.ready).toBe(false);
  expect(status.stalled).toContainEqual({ part, name, seconds: expect.any(Number) });
  expect(await agent.metric('taffrail_stalled', { part, name })).toBe(1);
  expect(agent.log('stands still')).toContainEqual(expect.objectContaining({ part, name }));
  const before = fed();
  await sleep(3000);
  expect(fed()).toBe(before);
}

test(
  'each part that is stopped is found, named, and left to systemd; the others go on',
  async () => {
    const cases: readonly (readonly [faults: string, part: string, name: string])[] = [
      ['tail.read.before:hang@30+', 'reading', 'web'],
      ['tail.list.before:hang@9+', 'looking', 'files'],
      ['buffer.segment.sync.before:hang@20+', 'buffer', 'append'],
      ['sink.step:hang@1+', 'sink', 'out'],
      ['rules.evaluate:hang@1+', 'rules', 'always'],
      ['hooks.send:hang@1+', 'hook', 'pager/exec[0]'],
    ];
    const well = await start('');
    await Promise.all(
      cases.map(async ([faults, part, name]) => {
        const started = await start(faults);
        const { agent } = started;
        await expectStalled(started, part, name);
        // A change waits for the end of the look that is under way.
        if (part === 'looking') {
          void agent.reload().catch(() => undefined);
          await expectStalled(started, 'reload', 'configuration');
        }
        if (part === 'sink' || part === 'hook' || part === 'rules')
          expect((await agent.status()).stalled).toEqual([{ part, name, seconds: expect.any(Number) }]);
      }),
    );
    expect(await well.agent.status()).toMatchObject({ ready: true, stalled: [] });
    expect(Date.now() - well.fed()).toBeLessThan(30_000);
  },
  2 * STALLED_MS,
);

async function collector(faults: string): Promise<{ t: Taffrail; process: TaffrailProcess }> {
  const t = new Taffrail();
  all.push(t);
  t.write('always.yaml', RULES);
  const config = {
    rules: ['./always.yaml'],
    route: { receiver: 'pager', group_wait: '0s' },
    receivers: [{ name: 'pager', exec_configs: [{ command: ['/bin/true'] }] }],
  };
  const process_ = await t.collector(config, { env: { TAFFRAIL_FAULTS: faults } });
  return { t, process: process_ };
}

async function send({ url }: TaffrailProcess): Promise<number> {
  const body = logsRequest({}, [{ timeMs: Date.now(), body: 'x' }]);
  const headers = { 'content-type': 'application/x-protobuf' };
  const signal = AbortSignal.timeout(20_000);
  return (await fetch(`${url}/v1/logs`, { method: 'POST', headers, body, signal })).status;
}

test(
  'a collector whose store stands still says so; one whose hook or rule does takes batches all the same',
  async () => {
    await Promise.all(
      [
        ['collect.transaction.before:hang@1+', 'store writer'],
        ['samples.log.sync.before:hang@1+', 'store samples'],
        ['hooks.send:hang@1+', 'hook pager/exec[0]'],
        ['rules.evaluate:hang@1+', 'rules always'],
      ].map(async ([faults, what]) => {
        const { process } = await collector(faults!);
        if (what === 'store writer') void send(process).catch(() => undefined);
        await until(
          async () => (await process.get('/-/ready')).text.includes(`${what} stands still`),
          () => `"${what} stands still"; log:\n${process.err.slice(-2000)}`,
          STALLED_MS,
        );
        const [part, name] = what!.split(' ') as [string, string];
        expect(await process.metric('taffrail_stalled', { part, name })).toBe(1);
        expect(process.log('stands still')).toContainEqual(expect.objectContaining({ part, name }));
        if (part !== 'store') expect(await send(process)).toBe(200);
      }),
    );
  },
  2 * STALLED_MS,
);
