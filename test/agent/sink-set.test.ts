import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Ledger } from '../../src/agent/ledger.ts';
import { SinkSet, sawAll } from '../../src/agent/sink-set.ts';
import type { Buffer } from '../../src/buffer/buffer.ts';
import { type SinkConfig, sinkSchema } from '../../src/config/sink-schema.ts';
import { type Clock, FakeClock, systemClock } from '../../src/platform/clock.ts';
import { setFaults } from '../../src/platform/fault.ts';
import { silentLog } from '../../src/platform/log.ts';
import { StallWatch } from '../../src/platform/stall-watch.ts';
import { Secret } from '../../src/platform/secret.ts';
import { openBuffer, slice, tempDir } from '../buffer/fixtures.ts';
import { until } from '../tail/harness.ts';

const COMMIT = { kind: 'commit', timeMs: 1000, slices: [slice({ lines: 2, records: [] })] } as const;

function fileSink(dir: string, name: string): SinkConfig {
  return sinkSchema.parse({ type: 'file', name, path: join(dir, `${name}.jsonl`) });
}

async function sinksOver(
  dir: string,
  change: (buffer: Buffer) => Buffer = (buffer) => buffer,
  clock: Clock = systemClock,
) {
  const { buffer } = await openBuffer(dir);
  const ledger = new Ledger();
  buffer.onDurable((entry) => {
    if (entry.kind === 'commit') ledger.commit(entry);
  });
  const sinks = new SinkSet({
    buffer: change(buffer),
    ledger,
    identity: { agent: 'a', epoch: 'e', generation: 1, instance: 'i', secret: new Secret('s') },
    clock,
    log: silentLog,
    stateDir: dir,
    resource: () => ({}),
    heartbeat: () => ({}),
  });
  onTestFinished(() => sinks.stop(1000));
  return { buffer, ledger, sinks };
}

