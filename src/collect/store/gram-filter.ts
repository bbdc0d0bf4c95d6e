import zlib from 'node:zlib';

/*
 * Which texts a block may hold. Every four bytes in a row of its texts, capital letters as small ones, are hashed to a
 * place in a map of bits; a text of four bytes or more can be in the block only if all of its places are set. Lines and
 * values of attributes are in it, so that a needle, a request's id or a trace is found without opening other blocks.
 *
 * Stored: the map, deflated, its length a power of two; nothing at all where the block may hold anything.
 */

const BITS_MAX = 1 << 18;
const BITS_MIN = 1 << 10;
/** A map with fewer bits set is folded to half its length. */
const FULL_ENOUGH = 0.06;

const LOWER = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x41 && byte <= 0x5a ? byte + 32 : byte,
);

/** Places of four bytes in the largest map; in a smaller one the lower bits of it. */
function placeOf(gram: number): number {
  return (Math.imul(gram, 0x9e3779b1) >>> 14) & (BITS_MAX - 1);
}

/** Gathers the texts of one block. */
export class GramFilterBuilder {
  readonly #map = new Uint8Array(BITS_MAX / 8);
  #takesAll = false;

  addBytes(bytes: Uint8Array, start: number, end: number): void {
    if (end - start < 4) return;
    const map = this.#map;
    let gram = (LOWER[bytes[start]!]! << 16) | (LOWER[bytes[start + 1]!]! << 8) | LOWER[bytes[start + 2]!]!;
    for (let i = start + 3; i < end; i++) {
      gram = (gram << 8) | LOWER[bytes[i]!]!;
      const place = placeOf(gram);
      map[place >>> 3]! |= 1 << (place & 7);
    }
  }

  addText(text: string): void {
    const bytes = Buffer.from(text);
    this.addBytes(bytes, 0, bytes.length);
  }

  /** The block has something that small letters do not stand for. */
  takeAll(): void {
    this.#takesAll = true;
  }

  /** As it is stored. */
  finish(): Uint8Array {
    if (this.#takesAll) return new Uint8Array();
    let map = this.#map;
    while (map.length * 8 > BITS_MIN && shareSet(map) < FULL_ENOUGH) map = folded(map);
    return zlib.deflateRawSync(map, { level: 1 });
  }
}

function shareSet(map: Uint8Array): number {
  let set = 0;
  for (const byte of map) set += COUNTS[byte]!;
  return set / (map.length * 8);
}

const COUNTS = Uint8Array.from({ length: 256 }, (_, byte) => byte.toString(2).replaceAll('0', '').length);

/** The upper half laid over the lower one. */
function folded(map: Uint8Array): Uint8Array<ArrayBuffer> {
  const half = map.slice(0, map.length / 2);
  for (let i = 0; i < half.length; i++) half[i]! |= map[half.length + i]!;
  return half;
}

/** A filter as it is read back. */
export class GramFilter {
  readonly #map: Uint8Array;

  /** Throws where the bytes are damaged. */
  constructor(stored: Uint8Array) {
    this.#map = stored.length === 0 ? stored : zlib.inflateRawSync(stored, { maxOutputLength: BITS_MAX / 8 });
  }

  get bytes(): number {
    return this.#map.length;
  }

  /** Whether a text with these places may be there; see `gramPlaces`. */
  mayHold(places: readonly number[]): boolean {
    const map = this.#map;
    if (map.length === 0) return true;
    const mask = map.length * 8 - 1;
    return places.every((place) => (map[(place & mask) >>> 3]! & (1 << (place & mask & 7))) !== 0);
  }
}

/** The places of a text; none where it is too short to be told apart, or not certain to be stored as it is written. */
export function gramPlaces(text: string): readonly number[] {
  if (text.includes('\ufffd')) return [];
  const bytes = Buffer.from(text);
  const places: number[] = [];
  let gram = 0;
  for (const [i, byte] of bytes.entries()) {
    gram = (gram << 8) | LOWER[byte]!;
    if (i >= 3) places.push(placeOf(gram));
  }
  return places;
}
