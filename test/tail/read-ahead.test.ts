import { appendFileSync, mkdirSync, watch, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../../src/platform/clock.ts';
import { silentLog } from '../../src/platform/log.ts';
import type { Chunk } from '../../src/model/chunk.ts';
import { BufferPool } from '../../src/tail/buffer-pool.ts';
import { FileRun } from '../../src/tail/file-run.ts';
import { Tailer } from '../../src/tail/tailer.ts';
import { linesOf, numbered, TailHarness, until } from './harness.ts';

const BLOCK_BYTES = 4096;
/** Of 25 bytes or more each: the rest of them is what is read ahead. */
const LINES_BEYOND_A_BLOCK = 200;

let tail: TailHarness;
beforeEach(async () => {
  tail = await TailHarness.create();
});
afterEach(async () => tail.dispose());

function bareTailer(): Tailer {
  return new Tailer({
    sources: [tail.spec],
    positions: [],
    nextStream: 1,
    clock: systemClock,
    log: silentLog,
    // No look in time: what a hint told of must not be forgotten.
    sweepIntervalMs: 60_000,
    chunkBytes: BLOCK_BYTES,
  });
}

/** Takes the first block, and before it is settled `append` changes the file after the next was read ahead. */
async function readWhileGrowing(first: string, append: string): Promise<string[]> {
  const file = tail.path('app.log');
  writeFileSync(file, first);
  const tailer = bareTailer();
  const abort = new AbortController();
  const watcher = watch(tail.folder);
  try {
    await tailer.start();
    const lines: string[] = [];
    const wanted = linesOf(Buffer.from(first + append)).length;
    let appended = false;
    while (lines.length < wanted) {
      const timer = setTimeout(() => abort.abort(), 3_000);
      const chunk = await tailer.take(abort.signal);
      clearTimeout(timer);
      if (chunk === undefined) return lines;
      tailer.readAhead(chunk);
      if (!appended) {
        appended = true;
        expect(chunk.to).toBeLessThan(first.length);
        // Long enough for a read of one block; were it too short, the test would prove less, not fail.
        for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
        const told = once(watcher, 'change');
        appendFileSync(file, append);
        await told;
        for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
      }
      lines.push(...linesOf(chunk.bytes));
      tailer.settle(chunk, chunk.bytes.length);
    }
    return lines;
  } finally {
    watcher.close();
    await tailer.stop();
  }
}

describe('a block that is read ahead', () => {
  test('hides nothing of what is appended before its turn comes', async () => {
    const first = numbered('a', 0, LINES_BEYOND_A_BLOCK);
    const more = numbered('b', 0, 10);
    expect(await readWhileGrowing(first.text, more.text)).toEqual([...first.lines, ...more.lines]);
  });

  test('may have ended in the middle of a line that is complete by then', async () => {
    const first = numbered('a', 0, LINES_BEYOND_A_BLOCK);
    const [line] = numbered('c', 0, 1).lines;
    const half = `${first.text}${line!.slice(0, 9)}`;
    expect(await readWhileGrowing(half, `${line!.slice(9)}\n`)).toEqual([...first.lines, line]);
  });
});

test('only some of many files hold a block that was read ahead', async () => {
  const files = 30;
  tail.spec = { ...tail.spec, paths: [tail.path('*.log')] };
  const { text, lines } = numbered('a', 0, 400);
  for (let n = 0; n < files; n++) writeFileSync(tail.path(`${n}.log`), text);
  const take = vi.spyOn(BufferPool.prototype, 'take');
  const give = vi.spyOn(BufferPool.prototype, 'give');
  const tailer = bareTailer();
  const abort = new AbortController();
  let most = 0;
  let read = 0;
  try {
    await tailer.start();
    while (read < files * lines.length) {
      const chunk = (await tailer.take(abort.signal))!;
      tailer.readAhead(chunk);
      most = Math.max(most, take.mock.calls.length - give.mock.calls.length);
      read += linesOf(chunk.bytes).length;
      tailer.settle(chunk, chunk.bytes.length);
    }
  } finally {
    await tailer.stop();
    take.mockRestore();
    give.mockRestore();
  }
  // One is with who reads.
  expect(most).toBeGreaterThan(4);
  expect(most).toBeLessThanOrEqual(8 + 1);
});

test('files that are not followed any more leave their place to others', async () => {
  const { text } = numbered('a', 0, 400);
  const folder = (name: string): string => tail.path(name);
  for (const name of ['old', 'new']) mkdirSync(folder(name));
  for (let n = 0; n < 10; n++) writeFileSync(`${folder('old')}/${n}.log`, text);
  writeFileSync(`${folder('new')}/0.log`, text);
  const take = vi.spyOn(BufferPool.prototype, 'take');
  tail.spec = { ...tail.spec, paths: [`${folder('old')}/*.log`] };
  const tailer = bareTailer();
  const { signal } = new AbortController();
  /** Whether it is read on behind the chunk. */
  const isReadAhead = (chunk: Chunk): boolean => {
    const before = take.mock.calls.length;
    tailer.readAhead(chunk);
    tailer.settle(chunk, chunk.bytes.length);
    return take.mock.calls.length > before;
  };
  try {
    await tailer.start();
    const old: boolean[] = [];
    while (old.length < 10) old.push(isReadAhead((await tailer.take(signal))!));
    expect(old.filter(Boolean)).toHaveLength(8);
    await tailer.updateSources([{ ...tail.spec, name: 'other', paths: [`${folder('new')}/*.log`] }]);
    expect(isReadAhead((await tailer.take(signal))!)).toBe(true);
  } finally {
    await tailer.stop();
    take.mockRestore();
  }
});

describe('a run of blocks that are read before the chunk in front of them is settled', () => {
  const { text, lines } = numbered('a', 0, 3000);
  async function readAll(): Promise<void> {
    tail.options = { chunkBytes: BLOCK_BYTES };
    tail.atOnce = () => 3;
    writeFileSync(tail.path('app.log'), text);
    await tail.start();
    await tail.linesAre(lines);
    expect(tail.lines).toEqual(lines);
  }

  test('is delivered in the order of the file, and once', async () => {
    await readAll();
    expect(tail.readByRuns).toBeGreaterThan(10);
    expect(tail.readInVain).toBe(0);
  });

  test('ends where the file ends, and what is appended then is read on', async () => {
    await readAll();
    const more = numbered('b', 0, 1000);
    appendFileSync(tail.path('app.log'), more.text);
    await tail.linesAre([...lines, ...more.lines]);
    expect(tail.lines).toEqual([...lines, ...more.lines]);
  });

  test('comes again, behind what was left over, where the chunk was not consumed as a whole', async () => {
    // At the end of the file what is left over would wait for more.
    tail.consume = ({ bytes, to }) =>
      tail.chunks.length % 5 === 1 && to < text.length
        ? bytes.lastIndexOf(10, bytes.length - 2) + 1
        : bytes.length;
    await readAll();
    expect(tail.readByRuns).toBeGreaterThan(3);
    expect(tail.readInVain).toBeGreaterThan(1);
  });

  test('comes again where the parser has something for it, and from then on is read in its turn', async () => {
    // The first chunk leaves something when two more were read.
    tail.leaves = ({ from }) => (from === 0 ? 'fields' : undefined);
    await readAll();
    expect(tail.readByRuns).toBe(0);
    expect(tail.readInVain).toBe(2);
    expect(tail.stale).toBe(0);
  });

  test('is not begun where the source joins lines', async () => {
    tail.spec = { ...tail.spec, multilineTimeoutMs: 50 };
    await readAll();
    expect(tail.readByRuns + tail.readInVain).toBe(0);
  });

  test.each(['latin1', 'utf-16'] as const)('is not begun in a file of %s', async (encoding) => {
    tail.spec = { ...tail.spec, encoding };
    tail.options = { chunkBytes: BLOCK_BYTES };
    tail.atOnce = () => 3;
    writeFileSync(tail.path('app.log'), Buffer.from(text, encoding === 'latin1' ? 'latin1' : 'utf16le'));
    await tail.start();
    await tail.linesAre(lines);
    expect(tail.readByRuns + tail.readInVain).toBe(0);
  });

  test('is not begun for the while in which something is left over each time', async () => {
    tail.consume = ({ bytes, to }) =>
      to < text.length ? bytes.lastIndexOf(10, bytes.length - 2) + 1 : bytes.length;
    await readAll();
    expect(tail.readByRuns).toBe(0);
  });

  test('ends where the file was cut below it, and no block of it is taken for another', async () => {
    const { text: other, lines: otherLines } = numbered('b', 0, 3000);
    const file = tail.path('app.log');
    let cut = false;
    tail.work = async () => {
      if (cut || tail.chunks.length !== 4) return;
      cut = true;
      writeFileSync(file, other);
    };
    tail.options = { chunkBytes: BLOCK_BYTES };
    tail.atOnce = () => 3;
    writeFileSync(file, text);
    await tail.start();
    await until(
      () => tail.lines.at(-1) === otherLines.at(-1),
      () => tail.describe(),
    );
    const old = tail.lines.filter((line) => line.startsWith('a'));
    expect(old).toEqual(lines.slice(0, old.length));
    expect(tail.lines).toEqual([...old, ...otherLines]);
    const missed = text.length - Buffer.byteLength(`${old.join('\n')}\n`);
    expect(tail.missed).toEqual([{ reason: 'truncated', bytes: missed }]);
  });

  test('keeps its file open until it is ended', async () => {
    const file = tail.path('app.log');
    writeFileSync(file, text);
    const tailer = bareTailer();
    await tailer.start();
    const first = (await tailer.take(new AbortController().signal))!;
    const run = tailer.beginRun(first)!;
    tailer.settle(first, first.bytes.length);
    let isStopped = false;
    const stopped = tailer.stop().then(() => (isStopped = true));
    // Longer than it takes to close a file; were it too short, the test would prove less, not fail.
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(isStopped).toBe(false);
    const fileRun = new FileRun(run.plan, new BufferPool(1));
    const read: string[] = [];
    const scan = ({ bytes }: Chunk): { consumed: number } => {
      read.push(...linesOf(bytes));
      return { consumed: bytes.length };
    };
    while ((await fileRun.next(scan)) !== undefined) await new Promise(setImmediate);
    expect([...linesOf(first.bytes), ...read]).toEqual(lines);
    tailer.endRun(run);
    await stopped;
    const late = new FileRun({ ...run.plan, descriptor: run.plan.descriptor }, new BufferPool(1));
    await expect(late.next(scan)).rejects.toThrow('EBADF');
  });

  test('takes no block that does not begin where the stream stands, nor any behind it', async () => {
    writeFileSync(tail.path('app.log'), text);
    const tailer = bareTailer();
    await tailer.start();
    const first = (await tailer.take(new AbortController().signal))!;
    const run = tailer.beginRun(first)!;
    tailer.settle(first, first.bytes.length);
    const next = { from: first.to, to: first.to + 30, anchor: run.plan.anchor, more: true };
    const skipping = { ...next, from: next.from + 30, to: next.to + 30 };
    expect(tailer.settleRun(run, skipping)).toBeUndefined();
    expect(tailer.settleRun(run, next)).toBeUndefined();
    tailer.endRun(run);
    expect((await tailer.take(new AbortController().signal))!.from).toBe(first.to);
    await tailer.stop();
  });

  test('may begin at the head of a line that was cut, and go over others', async () => {
    const cut = 'y'.repeat(3 * BLOCK_BYTES);
    const parts = [0, 700, 701, 702, 2000].map((at, n, all) => ({ at, to: all[n + 1] ?? lines.length }));
    const withCuts = parts.map(({ at, to }) => [cut, ...lines.slice(at, to)]).flat();
    tail.spec = { ...tail.spec, maxLineBytes: 2000 };
    tail.options = { chunkBytes: BLOCK_BYTES };
    tail.atOnce = () => 3;
    writeFileSync(tail.path('app.log'), `${withCuts.join('\n')}\n`);
    await tail.start();
    const expected = withCuts.map((line) => line.slice(0, 2000));
    await tail.linesAre(expected);
    expect(tail.lines).toEqual(expected);
    expect(tail.chunks.reduce((sum, { cutBytes }) => sum + cutBytes, 0)).toBe(5 * (cut.length - 2000));
    expect(tail.readByRuns).toBeGreaterThan(5);
  });
});
