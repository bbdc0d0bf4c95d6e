import { WireError } from '../wire-error.ts';
import { BoundedOutput } from './bounded-output.ts';

/** LZ4 frame format 1.6: https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md */
const MAGIC = 0x184d2204;
const SKIPPABLE = 0x184d2a50;
const BLOCK_BYTES_MAX: readonly number[] = [0, 0, 0, 0, 64 * 1024, 256 * 1024, 1 << 20, 4 << 20];
/** How far back a copy reaches. */
const WINDOW = 65_535;

/**
 * Decompresses LZ4 frames, one after another. Checksums are passed over: what they protect is checked when it is read.
 * Throws WireError.
 */
export function uncompressLz4(input: Uint8Array, maxBytes: number): Buffer {
  const bytes = Buffer.from(input.buffer, input.byteOffset, input.byteLength);
  const output = new BoundedOutput(maxBytes, bytes.length * 6);
  let at = 0;
  if (bytes.length === 0) throw new WireError('no LZ4 frame', 0);
  while (at < bytes.length) {
    const magic = number(bytes, at);
    // The last hexadecimal digit is the user's.
    if (magic - (magic % 16) === SKIPPABLE) at = passed(bytes, at + 8, number(bytes, at + 4));
    else if (magic === MAGIC) at = frame(bytes, at + 4, output);
    else throw new WireError('not an LZ4 frame', at);
  }
  return output.finish();
}

function frame(bytes: Buffer, start: number, output: BoundedOutput): number {
  const flags = byteAt(bytes, start);
  const kind = byteAt(bytes, start + 1);
  if (flags >> 6 !== 1) throw new WireError(`LZ4 frame of version ${flags >> 6}`, start);
  if ((flags & 1) === 1) throw new WireError('LZ4 frame that needs a dictionary', start);
  const blockMax = BLOCK_BYTES_MAX[(kind >> 4) & 7]!;
  if (blockMax === 0) throw new WireError('LZ4 frame with an unknown size of blocks', start + 1);
  const hasBlockChecksum = (flags & 0x10) !== 0;
  const areIndependent = (flags & 0x20) !== 0;
  const frameStart = output.length;
  let at = start + 3 + ((flags & 8) === 0 ? 0 : 8);
  for (;;) {
    const size = number(bytes, at);
    at += 4;
    if (size === 0) break;
    const isPlain = size >= 2 ** 31;
    const end = passed(bytes, at, isPlain ? size - 2 ** 31 : size);
    if (end - at > blockMax) throw new WireError(`LZ4 block of ${end - at} bytes, at most ${blockMax}`, at);
    const blockStart = output.length;
    if (isPlain) output.raw(bytes.subarray(at, end));
    else block(bytes, at, end, output, areIndependent ? blockStart : frameStart);
    if (output.length - blockStart > blockMax)
      throw new WireError(`LZ4 block that becomes more than ${blockMax} bytes`, at);
    at = hasBlockChecksum ? passed(bytes, end, 4) : end;
  }
  return (flags & 4) === 0 ? at : passed(bytes, at, 4);
}

/** A run of literals and a copy, again and again; the last has no copy. */
function block(bytes: Buffer, start: number, end: number, output: BoundedOutput, from: number): void {
  let at = start;
  const more = (first: number): number => {
    let length = first;
    for (let byte = 255; first === 15 && byte === 255; length += byte) {
      if (at >= end) throw new WireError('truncated LZ4 length', at);
      byte = bytes[at++]!;
    }
    return length;
  };
  for (;;) {
    if (at >= end) throw new WireError('truncated LZ4 block', at);
    const token = bytes[at++]!;
    const literals = more(token >> 4);
    if (literals > end - at) throw new WireError('truncated LZ4 literals', at);
    output.raw(bytes.subarray(at, at + literals));
    at += literals;
    if (at === end) return;
    if (end - at < 2) throw new WireError('truncated LZ4 copy', at);
    const offset = bytes.readUInt16LE(at);
    at += 2;
    const length = more(token & 15) + 4;
    output.copyBack(offset, length, Math.max(from, output.length - WINDOW), at);
  }
}

function passed(bytes: Buffer, at: number, count: number): number {
  if (count > bytes.length - at) throw new WireError('truncated LZ4 frame', at);
  return at + count;
}

function byteAt(bytes: Buffer, at: number): number {
  passed(bytes, at, 1);
  return bytes[at]!;
}

function number(bytes: Buffer, at: number): number {
  passed(bytes, at, 4);
  return bytes.readUInt32LE(at);
}
