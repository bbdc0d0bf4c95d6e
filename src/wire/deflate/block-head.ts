import type { BitWriter } from './bit-writer.ts';
import { PrefixCode } from './prefix-code.ts';

/** Of literals and lengths, and of distances: at least so many are told. */
const LITERALS_MIN = 257;
const DISTANCES_MIN = 1;
const LENGTHS_MIN = 4;
const LONGEST = 7;
/** Beside the lengths themselves: the one before again, three zeros or more, and eleven zeros or more. */
const REPEAT = 16;
const ZEROS = 17;
const MANY_ZEROS = 18;
/** From each symbol on: how many bits follow it, and the least that it stands for. */
const EXTRA_BITS = Uint8Array.of(...Array<number>(REPEAT).fill(0), 2, 3, 7);
const STANDS_FOR = Uint8Array.of(...Array<number>(REPEAT).fill(1), 3, 3, 11);
/** The order in which the lengths of the codes for lengths are told. */
const ORDER = Uint8Array.of(16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15);

/** Writes the head of a block that has codes of its own, with how many bits each of them has: RFC 1951, 3.2.7. */
export class BlockHead {
  readonly #code = new PrefixCode(ORDER.length, LONGEST);
  readonly #counts = new Uint16Array(ORDER.length);
  /** The lengths of literals and, behind them, of distances. */
  readonly #lengths: Uint8Array;
  /** What stands for them, and what is in its extra bits. */
  readonly #symbols: Uint8Array;
  readonly #extras: Uint8Array;
  #count = 0;

  constructor(literals: number, distances: number) {
    this.#lengths = new Uint8Array(literals + distances);
    this.#symbols = new Uint8Array(literals + distances);
    this.#extras = new Uint8Array(literals + distances);
  }

  write(out: BitWriter, literals: Uint8Array, distances: Uint8Array): void {
    const literalCount = told(literals, LITERALS_MIN);
    const distanceCount = told(distances, DISTANCES_MIN);
    this.#lengths.set(literals);
    this.#lengths.set(distances, literalCount);
    this.#tell(literalCount + distanceCount);
    const { codes, lengths } = this.#code;
    let lengthCount = ORDER.length;
    while (lengthCount > LENGTHS_MIN && lengths[ORDER[lengthCount - 1]!] === 0) lengthCount--;
    // Not the last block, codes of its own.
    out.put(0b100, 3);
    out.put(literalCount - LITERALS_MIN, 5);
    out.put(distanceCount - DISTANCES_MIN, 5);
    out.put(lengthCount - LENGTHS_MIN, 4);
    for (let i = 0; i < lengthCount; i++) out.put(lengths[ORDER[i]!]!, 3);
    for (let i = 0; i < this.#count; i++) {
      const symbol = this.#symbols[i]!;
      out.put(codes[symbol]!, lengths[symbol]!);
      out.put(this.#extras[i]!, EXTRA_BITS[symbol]!);
    }
  }

  /** Runs of equal lengths become symbols, and those get a code. */
  #tell(count: number): void {
    const lengths = this.#lengths;
    this.#count = 0;
    this.#counts.fill(0);
    for (let at = 0; at < count;) {
      const length = lengths[at]!;
      const start = at;
      while (at < count && lengths[at] === length) at++;
      let left = at - start;
      if (length !== 0) left -= this.#put(length, 1);
      while (left > 0) left -= this.#put(symbolOf(length, left), left);
    }
    // The code of a single symbol would not be complete, which is not allowed here.
    const only = this.#symbols[0]!;
    if (this.#counts[only] === this.#count) this.#counts[only === 0 ? 1 : 0] = 1;
    this.#code.build(this.#counts);
  }

  /** A symbol that stands for at most so many lengths; gives for how many. */
  #put(symbol: number, most: number): number {
    const least = STANDS_FOR[symbol]!;
    const part = Math.min(most, least + (1 << EXTRA_BITS[symbol]!) - 1);
    this.#symbols[this.#count] = symbol;
    this.#extras[this.#count++] = part - least;
    this.#counts[symbol]!++;
    return part;
  }
}

/** What stands for the most of so many equal lengths; of others than zero, for those after the first. */
function symbolOf(length: number, count: number): number {
  if (count < STANDS_FOR[REPEAT]!) return length;
  if (length !== 0) return REPEAT;
  return count < STANDS_FOR[MANY_ZEROS]! ? ZEROS : MANY_ZEROS;
}

/** Zeros at the end need not be told. */
function told(lengths: Uint8Array, least: number): number {
  let count = lengths.length;
  while (count > least && lengths[count - 1] === 0) count--;
  return count;
}
