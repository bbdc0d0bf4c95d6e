import { appendFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Lanes } from '../../src/agent/lanes.ts';
import { Pipeline } from '../../src/agent/pipeline.ts';
import type { Committer } from '../../src/buffer/committer.ts';
import type { Chunk } from '../../src/model/chunk.ts';
import { NO_LINES } from '../../src/model/line-counts.ts';
import type { Fragment, Slice } from '../../src/model/slice.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { silentLog } from '../../src/platform/log.ts';
import { Tailer } from '../../src/tail/tailer.ts';
import { until } from '../tail/harness.ts';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function scanned(chunk: Chunk): Fragment {
  const lines = chunk.bytes.toString('utf8').trimEnd().split('\n').length;
  return {
    consumed: chunk.bytes.length,
    counts: { ...NO_LINES, lines, unmatched: lines, events: lines, bytes: chunk.bytes.length },
    deltas: new Uint8Array(0),
    records: [],
  };
}

interface Circumstances {
  /** Whether a lane takes a second chunk while it has one. */
  readonly queues?: () => boolean;
  readonly chunkBytes?: number;
  readonly hasRoom?: () => boolean;
}

/** A pipeline over the files of a folder; what it hands to the committer is kept. */
async function running(scan: (chunk: Chunk) => Promise<Fragment>, circumstances: Circumstances = {}) {
  const { queues = () => false, chunkBytes = 1024 * 1024, hasRoom = () => true } = circumstances;
  const failures: string[] = [];
  const folder = await mkdtemp(join(tmpdir(), 'taffrail-pipeline-'));
  cleanups.push(async () => rm(folder, { recursive: true, force: true }));
  const log = join(folder, 'app.log');
  await writeFile(log, 'one\ntwo\n');
  const added: Slice[] = [];
  let pipeline: Pipeline | undefined;
  const tailer = new Tailer({
    sources: [
      {
        name: 'app',
        paths: [join(folder, '*.log')],
        exclude: [],
        startAt: 'beginning',
        maxLineBytes: 1024,
        encoding: 'utf-8',
        lingerMs: 20,
      },
    ],
    positions: [],
    nextStream: 1,
    clock: systemClock,
    log: silentLog,
    sweepIntervalMs: 300,
    pollIntervalMs: 20,
    chunkBytes,
    onNotice: () => pipeline?.addNotices(),
  });
  const committer = {
    get hasRoom() {
      return hasRoom();
    },
    ready: () => Promise.resolve(),
    wake: () => undefined,
    rest: () => undefined,
    flush: () => Promise.resolve(),
    add: (slice: Slice) => {
      added.push(slice);
      return Promise.resolve();
    },
  } as unknown as Committer;
  const seat = { queues, scan, leave: () => undefined };
  const lanes = { width: 1, seat: async () => Promise.resolve(seat) } as unknown as Lanes;
  pipeline = new Pipeline(
    {
      tailer,
      committer,
      labelsOf: () => ({}),
      log: silentLog,
      onUnmatched: () => undefined,
      onScanFailed: (source, reason) => failures.push(`${source}: ${reason}`),
    },
    lanes,
  );
  cleanups.push(async () => {
    await pipeline.stop();
    await tailer.stop();
  });
  await tailer.start();
  pipeline.start();
  return { log, added, failures, pipeline, other: join(folder, 'other.log') };
}

test('the end of a file is committed after its last lines, never before them', async () => {
  const { log, added } = await running((chunk) => Promise.resolve(scanned(chunk)));
  await until(() => added.length > 0, 'the first lines');
  await appendFile(log, 'three, without a newline');
  await rename(log, `${log}.1`);
  await until(() => added.some(({ position }) => position.finished === true), 'the end of the file');
  let done = 0;
  for (const { from, position, counts } of added) {
    expect(from, 'a position passes over lines that were not counted yet').toBe(done);
    if (counts.lines === 0) expect(position.offset).toBe(done);
    done = position.offset;
  }
  expect(done).toBe('one\ntwo\nthree, without a newline'.length);
});

test('lines that cannot be scanned are counted as such, and neither their file nor others stop', async () => {
  const { log, other, added, failures, pipeline } = await running(async (chunk) => {
    if (chunk.bytes.includes('poison')) throw new Error('a bug');
    return scanned(chunk);
  });
  const linesOf = (path: string, kind: 'matched' | 'unmatched' | 'filtered'): number =>
    added.filter(({ position }) => position.path === path).reduce((sum, { counts }) => sum + counts[kind], 0);
  await until(() => linesOf(log, 'unmatched') === 2, 'the first lines');
  await appendFile(log, 'poison\nthree\n');
  await until(() => linesOf(log, 'filtered') === 2, 'the lines that fail');
  await appendFile(log, 'four\n');
  await until(() => linesOf(log, 'unmatched') === 3, 'a line behind them');
  await appendFile(other, 'one\n');
  await until(() => linesOf(other, 'unmatched') === 1, 'a line of another file');
  expect(added.find(({ counts }) => counts.filtered > 0)?.counts).toMatchObject({
    lines: 2,
    filteredBytes: 'poison\nthree\n'.length,
    filteredBy: { scan_failed: 2 },
  });
  expect(failures).toEqual(['app: a bug']);
  await pipeline.stop();
});

