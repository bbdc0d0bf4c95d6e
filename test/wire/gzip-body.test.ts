import { crc32, gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { fc } from '../fuzz.ts';
import type { RecordBlock } from '../../src/model/slice.ts';
import { combineCrc32 } from '../../src/wire/combine-crc32.ts';
import { plainRecords } from '../../src/wire/deflated-block.ts';
import { deflatedPiece, gzipBody } from '../../src/wire/gzip-body.ts';
import { WireError } from '../../src/wire/wire-error.ts';

function deflatedBlock(bytes: Uint8Array): RecordBlock {
  return { count: 1, ...deflatedPiece(bytes) };
}

const bytes = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 2000 }),
  fc.string({ minLength: 1 }).map((text) => Buffer.from(text.repeat(500))),
);

test('a crc of two runs is made of theirs', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.uint8Array({ maxLength: 3000 }), (first, second) => {
      const combined = combineCrc32(crc32(first), crc32(second), second.length);
      expect(combined).toBe(crc32(Buffer.concat([first, second])));
    }),
  );
});

test('a body of pieces, deflated or not, in any order, is one gzip of all of them', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(bytes, fc.boolean()), { maxLength: 6 }), (runs) => {
      const pieces = runs.map(([run, deflated]) => (deflated ? deflatedBlock(run) : { bytes: run }));
      const whole = Buffer.concat(runs.map(([run]) => run));
      expect(gunzipSync(gzipBody(pieces))).toEqual(whole);
    }),
  );
});

test('what is deflated already is in the body as it is, and a repeat is the same', () => {
  const block = deflatedBlock(Buffer.from('a line of a log\n'.repeat(1000)));
  const pieces = [{ bytes: Buffer.from('head') }, block];
  const body = gzipBody(pieces);
  expect(body.includes(Buffer.from(block.bytes))).toBe(true);
  expect(gzipBody(pieces)).toEqual(body);
});

test('a block inflates to what it was', () => {
  fc.assert(
    fc.property(bytes, (run) => {
      expect(Buffer.from(plainRecords(deflatedBlock(run)))).toEqual(Buffer.from(run));
    }),
  );
});

test('a block that is not what it says is a WireError, and never becomes larger than it said', () => {
  const block = deflatedBlock(Buffer.alloc(100_000, 7));
  const shorter = { ...block, deflated: { plainBytes: 99_999, crc: 0 } };
  const longer = { ...block, deflated: { plainBytes: 100_001, crc: 0 } };
  const broken = { ...block, bytes: Buffer.from([0x07, 1, 2, 3]) };
  for (const wrong of [shorter, longer, broken]) expect(() => plainRecords(wrong)).toThrow(WireError);
});
