import { appendFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Lanes, Seat } from '../../src/agent/lanes.ts';
import { Pipeline } from '../../src/agent/pipeline.ts';
import type { Committer } from '../../src/buffer/committer.ts';
import type { Chunk } from '../../src/model/chunk.ts';
import { NO_LINES } from '../../src/model/line-counts.ts';
import type { Fragment, Slice } from '../../src/model/slice.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { silentLog } from '../../src/platform/log.ts';
import { BufferPool } from '../../src/tail/buffer-pool.ts';
import { FileRun, leavesNothing, type RunPlan } from '../../src/tail/file-run.ts';
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
  /** Whether a lane reads on by itself, and how; it does not by default. */
  readonly readsOn?: () => boolean;
  readonly readOn?: Seat['readOn'];
  readonly scan?: (chunk: Chunk) => Promise<Fragment>;
  readonly chunkBytes?: number;
  readonly hasRoom?: () => boolean;
}

/** A pipeline over the files of a folder; what it hands to the committer is kept. */
async function running(scan: (chunk: Chunk) => Promise<Fragment>, circumstances: Circumstances = {}) {
  const { readsOn = () => false, chunkBytes = 1024 * 1024, hasRoom = () => true } = circumstances;
  const readOn = circumstances.readOn ?? (async () => Promise.resolve(undefined));
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
  const seat: Seat = { readsOn, isWanted: () => false, scan, readOn, leave: () => undefined };
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

describe('a lane that reads on by itself', () => {
  const text = Array.from({ length: 2000 }, (_, n) => `${n} of the lines\n`).join('');
  const CHUNK_BYTES = 2048;
  /** How many blocks it was asked for at once, at most. */
  let most: number;
  let under = 0;
  /** In order: how many blocks each run gave. */
  let runs: number[];

  beforeEach(() => {
    most = under = 0;
    runs = [];
  });

  interface Thread {
    readonly scan?: (chunk: Chunk) => Fragment;
    readonly delayMs?: () => number;
    /** Reads on although something was left over of the chunk before. */
    readonly careless?: boolean;
  }

  /** As a thread does it, in turn. */
  function thread({
    scan = scanned,
    delayMs = () => 2,
    careless = false,
  }: Thread): Omit<Circumstances, 'hasRoom'> {
    let begun: RunPlan | undefined;
    let run: FileRun | undefined;
    let left = true;
    let last: Promise<unknown> = Promise.resolve();
    const inTurn = async <T>(work: () => Promise<T>): Promise<T> => {
      const mine = last.then(async () => new Promise((resolve) => setTimeout(resolve, delayMs()))).then(work);
      last = mine;
      return mine;
    };
    return {
      readsOn: () => true,
      chunkBytes: CHUNK_BYTES,
      scan: async (chunk) =>
        inTurn(() => {
          const fragment = scan(chunk);
          left = !leavesNothing(chunk, fragment.consumed, fragment.parserState);
          return Promise.resolve(fragment);
        }),
      async readOn(plan) {
        most = Math.max(most, ++under);
        const read = await inTurn(async () => {
          if (begun !== plan) {
            begun = plan;
            runs.push(0);
            run = left && !careless ? undefined : new FileRun(plan, new BufferPool(1));
          }
          return run?.next(scan);
        });
        under--;
        if (read === undefined) return undefined;
        runs[runs.length - 1]!++;
        return { block: read.block, fragment: read.scanned };
      },
    };
  }

  /** All lines of a file, in order, each once. */
  function check(slices: readonly Slice[]): void {
    let done = 0;
    for (const { from, position, counts } of slices) {
      expect(from).toBe(done);
      done = position.offset;
      expect(counts.lines).toBe(text.slice(from, done).split('\n').length - 1);
    }
    expect(done).toBe(text.length);
  }

  async function whole(circumstances: Circumstances): Promise<void> {
    const { log, other, added } = await running(circumstances.scan!, circumstances);
    await writeFile(other, text);
    const of = (path: string): Slice[] =>
      added.filter(({ position, counts }) => position.path === path && counts.lines > 0);
    await until(() => of(other).at(-1)?.position.offset === text.length, 'the end of the file');
    check(of(other));
    expect(of(log).map(({ counts }) => counts.lines)).toEqual([2]);
  }

  test('is asked for several blocks at once, which are committed in order', async () => {
    let n = 0;
    await whole(thread({ delayMs: () => (n++ % 3 === 0 ? 20 : 1) }));
    expect(most).toBe(4);
    expect(Math.max(...runs)).toBeGreaterThan(10);
  });

  test.each([false, true])(
    'commits nothing of a block whose beginning belongs to the one before (careless: %s)',
    async (careless) => {
      let n = 0;
      await whole(
        thread({
          careless,
          scan(chunk) {
            // At the end of the file what is left over would wait for more.
            const part = n++ % 5 === 1 && chunk.to < text.length - 2 * CHUNK_BYTES;
            const length = part
              ? chunk.bytes.lastIndexOf(10, chunk.bytes.length - 2) + 1
              : chunk.bytes.length;
            return scanned({ ...chunk, bytes: chunk.bytes.subarray(0, length) });
          },
        }),
      );
    },
  );

  test('is asked for nothing more once its thread is gone', async () => {
    let n = 0;
    const alive = (): boolean => n < 8;
    const lane = thread({ scan: (chunk) => (n++, scanned(chunk)) });
    let inVain = 0;
    await whole({
      ...lane,
      readsOn: alive,
      async readOn(plan) {
        const read = await lane.readOn!(plan);
        if (alive()) return read;
        inVain++;
        return undefined;
      },
    });
    expect(inVain).toBeGreaterThan(0);
    // Those that were under way.
    expect(inVain).toBeLessThanOrEqual(4);
  });

  test('is waited for as reading pauses: what it has is committed, and nothing is taken any more', async () => {
    const lane = thread({ delayMs: () => 5 });
    const { other, added, pipeline } = await running(lane.scan!, lane);
    await writeFile(other, text);
    await until(() => most === 4, 'four at once');
    await pipeline.pause();
    expect(under).toBe(0);
    const slices = added.filter(({ position }) => position.path === other);
    expect(slices.length).toBeLessThan(10);
    expect(slices.length - 1).toBe(runs[0]);
    const commits = added.length;
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(added).toHaveLength(commits);
    pipeline.start();
  });

  test('is asked for nothing while the committer has no room', async () => {
    await whole({ ...thread({}), hasRoom: () => false });
    expect(most).toBe(0);
  });

  test('leaves its file to others after some blocks while they wait, and else goes on to its end', async () => {
    const lane = thread({ delayMs: () => 0 });
    const { other, added } = await running(lane.scan!, lane);
    await writeFile(`${other}.log`, text);
    await writeFile(other, text);
    const done = (path: string): boolean =>
      added.some(({ position }) => position.path === path && position.offset === text.length);
    await until(() => done(other) && done(`${other}.log`), 'the ends of both files');
    expect(runs.slice(0, 2)).toEqual([16, 16]);
    runs = [];
    const third = other.replace('other', 'third');
    await writeFile(third, text);
    await until(() => done(third), 'the end of a third file');
    expect(runs.reduce((sum, blocks) => sum + blocks, 0)).toBeGreaterThan(15);
    expect(runs.filter((blocks) => blocks > 0)).toHaveLength(1);
  });
});
