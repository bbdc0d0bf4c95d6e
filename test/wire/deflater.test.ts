import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { Deflater } from '../../src/wire/deflate/deflater.ts';
import { PrefixCode } from '../../src/wire/deflate/prefix-code.ts';
import { fc } from '../fuzz.ts';

const deflater = new Deflater(64 * 1024);
/** A final block without content. */
const END = Uint8Array.of(3, 0);

function inflated(...runs: readonly Uint8Array[]): Buffer {
  return inflateRawSync(Buffer.concat([...runs, END]));
}

/** Pieces of a text that come again, at any distance, between others. */
const repetitive = fc
  .array(
    fc.oneof(
      fc.record({ from: fc.nat(), length: fc.integer({ min: 1, max: 600 }) }),
      fc.uint8Array({ maxLength: 40 }),
      fc.record({ byte: fc.nat(255), times: fc.integer({ min: 1, max: 3000 }) }),
    ),
    { maxLength: 60 },
  )
  .map((parts) => {
    let text = Buffer.from('begin');
    for (const part of parts) {
      if (part instanceof Uint8Array) text = Buffer.concat([text, part]);
      else if ('byte' in part) text = Buffer.concat([text, Buffer.alloc(part.times, part.byte)]);
      else {
        const from = part.from % text.length;
        text = Buffer.concat([text, text.subarray(from, from + part.length)]);
      }
    }
    return text;
  });
const anything = fc.oneof(repetitive, fc.uint8Array({ maxLength: 5000 }), fc.uint8Array({ maxLength: 8 }));

test('whatever is deflated inflates to the same', () => {
  fc.assert(
    fc.property(anything, (bytes) => {
      expect(Buffer.compare(inflated(deflater.deflate(bytes)), bytes)).toBe(0);
    }),
    { numRuns: 1000 },
  );
});

test('runs can be put one after the other, and the same bytes give the same run whatever came before', () => {
  fc.assert(
    fc.property(anything, anything, (one, two) => {
      const first = deflater.deflate(one);
      const second = deflater.deflate(two);
      expect(Buffer.compare(inflated(first, second), Buffer.concat([one, two]))).toBe(0);
      expect(deflater.deflate(one)).toEqual(first);
    }),
    { numRuns: 200 },
  );
});

test('what lies in its input already is not overwritten, and not what lies behind it', () => {
  const bytes = deflater.input.subarray(0, deflater.input.write('a word and a word and a word'));
  const before = Buffer.from(deflater.input);
  expect(inflated(deflater.deflate(bytes)).toString()).toBe('a word and a word and a word');
  expect(Buffer.compare(deflater.input, before)).toBe(0);
});

describe('sizes around those that matter', () => {
  const MATCH_MAX = 258;
  const WINDOW = 32 * 1024;
  const INPUT = 64 * 1024;
  const lengths = [0, 1, 2, 3, 4, 5, 15, 16, 17, INPUT - 1, INPUT, INPUT + 1, 3 * INPUT + 7];
  for (const times of [1, 2, 3]) for (let by = -2; by <= 5; by++) lengths.push(times * MATCH_MAX + by);

  test.each(lengths)('%i bytes that are all the same', (length) => {
    const bytes = Buffer.alloc(length, 'x');
    expect(Buffer.compare(inflated(deflater.deflate(bytes)), bytes)).toBe(0);
  });

  test.each([-2, -1, 0, 1, 2])('a text that comes again after a window and %i bytes', (by) => {
    const text = 'a text with some letters';
    const bytes = Buffer.from(text + noise(WINDOW + by - text.length).toString('latin1') + text, 'latin1');
    expect(Buffer.compare(inflated(deflater.deflate(bytes)), bytes)).toBe(0);
  });

  test('more than there is room for at a time, and nothing in it that comes again', () => {
    const bytes = noise(7 * INPUT + 1);
    expect(Buffer.compare(inflated(deflater.deflate(bytes)), bytes)).toBe(0);
  });

  test('more tokens than there is room for at a time', () => {
    const bytes = noise(INPUT);
    const run = deflater.deflate(bytes);
    expect(Buffer.compare(inflated(run), bytes)).toBe(0);
    expect(run.length).toBeLessThan(INPUT * 1.02);
  });
});

