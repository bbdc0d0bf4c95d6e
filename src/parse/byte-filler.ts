import type { RowUse } from './capture-use.ts';
import type { EventHandler } from './event-handler.ts';
import { latin1, plainNumber, POWERS, ValueCache } from './byte-values.ts';
import type { ByteMatcher } from './pattern/byte-matcher.ts';
import { PLACES, SET } from './pattern/line-results.ts';

/** A capture that is read from the row. */
interface Reading {
  /** Where it is among the line's results. */
  readonly place: number;
  readonly slot: number;
  readonly cache: ValueCache;
}

interface NumberReading {
  readonly place: number;
  /** Where what was read of it is. */
  readonly number: number;
  readonly slot: number;
}

/** Puts the captures of a match into the row, as far as somebody reads them there. */
export class ByteFiller {
  readonly #handler: EventHandler;
  readonly #use: RowUse;
  /** All who read them want a number. */
  readonly #numbers: readonly NumberReading[];
  readonly #texts: readonly Reading[];
  /** What makes up value sets. */
  readonly #keys: readonly Reading[];
  /** The values of this chunk's sets, one after the other. */
  readonly #known: (string | undefined)[] = [];
  /** Whose values are in the row; -1 if none are. */
  #current = -1;

  constructor({ captures, use }: ByteMatcher<RowUse>, handler: EventHandler) {
    this.#handler = handler;
    this.#use = use;
    const isKey = (n: number): boolean => use.keyed.includes(n);
    const isNumber = (n: number): boolean => use.numeric.includes(n) && handler.isNumeric(captures[n]!.field);
    const readings = (which: (n: number) => boolean): Reading[] =>
      use.read
        .filter(which)
        .map((n) => ({ place: PLACES + n * 2, slot: use.slots[n]!, cache: new ValueCache() }));
    this.#keys = readings(isKey);
    this.#texts = readings((n) => !isNumber(n) && !isKey(n));
    this.#numbers = use.numeric.flatMap((n, i) =>
      isNumber(n)
        ? [{ place: PLACES + n * 2, slot: use.slots[n]!, number: PLACES + (captures.length + i) * 2 }]
        : [],
    );
  }

  /** The numbers of value sets begin anew. */
  begin(): void {
    this.#known.length = 0;
    this.#current = -1;
  }

  /** `line` is where the line's results are in `results`, whose places are places in `bytes`. */
  fill(bytes: Buffer, results: Int32Array, line: number): void {
    const { row } = this.#handler;
    row.clear();
    this.#fillSet(bytes, results, line);
    const { values } = row;
    const texts = this.#texts;
    for (let k = 0; k < texts.length; k++) {
      const { slot } = texts[k]!;
      const text = textOf(texts[k]!, bytes, results, line);
      if (this.#use.plain) values[slot] = text;
      else if (text !== undefined) row.set(slot, text);
    }
    const numbers = this.#numbers;
    for (let k = 0; k < numbers.length; k++) {
      const { slot, place, number } = numbers[k]!;
      const start = results[line + place]!;
      if (start === 0) {
        values[slot] = undefined;
        continue;
      }
      const digits = results[line + number]!;
      const decimals = results[line + number + 1]!;
      if (digits >= 0) values[slot] = decimals === 0 ? digits : digits / POWERS[decimals]!;
      else values[slot] = numberOrText(bytes, start, results[line + place + 1]!);
    }
  }

  /** The values of a set that was met in this chunk, and of nothing else. */
  fillKnown(set: number): void {
    const { row } = this.#handler;
    row.clear();
    row.valueSet = this.#current = set;
    const keys = this.#keys;
    for (let k = 0; k < keys.length; k++) row.values[keys[k]!.slot] = this.#known[set * keys.length + k];
  }

  #fillSet(bytes: Buffer, results: Int32Array, line: number): void {
    const { row } = this.#handler;
    const { values } = row;
    const keys = this.#keys;
    const set = results[line + SET]!;
    row.valueSet = set;
    if (set < 0) {
      for (const key of keys) values[key.slot] = textOf(key, bytes, results, line);
    } else if (set !== this.#current) {
      const known = this.#known;
      const first = set * keys.length;
      if (first === known.length) for (const key of keys) known.push(textOf(key, bytes, results, line));
      for (let k = 0; k < keys.length; k++) values[keys[k]!.slot] = known[first + k];
    }
    this.#current = set;
  }

  /** The row as it was before. */
  clear(): void {
    this.#current = -1;
    if (!this.#use.plain) return;
    const { row } = this.#handler;
    row.valueSet = -1;
    for (const slot of this.#use.slots) row.values[slot] = undefined;
  }
}

/** More digits than are read ahead may still be a number. */
function numberOrText(bytes: Buffer, start: number, end: number): number | string {
  const number = plainNumber(bytes, start, end);
  return number === number ? number : latin1(bytes, start, end);
}

function textOf(
  { place, cache }: Reading,
  bytes: Buffer,
  results: Int32Array,
  line: number,
): string | undefined {
  const start = results[line + place]!;
  return start === 0 ? undefined : cache.text(bytes, start, results[line + place + 1]!);
}
