interface Latin1Slices {
  latin1Slice(start: number, end: number): string;
}

/** What `toString('latin1', …)` gives, without the search for the encoding; every buffer of Node has it. */
export function latin1(bytes: Buffer, start: number, end: number): string {
  return (bytes as unknown as Latin1Slices).latin1Slice(start, end);
}

/** Longer values are rarely seen again. */
const LENGTH_MAX = 48;
const ENTRIES = 512;

/**
 * Short ASCII values as strings, each made once: values of one field repeat, and a string that is the same object as
 * before is the cheapest key. A fixed number of entries; a value whose entry is taken replaces what was there.
 */
export class ValueCache {
  #last = '';
  readonly #entries: string[] = Array.from({ length: ENTRIES }, () => '');

  text(bytes: Buffer, start: number, end: number): string {
    const length = end - start;
    if (length === 0) return '';
    if (length > LENGTH_MAX) return latin1(bytes, start, end);
    if (isText(this.#last, bytes, start, length)) return this.#last;
    return (this.#last = this.#find(bytes, start, end));
  }

  #find(bytes: Buffer, start: number, end: number): string {
    const length = end - start;
    let hash = length;
    for (let i = start; i < end; i++) hash = (Math.imul(hash, 31) + bytes[i]!) | 0;
    const entry = (hash ^ (hash >>> 9)) & (ENTRIES - 1);
    const known = this.#entries[entry]!;
    if (isText(known, bytes, start, length)) return known;
    return (this.#entries[entry] = latin1(bytes, start, end));
  }
}

function isText(text: string, bytes: Buffer, start: number, length: number): boolean {
  if (text.length !== length) return false;
  for (let i = 0; i < length; i++) if (text.charCodeAt(i) !== bytes[start + i]) return false;
  return true;
}

/** Digits that a double holds exactly, whatever they are. */
const DIGITS_MAX = 15;
export const POWERS = Array.from({ length: DIGITS_MAX + 1 }, (_, n) => 10 ** n);

/** `12` or `12.5` as `Number` reads it; NaN for everything else, which may still be a number. */
export function plainNumber(bytes: Uint8Array, start: number, end: number): number {
  if (end - start > DIGITS_MAX || end <= start) return Number.NaN;
  let whole = 0;
  let point = -1;
  for (let i = start; i < end; i++) {
    const digit = bytes[i]! - 0x30;
    if (digit >= 0 && digit <= 9) whole = whole * 10 + digit;
    else if (digit === -2 && point < 0 && i > start && i < end - 1) point = i;
    else return Number.NaN;
  }
  return point < 0 ? whole : whole / POWERS[end - 1 - point]!;
}
