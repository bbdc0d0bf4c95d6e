import { expect, test } from 'vitest';
import { fc } from '../../fuzz.ts';
import { packSamples, unpackSamples } from '../../../src/collect/store/sample-chunk.ts';

const value = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double(),
  fc.constantFrom(null, NaN, -0, 0, Infinity, -Infinity, 125, -126, 126, 0.1),
);
const samples = fc.array(fc.tuple(fc.nat({ max: 4_000_000 }), value), { minLength: 1, maxLength: 200 });

test('what is packed is unpacked, bit for bit, stale markers and odd steps included', () => {
  fc.assert(
    fc.property(samples, (content) => {
      let time = 1_700_000_000_000;
      const times = content.map(([step]) => (time += step));
      const values = content.map(([, one]) => one);
      const unpacked: [number, number | null][] = [];
      unpackSamples(packSamples({ times, values }), (at, one) => unpacked.push([at, one]));
      expect(unpacked).toEqual(times.map((at, i) => [at, values[i]]));
    }),
  );
});

test('a regular counter takes about two bytes a sample', () => {
  const times = Array.from({ length: 240 }, (_, i) => 1_700_000_000_000 + i * 15_000);
  const values = times.map((_, i) => i * 17 + (i % 5));
  expect(packSamples({ times, values }).length).toBeLessThan(240 * 2 + 20);
});
