import { WireError } from '../wire-error.ts';
import { BackwardBits } from './zstd-bits.ts';
import { FseState, readFseTable } from './zstd-fse.ts';

export interface HuffmanTable {
  readonly maxBits: number;
  /** By the next `maxBits` bits. */
  readonly symbols: Uint8Array;
  readonly bits: Uint8Array;
}

export interface Literals {
  readonly bytes: Uint8Array;
  /** For the blocks after. */
  readonly huffman: HuffmanTable | undefined;
  readonly next: number;
}

/** A block holds no more. */
export const BLOCK_BYTES_MAX = 128 * 1024;
const BITS_MAX = 11;

/** Reads the literals of a compressed block. Throws WireError. */
export function readLiterals(
  bytes: Uint8Array,
  start: number,
  end: number,
  before: HuffmanTable | undefined,
): Literals {
  const first = bytes[start] ?? 0;
  const kind = first & 3;
  const form = (first >> 2) & 3;
  const headBytes = kind < 2 ? (form === 1 ? 2 : form === 3 ? 3 : 1) : form < 2 ? 3 : form + 2;
  if (end - start < headBytes) throw new WireError('truncated Zstandard block', start);
  let head = 0;
  for (let i = headBytes - 1; i >= 0; i--) head = head * 256 + bytes[start + i]!;
  const at = start + headBytes;
  if (kind < 2) {
    const size = Math.floor(head / ((form & 1) === 0 ? 8 : 16));
    const taken = kind === 0 ? size : 1;
    check(size, taken, at, end);
    const literals = kind === 0 ? bytes.subarray(at, at + size) : new Uint8Array(size).fill(bytes[at]!);
    return { bytes: literals, huffman: before, next: at + taken };
  }
  const sizeBits = form < 2 ? 10 : form === 2 ? 14 : 18;
  const size = Math.floor(head / 16) % 2 ** sizeBits;
  const taken = Math.floor(head / 2 ** (4 + sizeBits));
  check(size, taken, at, end);
  const next = at + taken;
  const read = kind === 2 ? readHuffman(bytes, at, next) : { huffman: before, next: at };
  if (read.huffman === undefined) throw new WireError('Zstandard block without a code', at);
  const literals = new Uint8Array(size);
  if (form === 0) decode(bytes, read.next, next, read.huffman, literals);
  else decodeFour(bytes, read.next, next, read.huffman, literals);
  return { bytes: literals, huffman: read.huffman, next };
}

function check(size: number, taken: number, at: number, end: number): void {
  if (size > BLOCK_BYTES_MAX) throw new WireError(`Zstandard block with ${size} literals`, at);
  if (taken > end - at) throw new WireError('truncated Zstandard literals', at);
}

function decodeFour(
  bytes: Uint8Array,
  start: number,
  end: number,
  huffman: HuffmanTable,
  into: Uint8Array,
): void {
  if (end - start < 6) throw new WireError('truncated Zstandard literals', start);
  const share = (into.length + 3) >> 2;
  if (share * 3 > into.length) throw new WireError('damaged Zstandard literals', start);
  let at = start + 6;
  for (let i = 0; i < 4; i++) {
    const size = bytes[start + i * 2]! | (bytes[start + i * 2 + 1]! << 8);
    const stop = i === 3 ? end : at + size;
    if (stop > end) throw new WireError('truncated Zstandard literals', at);
    decode(bytes, at, stop, huffman, into.subarray(i * share, i === 3 ? into.length : (i + 1) * share));
    at = stop;
  }
}

function decode(
  bytes: Uint8Array,
  start: number,
  end: number,
  { maxBits, symbols, bits: sizes }: HuffmanTable,
  into: Uint8Array,
): void {
  const bits = new BackwardBits(bytes, start, end);
  for (let i = 0; i < into.length; i++) {
    const code = bits.peek(maxBits);
    into[i] = symbols[code]!;
    bits.left -= sizes[code]!;
  }
  bits.end(end);
}

function readHuffman(
  bytes: Uint8Array,
  start: number,
  end: number,
): { readonly huffman: HuffmanTable; readonly next: number } {
  if (start >= end) throw new WireError('truncated Zstandard code', start);
  const head = bytes[start]!;
  const at = start + 1;
  const next = at + (head < 128 ? head : (head - 126) >> 1);
  if (next > end) throw new WireError('truncated Zstandard code', start);
  const weights = head < 128 ? packedWeights(bytes, at, next) : plainWeights(bytes, at, head - 127);
  return { huffman: huffmanTable(weights, start), next };
}

function plainWeights(bytes: Uint8Array, at: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => {
    const pair = bytes[at + (i >> 1)]!;
    return (i & 1) === 0 ? pair >> 4 : pair & 15;
  });
}

/** Two states take turns until the bits are used up. */
function packedWeights(bytes: Uint8Array, start: number, end: number): number[] {
  const { table, next } = readFseTable(bytes, start, end, { accuracy: 6, symbols: 16 });
  const bits = new BackwardBits(bytes, next, end);
  let state = new FseState(table, bits);
  let other = new FseState(table, bits);
  const weights: number[] = [];
  while (weights.length < 255) {
    weights.push(state.symbol);
    state.advance(bits);
    [state, other] = [other, state];
    if (bits.left < 0) {
      weights.push(state.symbol);
      return weights;
    }
  }
  throw new WireError('Zstandard code of more than 255 symbols', start);
}

/** The last weight is not written: it is what is missing to a power of two. */
function huffmanTable(weights: readonly number[], at: number): HuffmanTable {
  let sum = 0;
  for (const weight of weights) sum += weight > 0 ? 2 ** (weight - 1) : 0;
  if (sum === 0) throw new WireError('damaged Zstandard code', at);
  const maxBits = 32 - Math.clz32(sum);
  const missing = 2 ** maxBits - sum;
  if (maxBits > BITS_MAX || (missing & (missing - 1)) !== 0 || weights.length > 255)
    throw new WireError('damaged Zstandard code', at);
  const all = [...weights, 32 - Math.clz32(missing)];
  const symbols = new Uint8Array(2 ** maxBits);
  const bits = new Uint8Array(2 ** maxBits);
  let code = 0;
  for (let weight = 1; weight <= maxBits; weight++) {
    for (const [symbol, its] of all.entries()) {
      if (its !== weight) continue;
      const width = 2 ** (weight - 1);
      symbols.fill(symbol, code, code + width);
      bits.fill(maxBits + 1 - weight, code, code + width);
      code += width;
    }
  }
  return { maxBits, symbols, bits };
}