test('lines of a log become no larger than zlib at its fastest makes them', () => {
  const lines = Array.from(
    { length: 400 },
    (_, i) =>
      `192.0.2.${i % 250} - - [17/May/2024:10:00:${i % 60} +0000] "GET /items/${i * 7} HTTP/1.1" 200 ${i * 31}`,
  );
  const bytes = Buffer.from(lines.join('\n'));
  const zlib = deflateRawSync(bytes, { level: 1 });
  expect(deflater.deflate(bytes).length).toBeLessThan(zlib.length * 1.02);
});

describe('codes', () => {
  const counts = fc.array(fc.oneof(fc.constant(0), fc.nat(20), fc.nat(2 ** 20)), {
    minLength: 2,
    maxLength: 286,
  });
  /** Each as rare as the two before it together: the deepest tree of all. */
  const fibonacci = [1, 1];
  while (fibonacci.length < 40) fibonacci.push(fibonacci.at(-1)! + fibonacci.at(-2)!);

  function codeOf(list: readonly number[], longest: number): PrefixCode {
    const code = new PrefixCode(list.length, longest);
    // What was built before must leave no trace.
    code.build(list.map((_, symbol) => symbol + 1));
    code.build(list);
    return code;
  }

  function isComplete(lengths: Uint8Array): boolean {
    return lengths.reduce((sum, length) => sum + (length === 0 ? 0 : 2 ** -length), 0) === 1;
  }

  test('no length is beyond the longest, what occurs more is no longer, and no code is left over', () => {
    fc.assert(
      fc.property(
        fc.oneof(counts, fc.constant(fibonacci)),
        fc.integer({ min: 9, max: 15 }),
        (list, longest) => {
          const { lengths } = codeOf(list, longest);
          const used = list.flatMap((count, symbol) => (count > 0 ? [symbol] : []));
          expect(
            lengths.every((length, symbol) => length > 0 === list[symbol]! > 0 && length <= longest),
          ).toBe(true);
          if (used.length > 1) expect(isComplete(lengths)).toBe(true);
          used.sort((a, b) => list[a]! - list[b]!);
          for (let i = 1; i < used.length; i++) {
            if (list[used[i]!]! === list[used[i - 1]!]!) continue;
            expect(lengths[used[i]!]!).toBeLessThanOrEqual(lengths[used[i - 1]!]!);
          }
        },
      ),
    );
  });

  test('without a limit that matters they take as few bits as is possible', () => {
    const bits = (list: readonly number[], longest: number): number =>
      codeOf(list, longest).lengths.reduce((sum, length, symbol) => sum + length * list[symbol]!, 0);
    // The example of RFC 1951, 3.2.2, with counts that give its lengths.
    expect([...codeOf([2, 2, 2, 2, 2, 4, 1, 1], 15).lengths]).toEqual([3, 3, 3, 3, 3, 2, 4, 4]);
    expect(bits([5, 9, 12, 13, 16, 45], 15)).toBe(224);
    expect(bits(fibonacci.slice(0, 10), 9)).toBe(bits(fibonacci.slice(0, 10), 15));
  });

  test('the canonical codes are those of the example of RFC 1951, 3.2.2', () => {
    const { codes, lengths } = codeOf([2, 2, 2, 2, 2, 4, 1, 1], 15);
    const written = [...codes].map((code, i) =>
      code.toString(2).padStart(lengths[i]!, '0').split('').reverse().join(''),
    );
    expect(written).toEqual(['010', '011', '100', '101', '110', '00', '1110', '1111']);
  });
});

function noise(length: number): Buffer {
  let state = 1;
  return Buffer.from(
    Uint8Array.from({ length }, () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) >>> 24),
  );
}
