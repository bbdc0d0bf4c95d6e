import fc from 'fast-check';
import snappy from 'snappyjs';
import { expect, test } from 'vitest';
import { uncompressSnappyFrames } from '../../../src/wire/compression/snappy-frame.ts';
import { TooLargeError, WireError } from '../../../src/wire/wire-error.ts';
import { CONTENTS, LINES } from './fixtures.ts';

const MAX = 64 << 20;
const IDENTIFIER = Buffer.from('ff060000734e61507059', 'hex');

function chunk(kind: number, content: Uint8Array): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32LE(kind + content.length * 256);
  return Buffer.concat([head, content]);
}

/** As the format says, with a checksum of zeros: a reader of ours passes over it. */
function framed(content: Buffer): Buffer {
  const chunks: Uint8Array[] = [IDENTIFIER];
  for (let at = 0; at < content.length; at += 65_536) {
    const piece = content.subarray(at, at + 65_536);
    const packed = Buffer.from(snappy.compress(piece));
    const smaller = packed.length < piece.length;
    chunks.push(chunk(smaller ? 0 : 1, Buffer.concat([Buffer.alloc(4), smaller ? packed : piece])));
  }
  return Buffer.concat(chunks);
}

test.each(CONTENTS)('%s', (_, content) => {
  expect(uncompressSnappyFrames(framed(content), MAX).equals(content)).toBe(true);
});

test('streams one after another, padding, and chunks that may be passed over', () => {
  const body = Buffer.concat([
    framed(LINES),
    chunk(0xfe, Buffer.alloc(9)),
    chunk(0x80, LINES),
    framed(LINES),
  ]);
  expect(uncompressSnappyFrames(body, MAX).equals(Buffer.concat([LINES, LINES]))).toBe(true);
});

test('no more than is allowed comes out of a small body', () => {
  expect(() => uncompressSnappyFrames(framed(Buffer.alloc(20_000_000)), 10_000_000)).toThrow(TooLargeError);
});

test.each([
  ['nothing', Buffer.alloc(0)],
  ['a stream without its beginning', chunk(1, Buffer.from('....abc'))],
  ['another name', chunk(0xff, Buffer.from('sNaPpy'))],
  ['a chunk that must not be passed over', Buffer.concat([IDENTIFIER, chunk(2, Buffer.from('....abc'))])],
  ['a chunk without a checksum', Buffer.concat([IDENTIFIER, chunk(1, Buffer.from('abc'))])],
  ['a chunk that is too long', Buffer.concat([IDENTIFIER, chunk(1, Buffer.alloc(65_541))])],
  ['half a chunk', framed(LINES).subarray(0, 100)],
])('%s is refused', (_, body) => {
  expect(() => uncompressSnappyFrames(body, MAX)).toThrow(WireError);
});

test('damage is told, or gives other bytes; nothing else happens', () => {
  const good = framed(LINES.subarray(0, 5_000));
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.nat(255), (at, byte) => {
      const bad = Buffer.from(good);
      bad[at] = byte;
      try {
        expect(uncompressSnappyFrames(bad, MAX).length).toBeLessThanOrEqual(MAX);
      } catch (error) {
        expect(error).toBeInstanceOf(WireError);
      }
    }),
    { numRuns: 500 },
  );
});
