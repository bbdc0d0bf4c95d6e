import zlib from 'node:zlib';

/*
 * A block is a run of records of one stream, as stored: the `log_records` fields (tag, length, LogRecord) as they came.
 * Event times of one block lie in one hour of the clock, so a query for a range of time knows which blocks it may skip
 * without reading them.
 *
 * Most blocks do not hold their records: the request's body is stored as it came, compressed by its sender, and its
 * blocks say which parts of it are theirs (body-parts.ts). A block's body is the one with the lowest number that is not
 * lower than the block's own. What came uncompressed, or in a small request, is compressed here, block by block.
 */

export const BLOCK_SPAN_MS = 3_600_000;

export const PLAIN = 0;
export const DEFLATE = 1;
export const IN_BODY = 2;
export type BlockEncoding = typeof PLAIN | typeof DEFLATE | typeof IN_BODY;

const COMPRESS_FROM_BYTES = 512;
/** Largest block that is read back: a damaged store must not take the memory. */
const BLOCK_BYTES_MAX = 256 * 1024 * 1024;

export function compressBlock(bytes: Uint8Array): {
  readonly encoding: BlockEncoding;
  readonly bytes: Uint8Array;
} {
  if (bytes.length < COMPRESS_FROM_BYTES) return { encoding: PLAIN, bytes };
  return { encoding: DEFLATE, bytes: zlib.deflateRawSync(bytes, { level: 1, memLevel: 9 }) };
}

/** The content of a block that is not in a body. */
export function decompressBlock(encoding: number, bytes: Uint8Array): Buffer {
  if (encoding === PLAIN) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (encoding === DEFLATE) return zlib.inflateRawSync(bytes, { maxOutputLength: BLOCK_BYTES_MAX });
  throw new Error(`record block with unknown encoding ${encoding}`);
}
