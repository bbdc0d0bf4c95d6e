const FIRST_SLOTS = 1 << 12;
/** Bytes of what is remembered; beyond it everything is learned anew. */
const BYTES_MAX = 1 << 29;

/** No alias has been found. */
export const NO_ALIAS = 0;

/**
 * Remembers byte strings under numbers, so that what comes again and again is known without being read: the labels of a
 * series as they stand in a request. Compares bytes with bytes. Senders keep their order, so what followed last time is
 * tried first, without a hash.
 */
export class AliasTable {
  #slots = new Uint32Array(FIRST_SLOTS);
  #hashes = new Int32Array(FIRST_SLOTS);
  #starts = new Uint32Array(FIRST_SLOTS);
  #lengths = new Uint32Array(FIRST_SLOTS);
  #followers = new Uint32Array(FIRST_SLOTS);
  #bytes = new Uint8Array(1 << 16);
  #end = 0;
  /** Aliases are numbered from 1. */
  #count = 0;
  #latest = 0;

  get size(): number {
    return this.#count;
  }

  get usedBytes(): number {
    return this.#bytes.length + this.#slots.length * 20;
  }

  /** The number of these bytes, or NO_ALIAS. */
  find(bytes: Uint8Array, from: number, to: number): number {
    const guess = this.#followers[this.#latest]!;
    if (guess !== 0 && this.#is(guess, bytes, from, to)) {
      this.#latest = guess;
      return guess;
    }
    const hash = hashOf(bytes, from, to);
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const alias = this.#slots[slot]!;
      if (alias === 0) return NO_ALIAS;
      if (this.#hashes[alias] !== hash || !this.#is(alias, bytes, from, to)) continue;
      this.#followers[this.#latest] = alias;
      this.#latest = alias;
      return alias;
    }
  }

  /** Remembers bytes that `find` did not find. Where `size` is 1 after it, all others were forgotten. */
  add(bytes: Uint8Array, from: number, to: number): number {
    const length = to - from;
    if (this.#end + length > BYTES_MAX) this.#clear();
    if ((this.#count + 2) * 2 > this.#slots.length) this.#widen();
    const alias = ++this.#count;
    while (this.#end + length > this.#bytes.length) this.#bytes = wider(this.#bytes, Uint8Array);
    for (let i = 0; i < length; i++) this.#bytes[this.#end + i] = bytes[from + i]!;
    this.#starts[alias] = this.#end;
    this.#lengths[alias] = length;
    this.#followers[alias] = 0;
    this.#end += length;
    const hash = hashOf(bytes, from, to);
    this.#hashes[alias] = hash;
    this.#place(alias, hash);
    this.#followers[this.#latest] = alias;
    this.#latest = alias;
    return alias;
  }

  #is(alias: number, bytes: Uint8Array, from: number, to: number): boolean {
    const length = to - from;
    if (this.#lengths[alias] !== length) return false;
    const mine = this.#bytes;
    const start = this.#starts[alias]!;
    // From the end: series of one metric differ in their last labels.
    for (let i = length - 1; i >= 0; i--) if (mine[start + i] !== bytes[from + i]) return false;
    return true;
  }

  #place(alias: number, hash: number): void {
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = alias;
  }

  #widen(): void {
    this.#slots = new Uint32Array(this.#slots.length * 2);
    this.#hashes = wider(this.#hashes, Int32Array);
    this.#starts = wider(this.#starts, Uint32Array);
    this.#lengths = wider(this.#lengths, Uint32Array);
    this.#followers = wider(this.#followers, Uint32Array);
    for (let alias = 1; alias <= this.#count; alias++) this.#place(alias, this.#hashes[alias]!);
  }

  #clear(): void {
    this.#slots.fill(0);
    this.#followers.fill(0);
    this.#end = 0;
    this.#count = 0;
    this.#latest = 0;
  }
}

type Numbers = Uint8Array | Uint32Array | Int32Array;

function wider<T extends Numbers>(had: T, make: new (length: number) => T): T {
  const more = new make(had.length * 2);
  more.set(had);
  return more;
}

function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = (to - from) | 0;
  let at = from;
  for (; at + 4 <= to; at += 4) {
    const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    hash = Math.imul(hash ^ word, 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  for (; at < to; at++) hash = Math.imul(hash ^ bytes[at]!, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
