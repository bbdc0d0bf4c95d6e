import { WireError } from '../wire-error.ts';
import type { BoundedOutput } from './bounded-output.ts';
import { BackwardBits } from './zstd-bits.ts';
import { type FseTable, FseState, fseTable, oneSymbol, readFseTable } from './zstd-fse.ts';
import { BLOCK_BYTES_MAX } from './zstd-literals.ts';

/** Of lengths of literals, offsets and lengths of copies, in the order of the format. */
export type Codes = readonly [literals: FseTable, offsets: FseTable, copies: FseTable];

const ones = (count: number): number[] => Array.from({ length: count }, () => 1);
const rare = (count: number): number[] => Array.from({ length: count }, () => -1);
const twos = (count: number): number[] => Array.from({ length: count }, () => 2);

const USUAL: Codes = [
  fseTable([4, 3, ...twos(11), 1, 1, 1, ...twos(9), 3, 2, ...ones(5), ...rare(4)], 6),
  fseTable([...ones(6), 2, 2, 2, ...ones(15), ...rare(5)], 5),
  fseTable([1, 4, 3, ...twos(6), ...ones(37), ...rare(7)], 6),
];
const LIMITS = [
  { accuracy: 9, symbols: 36 },
  { accuracy: 8, symbols: 32 },
  { accuracy: 9, symbols: 53 },
] as const;

const LITERAL_BITS = [...zeros(16), 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
const COPY_BITS = [...zeros(32), 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
const LITERAL_BASES = bases(LITERAL_BITS, 0);
const COPY_BASES = bases(COPY_BITS, 3);

function zeros(count: number): number[] {
  return Array.from({ length: count }, () => 0);
}

/** Each code goes on where the one before ends. */
function bases(bits: readonly number[], first: number): number[] {
  let next = first;
  return bits.map((count) => {
    const base = next;
    next += 2 ** count;
    return base;
  });
}

/** The copies of a block: puts literals and copies out in turn. Gives the codes for the blocks after. Throws WireError. */
export function runSequences(options: {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly literals: Uint8Array;
  readonly before: Codes | undefined;
  /** The last three offsets; changed. */
  readonly recent: [number, number, number];
  readonly output: BoundedOutput;
  /** Where the frame's output begins. */
  readonly from: number;
}): Codes | undefined {
  const { bytes, start, end, literals, before, recent, output, from } = options;
  const { count, next } = readCount(bytes, start, end);
  if (count === 0) {
    if (next !== end) throw new WireError('Zstandard block with more than its literals', next);
    output.raw(literals);
    return before;
  }
  const { codes, at } = readCodes(bytes, next, end, before);
  const bits = new BackwardBits(bytes, at, end);
  const [literalState, offsetState, copyState] = codes.map((code) => new FseState(code, bits)) as [
    FseState,
    FseState,
    FseState,
  ];
  const blockStart = output.length;
  let used = 0;
  for (let i = 0; i < count; i++) {
    const offsetCode = offsetState.symbol;
    const offsetValue = 2 ** offsetCode + bits.readMany(offsetCode);
    const copyCode = copyState.symbol;
    const copied = COPY_BASES[copyCode]! + bits.read(COPY_BITS[copyCode]!);
    const literalCode = literalState.symbol;
    const plain = LITERAL_BASES[literalCode]! + bits.read(LITERAL_BITS[literalCode]!);
    if (plain > literals.length - used || bits.left < 0)
      throw new WireError('damaged Zstandard sequence', at);
    if (output.length - blockStart + plain + copied > BLOCK_BYTES_MAX)
      throw new WireError(`Zstandard block that becomes more than ${BLOCK_BYTES_MAX} bytes`, at);
    output.raw(literals.subarray(used, used + plain));
    used += plain;
    output.copyBack(offsetOf(offsetValue, plain, recent), copied, from, at);
    if (i === count - 1) break;
    literalState.advance(bits);
    copyState.advance(bits);
    offsetState.advance(bits);
  }
  bits.end(at);
  output.raw(literals.subarray(used));
  return codes;
}

/** Values up to 3 name one of the last offsets; after a copy without literals the latest cannot be meant. */
function offsetOf(value: number, literals: number, recent: [number, number, number]): number {
  const [first, second, third] = recent;
  const which = value > 3 ? 4 : value - 1 + (literals === 0 ? 1 : 0);
  if (which === 0) return first;
  const offset = which === 4 ? value - 3 : which === 3 ? first - 1 : which === 2 ? third : second;
  recent[2] = which === 1 ? third : second;
  recent[1] = first;
  recent[0] = offset;
  return offset;
}

function readCount(bytes: Uint8Array, start: number, end: number): { count: number; next: number } {
  const first = bytes[start] ?? 0;
  const size = first < 128 ? 1 : first < 255 ? 2 : 3;
  if (end - start < size) throw new WireError('truncated Zstandard sequences', start);
  const next = start + size;
  if (size === 1) return { count: first, next };
  if (size === 2) return { count: (first - 128) * 256 + bytes[start + 1]!, next };
  return { count: bytes[start + 1]! + bytes[start + 2]! * 256 + 0x7f00, next };
}

function readCodes(
  bytes: Uint8Array,
  start: number,
  end: number,
  before: Codes | undefined,
): { codes: Codes; at: number } {
  if (start >= end || (bytes[start]! & 3) !== 0) throw new WireError('damaged Zstandard sequences', start);
  const modes = bytes[start]!;
  let at = start + 1;
  const codes = [0, 1, 2].map((i) => {
    const mode = (modes >> (6 - i * 2)) & 3;
    if (mode === 0) return USUAL[i]!;
    if (mode === 3) {
      if (before === undefined) throw new WireError('Zstandard block without a code', at);
      return before[i]!;
    }
    if (mode === 2) {
      const { table, next } = readFseTable(bytes, at, end, LIMITS[i]!);
      at = next;
      return table;
    }
    const symbol = bytes[at];
    if (at >= end || symbol === undefined || symbol >= LIMITS[i]!.symbols)
      throw new WireError('damaged Zstandard sequences', at);
    at++;
    return oneSymbol(symbol);
  });
  return { codes: codes as unknown as Codes, at };
}
