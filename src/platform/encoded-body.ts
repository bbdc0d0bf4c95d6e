import zlib from 'node:zlib';
import { uncompressLz4 } from '../wire/compression/lz4-frame.ts';
import { uncompressBlock } from '../wire/compression/snappy-block.ts';
import { uncompressSnappyFrames } from '../wire/compression/snappy-frame.ts';
import { uncompressZstd } from '../wire/compression/zstd-frame.ts';
import { TooLargeError } from '../wire/wire-error.ts';
import { HttpError } from './http-error.ts';

/** `snappy` is one block, as remote write sends it; `deflate` has zlib's frame, or none. */
export type BodyEncoding =
  'identity' | 'gzip' | 'deflate' | 'br' | 'zstd' | 'snappy' | 'x-snappy-framed' | 'lz4';

/** A request's body as it travelled. It may cross threads: who decompresses it need not be who received it. */
export interface EncodedBody {
  readonly bytes: Uint8Array;
  readonly encoding: BodyEncoding;
  /** Most bytes that it may become. */
  readonly inflatedBytesMax: number;
}

/** A body that was never compressed. */
export function plainBody(bytes: Uint8Array): EncodedBody {
  return { bytes, encoding: 'identity', inflatedBytesMax: bytes.length };
}

const CHUNK_MIN = 16 * 1024;
const CHUNK_MAX = 4 * 1024 * 1024;
/** Deflate makes no more of a byte. */
const DEFLATE_RATIO_MAX = 1032;

/** Gives the content of a body, at once. Throws HttpError: 400 where it is damaged, 413 where it becomes too large. */
export function decompressBody({ bytes, encoding, inflatedBytesMax }: EncodedBody): Buffer {
  const limits = { maxOutputLength: inflatedBytesMax, chunkSize: chunkSize(bytes, encoding) };
  try {
    switch (encoding) {
      case 'identity':
        return asBuffer(bytes);
      case 'gzip':
        return zlib.gunzipSync(bytes, limits);
      case 'deflate':
        return hasZlibFrame(bytes) ? zlib.inflateSync(bytes, limits) : zlib.inflateRawSync(bytes, limits);
      case 'br':
        return zlib.brotliDecompressSync(bytes, limits);
      case 'zstd':
        return uncompressZstd(bytes, inflatedBytesMax);
      case 'snappy':
        return asBuffer(uncompressBlock(bytes, inflatedBytesMax));
      case 'x-snappy-framed':
        return uncompressSnappyFrames(bytes, inflatedBytesMax);
      case 'lz4':
        return uncompressLz4(bytes, inflatedBytesMax);
    }
  } catch (cause) {
    if (isTooLarge(cause)) throw bodyTooLarge(inflatedBytesMax, 'decompressed body');
    throw new HttpError(400, `the body is not valid ${encoding}: ${(cause as Error).message}`, {}, { cause });
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function isTooLarge(error: unknown): boolean {
  return error instanceof TooLargeError || (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
}

/** RFC 1950: the method is 8, and the first two bytes are a multiple of 31. */
function hasZlibFrame(bytes: Uint8Array): boolean {
  const [first = 0, second = 0] = bytes;
  return (first & 15) === 8 && (first * 256 + second) % 31 === 0;
}

/** A piece of output costs a call, and several pieces a copy: one that holds all, as far as the body's word may be taken. */
function chunkSize(bytes: Uint8Array, encoding: BodyEncoding): number {
  const announced = encoding === 'gzip' ? announcedBytes(bytes) + 1 : 0;
  // Of several members the last may be small.
  const likely = announced > bytes.length ? announced : bytes.length * 8;
  return Math.min(CHUNK_MAX, bytes.length * DEFLATE_RATIO_MAX + CHUNK_MIN, Math.max(CHUNK_MIN, likely));
}

/** The last four bytes of gzip are the size of its content (of its last member). */
function announcedBytes(bytes: Uint8Array): number {
  if (bytes.length < 18) return 0;
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(bytes.length - 4, true);
}

export function bodyTooLarge(bytesMax: number, what: string): HttpError {
  return new HttpError(413, `the ${what} is larger than the limit of ${bytesMax} bytes`);
}
