import { crc32 } from 'node:zlib';
import type { RecordBlock } from '../model/slice.ts';
import { combineCrc32 } from './combine-crc32.ts';
import { threadDeflater } from './deflate/thread-deflater.ts';

/** Something that a body consists of: bytes as they are, or a block that was deflated when it was made. */
export type BodyPiece = Pick<RecordBlock, 'bytes' | 'deflated'>;

/**
 * One gzip member of pieces, in order. What is deflated already goes into it as it is: nothing is compressed twice,
 * and a repeat has the same bytes. What is not is deflated here, what lies between deflated pieces together.
 */
export function gzipBody(pieces: readonly BodyPiece[]): Buffer {
  const out: Uint8Array[] = [HEAD];
  let crc = 0;
  let size = 0;
  for (const { bytes, deflated } of joinPlain(pieces)) {
    const plainBytes = deflated?.plainBytes ?? bytes.length;
    crc = combineCrc32(crc, deflated?.crc ?? crc32(bytes), plainBytes);
    size += plainBytes;
    if (deflated !== undefined) out.push(bytes);
    else if (bytes.length <= STORED_MAX) out.push(storedHead(bytes.length), bytes);
    else out.push(threadDeflater().deflate(bytes));
  }
  out.push(END, tail(crc, size));
  return Buffer.concat(out);
}

/** A piece of a body, deflated by itself: for a body that is never in memory as a whole. */
export function deflatedPiece(bytes: Uint8Array): BodyPiece {
  return {
    bytes: threadDeflater().deflate(bytes),
    deflated: { plainBytes: bytes.length, crc: crc32(bytes) },
  };
}

/** Deflate, no name, no time, the fastest level, made on any system. */
const HEAD = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255);
/** A final block without content. */
const END = Uint8Array.of(3, 0);
/** What is shorter is not worth a deflate stream; the head of a group is. */
const STORED_MAX = 512;

/** A block of deflate that holds its bytes as they are. */
function storedHead(length: number): Uint8Array {
  return Uint8Array.of(0, length & 0xff, length >>> 8, ~length & 0xff, (~length >>> 8) & 0xff);
}

function tail(crc: number, size: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(crc, 0);
  bytes.writeUInt32LE(size % 2 ** 32, 4);
  return bytes;
}

function* joinPlain(pieces: readonly BodyPiece[]): Generator<BodyPiece> {
  let plain: Uint8Array[] = [];
  for (const piece of pieces) {
    if (piece.deflated === undefined) {
      plain.push(piece.bytes);
      continue;
    }
    if (plain.length > 0) yield { bytes: Buffer.concat(plain) };
    plain = [];
    yield piece;
  }
  if (plain.length > 0) yield { bytes: Buffer.concat(plain) };
}
