import { appendFileSync, watch, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/platform/clock.ts';
import { silentLog } from '../../src/platform/log.ts';
import { Tailer } from '../../src/tail/tailer.ts';
import { linesOf, numbered, TailHarness } from './harness.ts';

const BLOCK_BYTES = 4096;

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
      if (!appended) {
        appended = true;
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
    const first = numbered('a', 0, 150);
    const more = numbered('b', 0, 10);
    expect(await readWhileGrowing(first.text, more.text)).toEqual([...first.lines, ...more.lines]);
  });

  test('may have ended in the middle of a line that is complete by then', async () => {
    const first = numbered('a', 0, 142);
    const [line] = numbered('c', 0, 1).lines;
    const half = `${first.text}${line!.slice(0, 9)}`;
    expect(await readWhileGrowing(half, `${line!.slice(9)}\n`)).toEqual([...first.lines, line]);
  });
});

describe('a chunk that is taken before the one in front of it is settled', () => {
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
    expect(tail.takenEarly).toBeGreaterThan(3);
    expect(tail.givenBack).toBe(0);
  });

  test('comes again, behind what was left over, where that one was not consumed as a whole', async () => {
    // At the end of the file what is left over would wait for more.
    tail.consume = ({ bytes, to }) =>
      tail.chunks.length % 5 === 1 && to < text.length
        ? bytes.lastIndexOf(10, bytes.length - 2) + 1
        : bytes.length;
    await readAll();
    expect(tail.givenBack).toBeGreaterThan(3);
  });

  test('comes again where the parser has something for it, and from then on is taken in its turn', async () => {
    // The sixth and the seventh were taken by then.
    tail.leaves = () => (tail.chunks.length === 5 ? 'fields' : undefined);
    await readAll();
    expect(tail.takenEarly).toBe(6);
    expect(tail.givenBack).toBe(2);
  });

  test('is not taken where the source joins lines', async () => {
    tail.spec = { ...tail.spec, multilineTimeoutMs: 50 };
    await readAll();
    expect(tail.takenEarly).toBe(0);
  });

  test('is not taken for the while in which something is left over each time', async () => {
    tail.consume = ({ bytes, to }) =>
      to < text.length ? bytes.lastIndexOf(10, bytes.length - 2) + 1 : bytes.length;
    await readAll();
    expect(tail.givenBack).toBeLessThanOrEqual(2);
  });

  test('keeps its bytes where it comes again: a thread may be scanning them still', async () => {
    writeFileSync(tail.path('app.log'), text);
    const tailer = bareTailer();
    const { signal } = new AbortController();
    const never = new Promise<void>(() => undefined);
    try {
      await tailer.start();
      const first = (await tailer.take(signal))!;
      const early = (await tailer.takeNext(first, never))!;
      const bytes = Buffer.from(early.bytes);
      const rest = first.bytes.lastIndexOf(10, first.bytes.length - 2) + 1;
      tailer.settle(first, rest);
      expect(tailer.stands(early)).toBe(false);
      const again = [(await tailer.take(signal))!];
      tailer.settle(again[0]!, again[0]!.bytes.length);
      again.push((await tailer.take(signal))!);
      while (again.length < 5) again.push((await tailer.takeNext(again.at(-1)!, never))!);
      expect(early.bytes).toEqual(bytes);
    } finally {
      await tailer.stop();
    }
  });

  test('may be the head of a line that was cut, or follow it', async () => {
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
    expect(tail.takenEarly).toBeGreaterThan(5);
  });
});