test('a fragment that says more was consumed than there is does not get by', async () => {
  const { added, failures } = await running((chunk) =>
    Promise.resolve({ ...scanned(chunk), consumed: chunk.bytes.length + 1 }),
  );
  await until(() => added.length > 0, 'the first lines');
  expect(added[0]?.position.offset).toBe('one\ntwo\n'.length);
  expect(added[0]?.counts.filtered).toBe(2);
  expect(failures).toEqual(['app: 9 of 8 bytes were said to be consumed']);
});

describe('a lane that takes several chunks at once', () => {
  const text = Array.from({ length: 2000 }, (_, n) => `${n} of the lines\n`).join('');
  /** How many were with the lane at once, at most. */
  let most: number;
  let under: number;

  async function slowly(chunk: Chunk, delayMs: number, scan = scanned): Promise<Fragment> {
    most = Math.max(most, ++under);
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    under--;
    return scan(chunk);
  }

  beforeEach(() => {
    most = under = 0;
  });

  async function whole(
    scan: (chunk: Chunk) => Promise<Fragment>,
    circumstances: Circumstances = {},
  ): Promise<void> {
    const { log, other, added } = await running(scan, {
      queues: () => true,
      chunkBytes: 2048,
      ...circumstances,
    });
    await writeFile(other, text);
    const of = (path: string): Slice[] =>
      added.filter(({ position, counts }) => position.path === path && counts.lines > 0);
    await until(() => of(other).at(-1)?.position.offset === text.length, 'the end of the file');
    let done = 0;
    for (const { from, position, counts } of of(other)) {
      expect(from).toBe(done);
      done = position.offset;
      expect(counts.lines).toBe(text.slice(from, done).split('\n').length - 1);
    }
    expect(of(log).map(({ counts }) => counts.lines)).toEqual([2]);
  }

  test('commits them in order, whichever is done first', async () => {
    let n = 0;
    await whole(async (chunk) => slowly(chunk, n++ % 3 === 0 ? 20 : 1));
    expect(most).toBeGreaterThan(1);
  });

  test('commits nothing of a chunk whose beginning belongs to the one before', async () => {
    let n = 0;
    let given = 0;
    await whole(async (chunk) => {
      // At the end of the file what is left over would wait for more.
      const part = n++ % 5 === 1 && chunk.to < text.length;
      const consumed = part ? chunk.bytes.lastIndexOf(10, chunk.bytes.length - 2) + 1 : chunk.bytes.length;
      return slowly(chunk, 10, () => ({
        ...scanned({ ...chunk, bytes: chunk.bytes.subarray(0, consumed) }),
        giveBack: () => given++,
      }));
    });
    // Memory of what came to nothing is given back at once; of what was committed, by the committer.
    expect(given).toBeGreaterThan(0);
  });

  test('is given one at a time again once its thread is gone', async () => {
    let n = 0;
    const atOnce: number[] = [];
    await whole(
      async (chunk) => {
        n++;
        atOnce.push(under + 1);
        return slowly(chunk, 5);
      },
      { queues: () => n < 8 },
    );
    expect(Math.max(...atOnce.slice(0, 8))).toBe(3);
    expect(Math.max(...atOnce.slice(10))).toBe(1);
  });

  test('is waited for as reading pauses: what it has is committed, and nothing is taken any more', async () => {
    const circumstances = { queues: () => true, chunkBytes: 2048 };
    let taken = 0;
    const { other, added, pipeline } = await running(async (chunk) => {
      taken = Math.max(taken, chunk.path === other ? chunk.to : 0);
      return slowly(chunk, 10);
    }, circumstances);
    await writeFile(other, text);
    await until(() => most === 3, 'three at once');
    const before = taken;
    await pipeline.pause();
    expect(under).toBe(0);
    expect(added.findLast(({ position }) => position.path === other)?.position.offset).toBe(taken);
    // One may just have been asked for.
    expect(taken).toBeLessThanOrEqual(before + 2048);
    const commits = added.length;
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(added).toHaveLength(commits);
  });

  test('is not given a second one while the committer has no room', async () => {
    await whole(async (chunk) => slowly(chunk, 10), { hasRoom: () => false });
    expect(most).toBe(1);
  });
});
