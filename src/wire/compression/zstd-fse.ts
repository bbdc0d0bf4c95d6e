import { WireError } from '../wire-error.ts';
import type { BackwardBits } from './zstd-bits.ts';

/** What each state of a finite state entropy code stands for, and where it leads. */
export interface FseTable {
  readonly accuracy: number;
  readonly symbols: Uint8Array;
  /** Bits to read for the next state, and what is added to them. */
  readonly bits: Uint8Array;
  readonly bases: Uint16Array;
}

/** `shares[s]`: how many states symbol s has; -1: less than one. */
export function fseTable(shares: ArrayLike<number>, accuracy: number): FseTable {
  const size = 1 << accuracy;
  const symbols = new Uint8Array(size);
  const next = new Uint16Array(shares.length);
  let high = size - 1;
  for (let symbol = 0; symbol < shares.length; symbol++) {
    next[symbol] = Math.abs(shares[symbol]!);
    if (shares[symbol] === -1) symbols[high--] = symbol;
  }
  const step = (size >> 1) + (size >> 3) + 3;
  let at = 0;
  for (let symbol = 0; symbol < shares.length; symbol++) {
    for (let i = 0; i < shares[symbol]!; i++) {
      symbols[at] = symbol;
      do at = (at + step) & (size - 1);
      while (at > high);
    }
  }
  const bits = new Uint8Array(size);
  const bases = new Uint16Array(size);
  for (let state = 0; state < size; state++) {
    const nth = next[symbols[state]!]!++;
    bits[state] = accuracy - (31 - Math.clz32(nth));
    bases[state] = (nth << bits[state]!) - size;
  }
  return { accuracy, symbols, bits, bases };
}

/** A code of one symbol, which costs no bits. */
export function oneSymbol(symbol: number): FseTable {
  const zero = Uint8Array.of(0);
  return { accuracy: 0, symbols: Uint8Array.of(symbol), bits: zero, bases: new Uint16Array(1) };
}

/** Reads a table's description; `next` is the byte behind it. Throws WireError. */
export function readFseTable(
  bytes: Uint8Array,
  start: number,
  end: number,
  limits: { readonly accuracy: number; readonly symbols: number },
): { readonly table: FseTable; readonly next: number } {
  let bitAt = start * 8;
  const read = (count: number): number => {
    const at = bitAt >> 3;
    const value = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16);
    const shifted = (value >>> (bitAt & 7)) & ((1 << count) - 1);
    bitAt += count;
    return shifted;
  };
  const accuracy = read(4) + 5;
  if (accuracy > limits.accuracy) throw new WireError(`Zstandard table of accuracy ${accuracy}`, start);
  const shares: number[] = [];
  let left = 1 << accuracy;
  while (left > 0 && shares.length < limits.symbols) {
    const count = 32 - Math.clz32(left + 1);
    const low = (1 << (count - 1)) - 1;
    const fewer = (1 << count) - 2 - left;
    let value = read(count);
    if ((value & low) < fewer) {
      bitAt--;
      value &= low;
    } else if (value > low) value -= fewer;
    const share = value - 1;
    left -= Math.abs(share);
    shares.push(share);
    if (share !== 0) continue;
    for (let zeros = 3; zeros === 3 && shares.length <= limits.symbols;) {
      zeros = read(2);
      for (let i = 0; i < zeros; i++) shares.push(0);
    }
  }
  const next = (bitAt + 7) >> 3;
  if (left !== 0 || shares.length > limits.symbols || next > end)
    throw new WireError('damaged Zstandard table', start);
  return { table: fseTable(shares, accuracy), next };
}

/** Where one is in a table. */
export class FseState {
  readonly #table: FseTable;
  #state: number;

  constructor(table: FseTable, bits: BackwardBits) {
    this.#table = table;
    this.#state = bits.read(table.accuracy);
  }

  get symbol(): number {
    return this.#table.symbols[this.#state]!;
  }

  advance(bits: BackwardBits): void {
    const { bits: counts, bases } = this.#table;
    this.#state = bases[this.#state]! + bits.read(counts[this.#state]!);
  }
}
