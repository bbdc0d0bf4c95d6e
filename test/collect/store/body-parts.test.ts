import { expect, test } from 'vitest';
import { fc } from '../../fuzz.ts';
import { encodeParts, readParts } from '../../../src/collect/store/body-parts.ts';

const body = Buffer.from(Array.from({ length: 5000 }, (_, i) => i % 251));

test('the parts of a body are read back, in their order', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.nat({ max: body.length }), { minLength: 2, maxLength: 40 }),
      (positions) => {
        const parts = positions.toSorted((a, b) => a - b).slice(0, positions.length - (positions.length % 2));
        const pieces: Buffer[] = [];
        for (let i = 0; i < parts.length; i += 2) pieces.push(body.subarray(parts[i], parts[i + 1]));
        expect(readParts(body, encodeParts(parts)).equals(Buffer.concat(pieces))).toBe(true);
      },
    ),
  );
});

test('parts outside their body are refused', () => {
  expect(() => readParts(body.subarray(0, 100), encodeParts([10, 200]))).toThrow(
    'a record block ends at 200 of a body of 100 bytes: the store is damaged',
  );
});
