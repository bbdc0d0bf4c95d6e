import { expect, it } from 'vitest';
import { STRANGE, compileFind, countNewlines } from '../../src/wasm/byte-search.ts';
import { INPUT, scratch } from '../../src/wasm/scratch.ts';
import { fc } from '../fuzz.ts';

const bytes = (min: number, max: number) =>
  fc
    .array(fc.constantFrom('a', 'b', 'ab', 'aab', '\n'), { minLength: min, maxLength: max })
    .map((parts) => Buffer.from(parts.join('')));

it('finds what is there first, and nothing that lies partly outside', () => {
  let found = 0;
  fc.assert(
    fc.property(bytes(0, 80), bytes(3, 12), fc.nat(40), fc.nat(10), (given, needle, from, cut) => {
      const text = Buffer.concat([given, needle, given.subarray(0, 10)]);
      expect(scratch.load(text)).toBe(true);
      const to = Math.max(from, text.length - cut);
      const at = text.subarray(0, to).indexOf(needle, from);
      if (at >= 0) found++;
      expect(compileFind(needle)(INPUT + from, INPUT + to)).toBe(INPUT + (at < 0 ? to : at));
    }),
    { numRuns: 500 },
  );
  expect(found).toBeGreaterThan(100);
});

it('searches for no more than the beginning of what is very long', () => {
  const needle = Buffer.from(`${'x'.repeat(60)}y`);
  scratch.load(Buffer.from(`ab${'x'.repeat(70)}`));
  expect(compileFind(needle)(INPUT, INPUT + 72)).toBe(INPUT + 2);
});

it('counts newlines, and sees what is not plain ASCII', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('a', 'bcdef', '\n', '\n', '\x7f'), { maxLength: 100 }),
      fc.constantFrom('', '', 'é', '\0', '\x80'),
      fc.nat(100),
      fc.nat(40),
      (parts, strange, place, from) => {
        const text = Buffer.from(
          [...parts.slice(0, place), strange, ...parts.slice(place)].join(''),
          'latin1',
        );
        // What comes behind must not matter.
        scratch.load(Buffer.concat([text, Buffer.from('\n\n\x80\0')]));
        const start = Math.min(from, text.length);
        const rest = text.subarray(start);
        const count = countNewlines(INPUT + start, INPUT + text.length);
        expect(count).toBe(rest.filter((byte) => byte === 0x0a).length);
        expect(scratch.ints[STRANGE] !== 0).toBe(rest.some((byte) => byte === 0 || byte > 0x7f));
      },
    ),
    { numRuns: 500 },
  );
});
