import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { Lanes, type Seat } from '../../src/agent/lanes.ts';
import type { Chunk } from '../../src/model/chunk.ts';
import { loadPack } from '../../src/parse/load-pack.ts';
import type { Fragment } from '../../src/model/slice.ts';
import { anchorBefore } from '../../src/tail/fingerprint.ts';
import type { RunPlan } from '../../src/tail/file-run.ts';
import { silentLog } from '../../src/platform/log.ts';

const PACK = `
name: app
description: lines of a made-up application
patterns:
  - { name: line, pattern: '^(?<word>\\w+)$' }
metrics:
  - { name: lines_total, type: counter, help: Lines., labels: [word] }
`;
const PLAN = {
  source: 'app',
  packFile: 'pack.yaml',
  packText: PACK,
  pack: loadPack(PACK, 'pack.yaml').pack!,
  use: { source: 'app', constLabels: {}, records: true, maxSeries: 100, timezone: 'UTC' },
  blockBytes: 1024 * 1024,
  blockRecords: 100_000,
};
const FEW = 1;
const MANY = 20_000;

let lanes: Lanes;
function begin(recordWorkers = 1, keptFreeMs = 1): void {
  const log = silentLog;
  lanes = new Lanes({
    plans: [PLAN],
    workers: 1,
    recordWorkers,
    log,
    onNews: () => undefined,
    keptFreeMs,
  });
}
afterEach(async () => lanes.close());

function chunk(lines: number): Chunk {
  const bytes = Buffer.from('word\n'.repeat(lines));
  const { length } = bytes;
  return { source: 'app', stream: 1, path: '/var/log/app.log', bytes, from: 0, to: length, cutBytes: 0, cutLines: 0, flush: false, readAtMs: 0 }; // prettier-ignore
}

/** A seat with the thread, once that has begun. */
async function onThread(): Promise<Seat> {
  await Promise.all([scan(MANY), scan(MANY)]);
  return vi.waitFor(async () => {
    const seat = await lanes.seat(chunk(MANY));
    if (seat.readsOn()) return seat;
    seat.leave();
    throw new Error('the thread has not begun yet');
  });
}

async function scan(lines: number): Promise<number> {
  const seat = await lanes.seat(chunk(lines));
  const { counts } = await seat.scan(chunk(lines));
  seat.leave();
  return counts.lines;
}

test('two busy files are scanned at once, and the thread is let go when it has long had nothing to do', async () => {
  begin();
  const both = [scan(MANY), scan(MANY)];
  expect(lanes.workers).toBe(1);
  expect(await Promise.all(both)).toEqual([MANY, MANY]);
  await vi.waitFor(() => expect(lanes.workers).toBe(0));
  expect(await Promise.all([scan(MANY), scan(MANY)])).toEqual([MANY, MANY]);
});

test('a few lines of another file start no thread, whichever comes first', async () => {
  begin();
  const some = [scan(FEW), scan(MANY), scan(FEW), scan(FEW)];
  expect(lanes.workers).toBe(0);
  expect(await Promise.all(some)).toEqual([FEW, MANY, FEW, FEW]);
  expect(lanes.workers).toBe(0);
});

test('what is scanned for records leaves cores to those who compress them', async () => {
  begin(0);
  const both = [scan(MANY), scan(MANY)];
  expect(lanes.workers).toBe(0);
  expect(await Promise.all(both)).toEqual([MANY, MANY]);
});

test('a thread that fails with several chunks leaves none of them, and is asked for nothing more', async () => {
  const warned: string[] = [];
  const log = { ...silentLog, warn: (_: object, message: string) => void warned.push(message) };
  lanes = new Lanes({ plans: [PLAN], workers: 1, recordWorkers: 1, log, onNews: () => undefined });
  const busy = await onThread();
  const scans = [chunk(MANY), { ...chunk(MANY), source: 'unheard-of' }, chunk(MANY - 1), chunk(MANY - 2)];
  const [first, failed, ...others] = await Promise.allSettled(scans.map(async (each) => busy.scan(each)));
  expect(failed?.status).toBe('rejected');
  const lines = [first, ...others].map((one) => (one as PromiseFulfilledResult<Fragment>).value.counts.lines);
  expect(lines).toEqual([MANY, MANY - 1, MANY - 2]);
  expect(busy.readsOn()).toBe(false);
  expect((await busy.scan(chunk(FEW))).counts.lines).toBe(FEW);
  busy.leave();
  expect(lanes.workers).toBe(0);
  expect(warned).toHaveLength(1);
  expect(await scan(MANY)).toBe(MANY);
});

