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
    const kind = tag & 3;
    if (kind === 0) {
      const code = tag >>> 2;
      const length = code < 60 ? code + 1 : littleEndian(input, at + 1, code - 59) + 1;
      at += code < 60 ? 1 : code - 58;
      if (filled + length > size) throw tooMuch(size, at);
      if (at + length > input.length) throw new WireError('truncated Snappy literal', at);
      // A call costs more than a few bytes one by one.
      if (length > 24) output.set(input.subarray(at, at + length), filled);
      else for (let i = 0; i < length; i++) output[filled + i] = input[at + i]!;
      at += length;
      filled += length;
      continue;
    }
    const low = littleEndian(input, at + 1, kind === 3 ? 4 : kind);
    const offset = kind === 1 ? (tag >>> 5) * 256 + low : low;
    const length = kind === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1;
    if (offset === 0) throw new WireError('Snappy copy from nowhere', at);
    at += kind === 3 ? 5 : kind + 1;
    if (filled + length > size) throw tooMuch(size, at);
    if (offset > filled) throw new WireError('Snappy copy from before the beginning', at);
    // Source and target may overlap: byte by byte is what the format means.
    for (const end = filled + length; filled < end; filled++) output[filled] = output[filled - offset]!;
  }
  if (filled !== size)
    throw new WireError(`Snappy block holds ${filled} of the ${size} bytes it announced`, at);
  return output;
}

function tooMuch(size: number, at: number): WireError {
  return new WireError(`Snappy block holds more than the ${size} bytes it announced`, at);
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

function littleEndian(input: Uint8Array, at: number, bytes: number): number {
  if (at + bytes > input.length) throw new WireError('truncated Snappy element', at);
  let value = 0;
  for (let i = bytes - 1; i >= 0; i--) value = value * 256 + input[at + i]!;
  return value;
}
