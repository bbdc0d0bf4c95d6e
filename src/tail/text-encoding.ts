import type { SourceSpec } from './source-spec.ts';

/**
 * How a file's bytes become UTF-8. Offsets are always those of the file's own bytes; `rawLength` leads back from
 * UTF-8. Where the file is UTF-8 (or close to it: what is invalid passes unchanged) nothing is copied.
 */
export interface TextEncoding {
  readonly name: 'utf-8' | 'latin1' | 'utf-16le' | 'utf-16be';
  /** Neither a mark nor the configuration says so, but how the zeros lie in the file's first bytes. */
  readonly isGuess?: boolean;
  /** Bytes of a byte order mark at the file's start, to be left out. */
  readonly markBytes: number;
  /** Text is what stands in the file: decoding changes nothing. */
  readonly asIs: boolean;
  /** Bytes of a unit: reads and cuts happen at multiples of it. */
  readonly unit: 1 | 2;
  /** One past the last newline in `raw[from … to]`, or -1. */
  afterLastNewline(raw: Buffer, from: number, to: number): number;
  /** One past the first newline in `raw[from … to]`, or -1. */
  afterFirstNewline(raw: Buffer, from: number, to: number): number;
  /** The end of what is whole in `raw[from … to]`, which was cut anywhere at a unit. */
  wholeEnd(raw: Buffer, from: number, to: number): number;
  decode(raw: Buffer): Buffer;
  /** How many of the file's bytes the UTF-8 bytes `text` came from. */
  rawLength(text: Buffer): number;
}

const NEWLINE = 10;

/** A byte order mark rules over what was configured, and so do bytes that can only be those of UTF-16. */
export function encodingOf(configured: SourceSpec['encoding'], head: Buffer): TextEncoding {
  if (head.length >= 2 && head[0] === 0xff && head[1] === 0xfe) return utf16('little', 2);
  if (head.length >= 2 && head[0] === 0xfe && head[1] === 0xff) return utf16('big', 2);
  if (head.length >= 3 && head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf)
    return { ...utf8, markBytes: 3 };
  const zeros = countZeros(head);
  if (configured === 'utf-16') {
    const isBig = zeros.big > zeros.little;
    return { ...utf16(isBig ? 'big' : 'little', 0), isGuess: isBig };
  }
  const order = byteOrderOf(zeros);
  if (order !== undefined) return { ...utf16(order, 0), isGuess: true };
  return configured === 'latin1' ? latin1 : utf8;
}

export function hasMark(head: Buffer): boolean {
  const [a, b, c] = head;
  return (a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff) || (a === 0xef && b === 0xbb && c === 0xbf);
}

/** Of a file that begins in UTF-16 without a mark, so many of its characters are of the first 256, */
const LATIN_PART_MIN = 0.5;
/** and at most so many look so in the other order. */
const OTHER_PART_MAX = 0.1;

/** Units of two bytes, and those of which only the first or only the second byte is 0. */
interface Zeros {
  readonly units: number;
  readonly big: number;
  readonly little: number;
}

/** Two zeros say nothing: a hole in a file is full of them. */
function countZeros(head: Buffer): Zeros {
  const zeros = { units: 0, big: 0, little: 0 };
  for (let at = 0; at + 1 < head.length; at += 2) {
    const first = head[at] === 0;
    const second = head[at + 1] === 0;
    if (first && second) continue;
    zeros.units++;
    if (first) zeros.big++;
    if (second) zeros.little++;
  }
  return zeros;
}

/**
 * The order of bytes, where the text can hardly be anything but UTF-16: most of its characters (letters, spaces, line
 * ends) have one byte that is 0, always the same one of two.
 */
function byteOrderOf({ units, big, little }: Zeros): 'little' | 'big' | undefined {
  if (units < 2) return undefined;
  if (big >= units * LATIN_PART_MIN && little <= units * OTHER_PART_MAX) return 'big';
  if (little >= units * LATIN_PART_MIN && big <= units * OTHER_PART_MAX) return 'little';
  return undefined;
}

const bytewise = {
  markBytes: 0,
  unit: 1 as const,
  wholeEnd: (_: Buffer, __: number, to: number): number => to,
  afterLastNewline(raw: Buffer, from: number, to: number): number {
    const at = raw.lastIndexOf(NEWLINE, to - 1);
    return to > from && at >= from ? at + 1 : -1;
  },
  afterFirstNewline(raw: Buffer, from: number, to: number): number {
    const at = raw.subarray(from, to).indexOf(NEWLINE);
    return at === -1 ? -1 : from + at + 1;
  },
};

const utf8: TextEncoding = {
  ...bytewise,
  name: 'utf-8',
  asIs: true,
  wholeEnd(raw, from, to) {
    for (let at = to - 1; at >= Math.max(from, to - 3); at--) {
      const byte = raw[at]!;
      if (byte >> 6 === 0b10) continue;
      const length = byte < 0xc0 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
      return at + length > to ? at : to;
    }
    return to;
  },
  decode: (raw) => raw,
  rawLength: (text) => text.length,
};

const latin1: TextEncoding = {
  ...bytewise,
  name: 'latin1',
  asIs: false,
  decode: (raw) => Buffer.from(raw.toString('latin1'), 'utf8'),
  rawLength: (text) => text.toString('utf8').length,
};

function utf16(order: 'little' | 'big', markBytes: number): TextEncoding {
  const low = order === 'little' ? 0 : 1;
  const isNewline = (raw: Buffer, at: number): boolean =>
    raw[at + low] === NEWLINE && raw[at + 1 - low] === 0;
  return {
    name: order === 'little' ? 'utf-16le' : 'utf-16be',
    markBytes,
    asIs: false,
    unit: 2,
    // Not behind the first half of a pair.
    wholeEnd: (raw, from, to) => (to - 2 >= from && raw[to - 1 - low]! >> 2 === 0b110110 ? to - 2 : to),
    afterLastNewline(raw, from, to) {
      for (let at = from + ((to - from) & ~1) - 2; at >= from; at -= 2) if (isNewline(raw, at)) return at + 2;
      return -1;
    },
    afterFirstNewline(raw, from, to) {
      for (let at = from; at + 1 < to; at += 2) if (isNewline(raw, at)) return at + 2;
      return -1;
    },
    decode: (raw) =>
      Buffer.from((order === 'little' ? raw : Buffer.from(raw).swap16()).toString('utf16le'), 'utf8'),
    rawLength: (text) => text.toString('utf8').length * 2,
  };
}
