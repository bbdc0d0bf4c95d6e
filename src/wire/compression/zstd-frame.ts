import { WireError } from '../wire-error.ts';
import { BoundedOutput } from './bounded-output.ts';
import { BLOCK_BYTES_MAX, type HuffmanTable, readLiterals } from './zstd-literals.ts';
import { type Codes, runSequences } from './zstd-sequences.ts';

/** Zstandard, RFC 8878. */
const MAGIC = 0xfd2fb528;
const SKIPPABLE = 0x184d2a50;

/**
 * Decompresses Zstandard frames, one after another. Our own, because the library that reads our compressed files trusts
 * what it reads: a few bytes keep it busy for hours. Checksums are passed over: what they protect is checked when it is
 * read. Throws WireError.
 */
export function uncompressZstd(input: Uint8Array, maxBytes: number): Buffer {
  const bytes = Buffer.from(input.buffer, input.byteOffset, input.byteLength);
  const output = new BoundedOutput(maxBytes, bytes.length * 8);
  if (bytes.length === 0) throw new WireError('no Zstandard frame', 0);
  let at = 0;
  while (at < bytes.length) {
    const magic = little(bytes, at, 4);
    // The last hexadecimal digit is the user's.
    if (magic - (magic % 16) === SKIPPABLE) at = passed(bytes, at + 8, little(bytes, at + 4, 4));
    else if (magic === MAGIC) at = frame(bytes, at + 4, output);
    else throw new WireError('not a Zstandard frame', at);
  }
  return output.finish();
}

function frame(bytes: Buffer, start: number, output: BoundedOutput): number {
  const descriptor = little(bytes, start, 1);
  if ((descriptor & 8) !== 0) throw new WireError('damaged Zstandard frame', start);
  const isSingle = (descriptor & 0x20) !== 0;
  const idBytes = [0, 1, 2, 4][descriptor & 3]!;
  const sizeBytes = [isSingle ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
  const idAt = start + (isSingle ? 1 : 2);
  if (idBytes > 0 && little(bytes, idAt, idBytes) !== 0)
    throw new WireError('Zstandard frame that needs a dictionary', start);
  let at = passed(bytes, idAt, idBytes + sizeBytes);
  const blocks = new Blocks(bytes, output);
  for (let isLast = false; !isLast;) {
    const head = little(bytes, at, 3);
    isLast = (head & 1) === 1;
    at = blocks.block((head >> 1) & 3, at + 3, head >> 3);
  }
  return (descriptor & 4) === 0 ? at : passed(bytes, at, 4);
}

/** The blocks of one frame, each of which may refer to those before. */
class Blocks {
  readonly #bytes: Buffer;
  readonly #output: BoundedOutput;
  readonly #from: number;
  readonly #recent: [number, number, number] = [1, 4, 8];
  #huffman: HuffmanTable | undefined;
  #codes: Codes | undefined;

  constructor(bytes: Buffer, output: BoundedOutput) {
    this.#bytes = bytes;
    this.#output = output;
    this.#from = output.length;
  }

  /** Gives where it ends. */
  block(kind: number, start: number, size: number): number {
    if (size > BLOCK_BYTES_MAX) throw new WireError(`Zstandard block of ${size} bytes`, start);
    const bytes = this.#bytes;
    const end = passed(bytes, start, kind === 1 ? 1 : size);
    if (kind === 0) this.#output.raw(bytes.subarray(start, end));
    else if (kind === 1) this.#output.repeat(bytes[start]!, size);
    else if (kind === 2) this.#compressed(start, end);
    else throw new WireError('damaged Zstandard block', start);
    return end;
  }

  #compressed(start: number, end: number): void {
    const { bytes, huffman, next } = readLiterals(this.#bytes, start, end, this.#huffman);
    this.#huffman = huffman;
    this.#codes = runSequences({
      bytes: this.#bytes,
      start: next,
      end,
      literals: bytes,
      before: this.#codes,
      recent: this.#recent,
      output: this.#output,
      from: this.#from,
    });
  }
}

function passed(bytes: Buffer, at: number, count: number): number {
  if (count > bytes.length - at) throw new WireError('truncated Zstandard frame', at);
  return at + count;
}

function little(bytes: Buffer, at: number, count: number): number {
  passed(bytes, at, count);
  return bytes.readUIntLE(at, count);
}
