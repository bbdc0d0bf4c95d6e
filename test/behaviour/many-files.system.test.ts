import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PlainReceiver } from '../torture/plain-receiver.ts';
import { ManyFiles } from './many-files.ts';
import { Taffrail, type TaffrailProcess, until, untilEqual } from './run-taffrail.ts';

/** The whole soak is `SOAK_MINUTES=12 npx vitest run --project long test/behaviour/many-files.system.test.ts`. */
const SOAK_MS = Number(process.env['SOAK_MINUTES'] ?? 0.5) * 60_000;
const FILES = 2000;
const RELOAD_EACH_MS = 15_000;
const DOWN_EACH_MS = 20_000;
const SAMPLE_EACH_MS = 5_000;

let t: Taffrail;
beforeEach(() => {
  t = new Taffrail();
});
afterEach(() => t.dispose());

const reloaded = { status: 200, text: 'reloaded\n' };
const read = (agent: TaffrailProcess) => agent.metric('taffrail_source_lines_total', { source: 'many' });

test.each([
  ['whose names have nothing in common', (file: number) => `f${file}.log`],
  ['whose names could be rotated ones of one file', (file: number) => `worker-${file}.log`],
])(
  'a reload while some of 2,000 files rotate, %s, ends, and each line is counted',
  async (_, name) => {
    const logs = t.path('logs');
    const rate = { linesPerSecond: 300, rotated: 400, rotateEachMs: 4000, kept: 9 };
    const writer = new ManyFiles({ folder: logs, files: FILES, name, ...rate });
    const config = { built_in_rules: false, sources: [{ name: 'many', paths: ['./logs/*.log'] }] };
    const agent = await t.agent(config);
    const writing = writer.run();
    await until(() => writer.rotations >= 400, 'rotations', 120_000);
    expect(await agent.reload()).toEqual(reloaded);
    await until(() => writer.rotations >= 1200, 'rotations', 120_000);
    writer.stop();
    await writing;
    await untilEqual(() => read(agent), writer.lines, 'the lines', 120_000);
    expect((await agent.status()).ready).toBe(true);
  },
  240_000,
);

test(
  'reloads, rotations and a sink that is down half of the time: each line arrives once at both',
  async () => {
    const receivers = [await PlainReceiver.open(), await PlainReceiver.open()] as const;
    for (const receiver of receivers) t.onDispose(() => void receiver.close());
    const rate = { linesPerSecond: 300, rotated: 500, rotateEachMs: 20_000, kept: 3 };
    const name = (file: number): string => `service${file}.log`;
    const writer = new ManyFiles({ folder: t.path('logs'), files: FILES, name, ...rate });
    const sink = ({ port }: PlainReceiver, i: number) => ({
      name: `sink${i}`,
      type: 'otlp',
      endpoint: `http://127.0.0.1:${port}`,
      encoding: 'json',
      metrics: false,
      retry_max: '1s',
    });
    const many = { name: 'many', paths: ['./logs/*.log'], records: true };
    const other = { name: 'other', paths: ['./other/*.log'], records: true };
    const config = (sources: readonly object[]) => ({ sources, sinks: receivers.map(sink) });
    const agent = await t.agent(config([many]));
    const writing = writer.run();
    const begun = performance.now();
    const samples: { rss: number; files: number }[] = [];
    let reloads = 0;
    for (let ms = 0; ms < SOAK_MS; ms = performance.now() - begun) {
      const isDown = Math.floor(ms / DOWN_EACH_MS) % 2 === 0;
      receivers[1].answer = () => (isDown ? 'refuse' : 'well');
      if (ms > (reloads + 1) * RELOAD_EACH_MS) {
        t.write('taffrail.yaml', t.agentConfig(config(reloads++ % 2 === 0 ? [many, other] : [many])));
        expect(await agent.reload()).toEqual(reloaded);
      }
      samples.push({ rss: agent.residentBytes(), files: agent.openFiles().length });
      await sleep(SAMPLE_EACH_MS);
    }
    writer.stop();
    await writing;
    receivers[1].answer = () => 'well';
    const expected = Array.from({ length: writer.lines }, (__, i) => i);
    for (const receiver of receivers) {
      await untilEqual(() => receiver.records.length, writer.lines, 'the records', 240_000);
      const numbers = receiver.records.map(({ body }) => Number(/line (\d+)$/.exec(body)![1]));
      expect(numbers.sort((a, b) => a - b)).toEqual(expected);
      expect(receiver.faults).toEqual([]);
    }
    expect(await agent.metric('taffrail_ledger_holds')).toBe(1);
    expectFlat(samples);
  },
  SOAK_MS + 480_000,
);

/** The last third holds no more than the middle one, beyond what comes and goes. */
function expectFlat(samples: readonly { readonly rss: number; readonly files: number }[]): void {
  const third = Math.floor(samples.length / 3);
  const [middle, last] = [samples.slice(third, 2 * third), samples.slice(2 * third)];
  const most = (of: typeof samples, key: 'rss' | 'files'): number => Math.max(...of.map((one) => one[key]));
  if (process.env['SOAK_MINUTES'] !== undefined) process.stderr.write(`${JSON.stringify(samples)}\n`);
  expect(most(last, 'files')).toBeLessThan(most(middle, 'files') + 100);
  if (samples.length > 30) expect(most(last, 'rss')).toBeLessThan(most(middle, 'rss') * 1.15);
}
