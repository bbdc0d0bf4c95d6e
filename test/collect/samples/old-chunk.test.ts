import { expect, test } from 'vitest';
import { unpackSamples } from '../../../src/collect/samples/old-chunk.ts';
import { fc } from '../../fuzz.ts';
import { packOldSamples } from './pack-old-samples.ts';

const value = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double(),
  fc.constantFrom(null, NaN, -0, 0, Infinity, -Infinity, 125, -126, 126, 0.1),
);
const samples = fc.array(fc.tuple(fc.nat({ max: 4_000_000 }), value), { minLength: 1, maxLength: 200 });

test('what an older store packed is unpacked, bit for bit, stale markers and odd steps included', () => {
  fc.assert(
    fc.property(samples, (content) => {
      let time = 1_700_000_000_000;
      const times = content.map(([step]) => (time += step));
      const values = content.map(([, one]) => one);
      const unpacked: [number, number | null][] = [];
      unpackSamples(packOldSamples({ times, values }), (at, one) => unpacked.push([at, one]));
      expect(unpacked).toEqual(times.map((at, i) => [at, values[i]]));
    }),
  );
});