/** The buffer, with a step of our own before a sink gets its cursor. */
function beforeCursor(buffer: Buffer, step: (name: string) => Promise<void>): Buffer {
  return new Proxy(buffer, {
    get(target, key) {
      if (key === 'cursor') {
        return async (...args: Parameters<Buffer['cursor']>) => {
          const cursor = await target.cursor(...args);
          await step(args[0]);
          return cursor;
        };
      }
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

async function allSettled(sinks: SinkSet, buffer: Buffer): Promise<void> {
  await until(
    () => sinks.cursors().every(({ settledThrough }) => settledThrough === buffer.lastSeq),
    'everything to be settled',
  );
}

test('what is committed while several sinks are added is accounted for at each', async () => {
  const dir = tempDir();
  let committed: Promise<unknown> | undefined;
  const { buffer, ledger, sinks } = await sinksOver(dir, (real) =>
    beforeCursor(real, async () => {
      committed ??= real.append(COMMIT);
      await committed;
    }),
  );
  await buffer.append(COMMIT);
  await sinks.use([fileSink(dir, 'one'), fileSink(dir, 'two')]);
  await allSettled(sinks, buffer);
  expect(ledger.check(sinks.cursors(), buffer.lastSeq)).toEqual([]);
});

test('a change of sinks that fails can be taken back: those of before deliver again, all that is buffered', async () => {
  const dir = tempDir();
  let broken = false;
  const { buffer, ledger, sinks } = await sinksOver(dir, (real) =>
    beforeCursor(real, (name) =>
      broken && name === 'new' ? Promise.reject(new Error('ENOSPC')) : Promise.resolve(),
    ),
  );
  const before = [fileSink(dir, 'one'), fileSink(dir, 'two')];
  await sinks.use(before);
  await buffer.append(COMMIT);
  await allSettled(sinks, buffer);
  broken = true;
  await expect(sinks.use([fileSink(dir, 'added'), fileSink(dir, 'new')])).rejects.toThrow('ENOSPC');
  await buffer.append(COMMIT);
  await sinks.use(before);
  await allSettled(sinks, buffer);
  expect(ledger.check(sinks.cursors(), buffer.lastSeq)).toEqual([]);
  for (const { name, ledger: fates } of sinks.status())
    expect(fates, name).toMatchObject({ web: { delivered: 4, buffered: 0, lost: {}, before: 0 } });
});

test('what is buffered is waited for where a sink is well, and not where it fails', async () => {
  const dir = tempDir();
  const { buffer, sinks } = await sinksOver(dir);
  const failing = sinkSchema.parse({ type: 'otlp', name: 'failing', endpoint: 'http://127.0.0.1:1' });
  await sinks.use([fileSink(dir, 'well'), failing]);
  await buffer.append(COMMIT);
  await buffer.append({ ...COMMIT, slices: [slice({ lines: 2 })] });
  await sinks.drain(60_000);
  expect(sinks.cursors().map(({ name, settledThrough }) => [name, settledThrough])).toEqual([
    ['well', 2],
    ['failing', 1],
  ]);
});

test('a sink is gone although the disk will not remove its cursor, and the others have what is theirs', async () => {
  const dir = tempDir();
  const { buffer, ledger, sinks } = await sinksOver(dir);
  const failing = sinkSchema.parse({ type: 'otlp', name: 'failing', endpoint: 'http://127.0.0.1:1' });
  await sinks.use([failing, fileSink(dir, 'kept')]);
  await buffer.append({ ...COMMIT, slices: [slice({ lines: 2 })] });
  try {
    setFaults('buffer.cursor.unlink.before:eio@1');
    await sinks.use([fileSink(dir, 'kept')]);
  } finally {
    setFaults('');
  }
  await allSettled(sinks, buffer);
  expect(sinks.cursors().map(({ name }) => name)).toEqual(['kept']);
  expect(ledger.check(sinks.cursors(), buffer.lastSeq)).toEqual([]);
});

test('only a sink that has shipped all records from the first on says how many a collector must have', () => {
  const otlp = (more: object) =>
    sinkSchema.parse({ type: 'otlp', name: 'c', endpoint: 'http://127.0.0.1:4318', ...more });
  const lost = (reason: string) => ({ lost: new Map([['app', new Map([[reason, 3]])]]) });
  expect(sawAll(otlp({}), { lost: new Map() })).toBe(true);
  expect(sawAll(otlp({}), lost('buffer_full'))).toBe(true);
  expect(sawAll(otlp({}), lost('before'))).toBe(false);
  expect(sawAll(otlp({ logs: false }), { lost: new Map() })).toBe(false);
  const two = ['http://127.0.0.1:4318', 'http://127.0.0.1:4319'];
  expect(sawAll(otlp({ endpoint: two }), { lost: new Map() })).toBe(false);
  expect(sawAll(otlp({ endpoint: two.slice(1) }), { lost: new Map() })).toBe(true);
});

test('a receiver that is away for hours leaves nothing standing still; a sink that hangs stands still', async () => {
  const clock = new FakeClock();
  const { buffer, sinks } = await sinksOver(tempDir(), undefined, clock);
  const away = { type: 'otlp', name: 'central', endpoint: 'http://127.0.0.1:1', retry_max: '5m' };
  await sinks.use([sinkSchema.parse(away)]);
  const watch = new StallWatch({ clock, log: silentLog, parts: () => sinks.parts() });
  const second = async (isSettled: () => boolean): Promise<void> => {
    await clock.advance(1000);
    // The clock stands still while the sink reads its buffer and asks for an answer.
    await until(isSettled, 'the sink to wait for its next try');
    watch.look();
  };
  const sleeps = (): boolean => sinks.parts()[0]!.reason !== undefined;
  await buffer.append({ kind: 'commit', timeMs: 1000, slices: [slice({ lines: 2 })] });
  const stalled = new Set<string>();
  const reasons = new Set<string>();
  for (let s = 0; s < 2 * 3600; s++) {
    await second(sleeps);
    for (const { name } of watch.stalled) stalled.add(name);
    for (const { reason } of watch.waiting) reasons.add(reason.replace(/ in \d+ s$/, ''));
  }
  expect(sinks.status()[0]!.requests).toBeGreaterThan(20);
  expect([...stalled]).toEqual([]);
  expect([...reasons]).toContainEqual(expect.stringMatching(/^connection refused at .*; it is tried again$/));
  await sinks.use([]);
  setFaults('sink.step:hang@1+');
  onTestFinished(() => setFaults(''));
  await sinks.use([sinkSchema.parse(away)]);
  await buffer.append({ kind: 'commit', timeMs: 1000, slices: [slice({ lines: 2 })] });
  for (let s = 0; s < 60; s++) await second(() => true);
  expect(watch.stalled).toMatchObject([{ part: 'sink', name: 'central' }]);
  setFaults('');
});
