import { TooLargeError, WireError } from '../wire-error.ts';

/**
 * Decompresses a Snappy block. Our own and not snappyjs's, whose decoder can be sent backwards, and so into an
 * endless loop, by a literal that announces more than 2^31 bytes.
 */
export function uncompressBlock(input: Uint8Array, maxBytes: number): Uint8Array {
  const [size, start] = readSize(input);
  if (size > maxBytes)
    throw new TooLargeError(`Snappy block of ${size} bytes, at most ${maxBytes} are accepted`, 0);
  // No element of the format yields more than 64 bytes for three, so a larger claim is a lie told to make us allocate.
  if (size > input.length * 32)
    throw new WireError(`Snappy block claims ${size} bytes from ${input.length}`, 0);
  const output = new Uint8Array(size);
  let at = start;
  let filled = 0;
  while (at < input.length) {
    const tag = input[at]!;
    const element = (tag & 3) === 0 ? literalOf(input, at) : copyOf(input, at);
    at = element.next;
    if (filled + element.length > size)
      throw new WireError(`Snappy block holds more than the ${size} bytes it announced`, at);
    if (element.offset === 0) {
      if (at + element.length > input.length) throw new WireError('truncated Snappy literal', at);
      output.set(input.subarray(at, at + element.length), filled);
      at += element.length;
    } else {
      if (element.offset > filled) throw new WireError('Snappy copy from before the beginning', at);
      // Source and target may overlap: byte by byte is what the format means.
      for (let i = filled; i < filled + element.length; i++) output[i] = output[i - element.offset]!;
    }
    filled += element.length;
  }
  if (filled !== size)
    throw new WireError(`Snappy block holds ${filled} of the ${size} bytes it announced`, at);
  return output;
}

interface Element {
  readonly length: number;
  /** How far back a copy begins; 0 for a literal. */
  readonly offset: number;
  /** After the tag. */
  readonly next: number;
}

function readSize(input: Uint8Array): [size: number, next: number] {
  let size = 0;
  for (let i = 0; i < 5; i++) {
    const byte = input[i];
    if (byte === undefined) break;
    size += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return [size, i + 1];
  }
  throw new WireError('not a Snappy block: no length at its beginning', 0);
}

function literalOf(input: Uint8Array, at: number): Element {
  const code = input[at]! >>> 2;
  if (code < 60) return { length: code + 1, offset: 0, next: at + 1 };
  const bytes = code - 59;
  return { length: littleEndian(input, at + 1, bytes) + 1, offset: 0, next: at + 1 + bytes };
}

function copyOf(input: Uint8Array, at: number): Element {
  const tag = input[at]!;
  const bytes = [0, 1, 2, 4][tag & 3]!;
  const low = littleEndian(input, at + 1, bytes);
  const isShort = bytes === 1;
  const offset = isShort ? (tag >>> 5) * 256 + low : low;
  if (offset === 0) throw new WireError('Snappy copy from nowhere', at);
  return { length: isShort ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1, offset, next: at + 1 + bytes };
}

function littleEndian(input: Uint8Array, at: number, bytes: number): number {
  if (at + bytes > input.length) throw new WireError('truncated Snappy element', at);
  let value = 0;
  for (let i = bytes - 1; i >= 0; i--) value = value * 256 + input[at + i]!;
  return value;
}
