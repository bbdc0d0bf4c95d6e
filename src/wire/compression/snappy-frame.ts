import { WireError } from '../wire-error.ts';
import { BoundedOutput } from './bounded-output.ts';
import { uncompressBlock } from './snappy-block.ts';

/** Snappy's framing format: https://github.com/google/snappy/blob/main/framing_format.txt */
const COMPRESSED = 0;
const PLAIN = 1;
/** From here on a reader that does not know a chunk passes over it. */
const SKIPPABLE = 0x80;
const IDENTIFIER = 0xff;
const STREAM_NAME = 'sNaPpY';
/** The most that a chunk holds. */
const CHUNK_BYTES_MAX = 65_536;

/**
 * Decompresses a framed Snappy stream. Checksums are passed over: what they protect is checked when it is read. Throws
 * WireError.
 */
export function uncompressSnappyFrames(input: Uint8Array, maxBytes: number): Buffer {
  const bytes = Buffer.from(input.buffer, input.byteOffset, input.byteLength);
  const output = new BoundedOutput(maxBytes, bytes.length * 6);
  if (bytes[0] !== IDENTIFIER)
    throw new WireError('not a framed Snappy stream: no identifier at its beginning', 0);
  let at = 0;
  while (at < bytes.length) {
    if (bytes.length - at < 4) throw new WireError('truncated Snappy chunk', at);
    const kind = bytes[at]!;
    const start = at + 4;
    const end = start + bytes.readUIntLE(at + 1, 3);
    if (end > bytes.length) throw new WireError('truncated Snappy chunk', at);
    if (kind === COMPRESSED || kind === PLAIN) {
      // A checksum comes first.
      if (end - start < 4) throw new WireError('Snappy chunk without a checksum', at);
      const content = bytes.subarray(start + 4, end);
      if (kind === PLAIN && content.length > CHUNK_BYTES_MAX)
        throw new WireError(`Snappy chunk of ${content.length} bytes, at most ${CHUNK_BYTES_MAX}`, at);
      output.raw(kind === PLAIN ? content : uncompressBlock(content, CHUNK_BYTES_MAX));
    } else if (kind === IDENTIFIER) {
      if (bytes.toString('latin1', start, end) !== STREAM_NAME)
        throw new WireError('not a framed Snappy stream', at);
    } else if (kind < SKIPPABLE) throw new WireError(`Snappy chunk of unknown kind ${kind}`, at);
    at = end;
  }
  return output.finish();
}
