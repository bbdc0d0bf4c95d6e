import snappy from 'snappyjs';
import { expect, test } from 'vitest';
import { uncompressBlock } from '../../../src/wire/compression/snappy-block.ts';
import { WireError } from '../../../src/wire/wire-error.ts';
import { fc } from '../../fuzz.ts';

const content = fc
  .array(fc.oneof(fc.constantFrom('abc', 'http_requests_total', '\0\0\0\0'), fc.string({ maxLength: 90 })), {
    maxLength: 60,
  })
  .map((parts) => Buffer.from(parts.join('')));

test('what another encoder compressed comes back', () => {
  fc.assert(
    fc.property(content, (bytes) => {
      expect(Buffer.from(uncompressBlock(snappy.compress(bytes), 1e6)).equals(bytes)).toBe(true);
    }),
  );
});

test('each kind of element is read, and copies may overlap what they write', () => {
  // 12 bytes: a literal of two, a copy of four from two back, one of five from six back, a literal byte.
  const block = [12, 0x04, 0x61, 0x62, 0x01, 0x02, 0x12, 0x06, 0x00, 0x00, 0x7a];
  expect(Buffer.from(uncompressBlock(Uint8Array.from(block), 100)).toString()).toBe('abababababaz');
  const far = [6, 0x00, 0x78, 0x13, 0x01, 0x00, 0x00, 0x00];
  expect(Buffer.from(uncompressBlock(Uint8Array.from(far), 100)).toString()).toBe('xxxxxx');
});

test('bytes that somebody changed are refused, or give as many as they announce', () => {
  fc.assert(
    fc.property(content, fc.nat(), fc.integer({ min: 1, max: 255 }), (bytes, place, by) => {
      const block = Uint8Array.from(snappy.compress(bytes));
      block[place % block.length]! ^= by;
      try {
        expect(uncompressBlock(block, 1e6).length).toBeLessThanOrEqual(1e6);
      } catch (error) {
        expect(error).toBeInstanceOf(WireError);
      }
    }),
    { numRuns: 500 },
  );
});
