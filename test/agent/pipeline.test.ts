import { appendFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
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

/** A pipeline over the files of a folder; what it hands to the committer is kept. */
async function running(scan: (chunk: Chunk) => Promise<Fragment>) {
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
    onNotice: () => pipeline?.addNotices(),
  });
  const committer = {
    ready: () => Promise.resolve(),
    wake: () => undefined,
    rest: () => undefined,
    flush: () => Promise.resolve(),
    add: (slice: Slice) => {
      added.push(slice);
      return Promise.resolve();
    },
  } as unknown as Committer;
  const lanes = { width: 1, scan } as unknown as Lanes;
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