describe('a thread that reads on', () => {
  const folder = mkdtempSync(join(tmpdir(), 'taffrail-lanes-'));
  const path = join(folder, 'app.log');
  writeFileSync(path, 'word\n'.repeat(3 * MANY));
  const descriptor = openSync(path, 'r');
  afterAll(() => {
    closeSync(descriptor);
    rmSync(folder, { recursive: true });
  });

  /** Behind the first MANY lines. */
  function plan(more: Partial<RunPlan> = {}): RunPlan {
    const { bytes, to } = chunk(MANY);
    const at = { descriptor, offset: to, anchor: anchorBefore(bytes, to) };
    return { source: 'app', stream: 1, path, ...at, blockBytes: 64 * 1024, maxLineBytes: 1024, ...more };
  }

  function begunAt(from: number): Chunk {
    return { ...chunk(MANY), from, to: from + 5 * MANY };
  }

  test('scans block after block up to the end of the file, and in turn', async () => {
    begin(1, 10_000);
    const seat = await onThread();
    const run = plan();
    const scanned = seat.scan(begunAt(0));
    const reads = await Promise.all(Array.from({ length: 6 }, async () => seat.readOn(run)));
    expect((await scanned).counts.lines).toBe(MANY);
    const blocks = reads.filter((read) => read !== undefined);
    expect(blocks.map(({ block: { from, to } }) => [from, to])).toEqual([
      [100_000, 165_535],
      [165_535, 231_070],
      [231_070, 296_605],
      [296_605, 300_000],
    ]);
    expect(blocks.map(({ block }) => block.more)).toEqual([true, true, true, false]);
    expect(blocks.reduce((sum, { fragment }) => sum + fragment.counts.lines, 0)).toBe(2 * MANY);
    expect(blocks.every(({ fragment }) => fragment.deltas.length > 0 && fragment.records.length > 0)).toBe(
      true,
    );
    expect(reads.slice(4)).toEqual([undefined, undefined]);
    seat.leave();
  });

  test.each<[string, Partial<RunPlan>]>([
    ['content was replaced', { anchor: { bytes: 256, crc: 1 } }],
    ['the file cannot be read', { descriptor: 9999 }],
    ['lines cannot be scanned', { source: 'unheard-of' }],
  ])('gives nothing where %s, and reads on in the next run', async (_, broken) => {
    begin(1, 10_000);
    const seat = await onThread();
    const bad = plan(broken);
    void seat.scan(begunAt(0));
    expect(await Promise.all([seat.readOn(bad), seat.readOn(bad)])).toEqual([undefined, undefined]);
    const good = plan();
    void seat.scan(begunAt(0));
    expect((await seat.readOn(good))?.fragment.counts.lines).toBe(65_535 / 5);
    expect(seat.readsOn()).toBe(true);
    seat.leave();
  });

  test('gives nothing behind a chunk that could not be scanned', async () => {
    begin(1, 10_000);
    const seat = await onThread();
    const run = plan();
    const scanned = seat.scan({ ...begunAt(0), source: 'unheard-of' });
    scanned.catch(() => undefined);
    expect(await seat.readOn(run)).toBeUndefined();
    seat.leave();
  });

  test('gives nothing more once it is gone, and says so', async () => {
    begin(1, 10_000);
    const seat = await onThread();
    const run = plan();
    void seat.scan(begunAt(0)).catch(() => undefined);
    const reads = [seat.readOn(run), seat.readOn(run)];
    await lanes.close();
    await Promise.all(reads);
    expect(await seat.readOn(run)).toBeUndefined();
    expect(seat.readsOn()).toBe(false);
  });
});
