/** Codes have at most 15 bits, and those for lengths fewer. */
const LENGTHS = 17;

/**
 * The Huffman code of an alphabet, none of whose codes is longer than `longest`. It is built anew for each block, in memory
 * that it keeps: what it would throw away would be more than all else that becomes of a record.
 */
export class PrefixCode {
  /** How many bits the code of each symbol has, 0 for those that do not occur. What occurs alone has one bit. */
  readonly lengths: Uint8Array;
  /** The canonical codes, with the first bit lowest, as deflate packs them: RFC 1951, 3.2.2. */
  readonly codes: Uint16Array;
  readonly #longest: number;
  /** The count and the symbol of those that occur, the rarest first. */
  readonly #keys: Float64Array;
  /** Of the leaves, the rarest first, and behind them of the inner nodes: how often they occur, and whose child they are. */
  readonly #weights: Float64Array;
  readonly #parents: Uint16Array;
  readonly #depths: Uint16Array;
  /** How many codes of each length there are, and then which is next. */
  readonly #ofLength = new Uint16Array(LENGTHS);

  constructor(symbols: number, longest: number) {
    this.lengths = new Uint8Array(symbols);
    this.codes = new Uint16Array(symbols);
    this.#longest = longest;
    this.#keys = new Float64Array(symbols);
    this.#weights = new Float64Array(2 * symbols);
    this.#parents = new Uint16Array(2 * symbols);
    this.#depths = new Uint16Array(2 * symbols);
  }

  /** From how often each symbol occurs: whole numbers, of which the sum is below 2 ** 40. */
  build(counts: ArrayLike<number>): void {
    const used = this.#sort(counts);
    this.#join(used);
    this.#countLengths(used);
    this.#assignLengths(used);
    this.#assignCodes();
  }

  #sort(counts: ArrayLike<number>): number {
    const keys = this.#keys;
    const symbols = this.lengths.length;
    let used = 0;
    for (let symbol = 0; symbol < symbols; symbol++)
      if (counts[symbol]! > 0) keys[used++] = counts[symbol]! * symbols + symbol;
    keys.subarray(0, used).sort();
    for (let leaf = 0; leaf < used; leaf++) this.#weights[leaf] = Math.floor(keys[leaf]! / symbols);
    return used;
  }

  /** The tree: the two nodes that occur least, of leaves and inner ones, become children of a new one, until one is left. */
  #join(leaves: number): void {
    const weights = this.#weights;
    const parents = this.#parents;
    let leaf = 0;
    let inner = leaves;
    const root = 2 * leaves - 2;
    for (let node = leaves; node <= root; node++) {
      let weight = 0;
      for (let child = 0; child < 2; child++) {
        const isLeaf = leaf < leaves && (inner === node || weights[leaf]! <= weights[inner]!);
        const least = isLeaf ? leaf++ : inner++;
        parents[least] = node;
        weight += weights[least]!;
      }
      weights[node] = weight;
    }
  }

  /** Codes that are too long are cut, and others become longer for them: so often one of the longest finds a place. */
  #countLengths(leaves: number): void {
    const ofLength = this.#ofLength.fill(0);
    const longest = this.#longest;
    const root = 2 * leaves - 2;
    if (root >= 0) this.#depths[root] = leaves === 1 ? 1 : 0;
    for (let node = root - 1; node >= 0; node--) this.#depths[node] = this.#depths[this.#parents[node]!]! + 1;
    let taken = 0;
    for (let leaf = 0; leaf < leaves; leaf++) {
      const length = Math.min(this.#depths[leaf]!, longest);
      ofLength[length]!++;
      taken += 1 << (longest - length);
    }
    for (; taken > 1 << longest; taken--) {
      let length = longest - 1;
      while (ofLength[length] === 0) length--;
      ofLength[length]!--;
      ofLength[length + 1]! += 2;
      ofLength[longest]!--;
    }
  }

  /** The rarest have the longest. */
  #assignLengths(used: number): void {
    const { lengths } = this;
    lengths.fill(0);
    let length = this.#longest;
    let left = this.#ofLength[length]!;
    for (let leaf = 0; leaf < used; leaf++, left--) {
      while (left === 0) left = this.#ofLength[--length]!;
      lengths[this.#keys[leaf]! % lengths.length] = length;
    }
  }

  #assignCodes(): void {
    const next = this.#ofLength;
    let code = 0;
    for (let length = 1; length < LENGTHS; length++) {
      const count = next[length]!;
      next[length] = code;
      code = (code + count) << 1;
    }
    for (let symbol = 0; symbol < this.lengths.length; symbol++) {
      const length = this.lengths[symbol]!;
      this.codes[symbol] = length === 0 ? 0 : reversed(next[length]!++, length);
    }
  }
}

function reversed(code: number, length: number): number {
  let result = 0;
  for (let bit = 0; bit < length; bit++) result |= ((code >>> bit) & 1) << (length - 1 - bit);
  return result;
}
