import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeSamples } from '../../src/samples/chunk-codec.ts';
import { Head } from '../../src/samples/head.ts';
import { HeadColumns } from '../../src/samples/head-columns.ts';
import { sampleColumns } from '../../src/samples/sample-columns.ts';

const NOW = 1_700_000_000_000;

function newHead(): Head {
  const head = new Head(new HeadColumns(HeadColumns.make(8)), 64 << 20);
  head.begin(1);
  return head;
}

function contents(head: Head, sid = 1): (readonly [number, number | 'stale'])[] {
  return head.chunks.chunksOf(sid).flatMap(({ bytes, count, firstMs, lastMs }) => {
    const into = sampleColumns(count);
    decodeSamples(bytes, 0, count, firstMs, into, 0);
    expect(into.times.at(-1)).toBe(lastMs);
    return Array.from(
      into.times,
      (time, i) => [time, into.stale[i] === 1 ? 'stale' : into.values[i]!] as const,
    );
  });
}

const anyValue = fc.oneof(
  fc.integer({ min: -200, max: 200 }),
  fc.integer(),
  fc.integer({ min: 0, max: 99_999 }).map((n) => n / 1000),
  fc.double(),
  fc.constantFrom(NaN, -0, 0, Infinity, -Infinity, 2 ** 53, 2 ** 51, -(2 ** 52), 5e-324, 0.1 + 0.2, 1e22),
);

test('what goes in comes out bit by bit, whatever the order, the latest of each instant', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(
          fc.oneof(
            fc.integer({ min: 0, max: 40 }).map((n) => n * 15_000),
            fc.integer({ min: 0, max: 20_000_000 }),
          ),
          anyValue,
          fc.integer({ min: 0, max: 9 }),
        ),
        { maxLength: 400 },
      ),
      fc.boolean(),
      (samples, inOrder) => {
        const head = newHead();
        const expected = new Map<number, number | 'stale'>();
        const sent = inOrder ? samples.toSorted(([a], [b]) => a - b) : samples;
        for (const [offset, value, kind] of sent) {
          const stale = kind === 0;
          const time = NOW + offset;
          const had = expected.get(time);
          const isNew = head.append(1, time, stale ? NaN : value, stale);
          expect(isNew).toBe(!(expected.has(time) && Object.is(had, stale ? 'stale' : value)));
          expected.set(time, stale ? 'stale' : value);
        }
        const want = [...expected].toSorted(([a], [b]) => a - b);
        expect(contents(head)).toStrictEqual(want);
        if (want.length > 0) {
          expect(head.columns.lastTime[1]).toBe(want.at(-1)![0]);
          expect(head.columns.firstTime[1]).toBe(want[0]![0]);
          expect(head.columns.lastStale[1] === 1 ? 'stale' : head.columns.lastValue[1]).toBe(want.at(-1)![1]);
        }
        expect(head.columns.version[1]! % 2).toBe(0);
      },
    ),
    { numRuns: 300 },
  );
});

test('a steady series takes little more than a byte for each sample', () => {
  const head = newHead();
  for (let i = 0; i < 480; i++) head.append(1, NOW + i * 15_000, i * 7, false);
  const bytes = head.chunks.chunksOf(1).reduce((sum, { length }) => sum + length, 0);
  expect(bytes).toBeLessThan(480 * 1.2);
});

test('a repeat of all that was sent changes nothing', () => {
  const head = newHead();
  const send = () => {
    let fresh = 0;
    for (let i = 0; i < 300; i++) if (head.append(1, NOW + i * 60_000, Math.sin(i), false)) fresh++;
    return fresh;
  };
  expect(send()).toBe(300);
  const before = contents(head);
  expect(send()).toBe(0);
  expect(contents(head)).toEqual(before);
});

test('memory of chunks that are gone is given out again', () => {
  const head = newHead();
  const fill = (window: number) => {
    for (let i = 0; i < 400; i++) head.append(1, window * 7_200_000 + i * 15_000, Math.sin(i), false);
  };
  fill(300_000);
  head.append(1, 300_001 * 7_200_000, 1, false);
  const [first] = [head.chunks.arena.usedBytes];
  for (let window = 300_001; window < 300_020; window++) {
    fill(window);
    head.append(1, (window + 1) * 7_200_000, 1, false);
    head.chunks.mark(1, window - 1, 7);
    head.chunks.drop(1, window - 1, 7);
    expect(head.chunks.windows.has(window - 1)).toBe(false);
  }
  expect(head.chunks.arena.usedBytes).toBeLessThan(first * 2.5);
});

test('what changed since it was marked stays', () => {
  const head = newHead();
  for (let i = 0; i < 480; i++) head.append(1, 300_000 * 7_200_000 + i * 15_000, i, false);
  head.chunks.mark(1, 300_000, 9);
  head.append(1, 300_000 * 7_200_000 + 7, 7, false);
  head.chunks.drop(1, 300_000, 9);
  const left = contents(head);
  expect(left).toHaveLength(121);
  expect(left[1]).toEqual([300_000 * 7_200_000 + 7, 7]);
});
