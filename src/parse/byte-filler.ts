import type { RowUse } from './capture-use.ts';
import type { EventHandler } from './event-handler.ts';
import { latin1, plainNumber, POWERS, ValueCache } from './byte-values.ts';
import type { ByteMatcher, BytePattern } from './pattern/byte-matcher.ts';
import { PATTERN, PLACES, SET } from './pattern/line-results.ts';
import { scratch } from '../wasm/scratch.ts';

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

/** What is read of the captures of a pattern. */
interface Readings {
  readonly use: RowUse;
  /** All who read them want a number. */
  readonly numbers: readonly NumberReading[];
  readonly texts: readonly Reading[];
  /** What makes up value sets. */
  readonly keys: readonly Reading[];
  /** All that a record asks of the row of a line whose metrics are added up elsewhere. */
  readonly asked: readonly Reading[];
}

interface KnownSet {
  readonly pattern: number;
  readonly values: readonly (string | undefined)[];
}

/** Puts the captures of a match into the row, as far as somebody reads them there. */
export class ByteFiller {
  readonly #handler: EventHandler;
  readonly #patterns: readonly Readings[];
  /** Slots that any pattern fills. */
  readonly #slots: readonly number[];
  /** The value sets of this chunk, by their numbers. */
  readonly #known: KnownSet[] = [];
  /** Whose values are in the row, and which pattern's; -1 if none are. */
  #current = -1;
  #pattern = -1;

  constructor({ patterns }: ByteMatcher<RowUse>, handler: EventHandler) {
    this.#handler = handler;
    this.#patterns = patterns.map((pattern) => readingsOf(pattern, handler));
    this.#slots = [...new Set(patterns.flatMap(({ use }) => use.slots))];
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
    const readings = this.#readings(results[line + PATTERN]!);
    this.#fillSet(readings, bytes, results, line);
    const { values } = row;
    const { texts, numbers, use } = readings;
    for (let k = 0; k < texts.length; k++) {
      const { slot } = texts[k]!;
      const text = textOf(texts[k]!, bytes, results, line);
      if (use.plain) values[slot] = text;
      else if (text !== undefined) row.set(slot, text);
    }
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

  /** Only what a record asks of the row. */
  fillAsked(bytes: Buffer, results: Int32Array, line: number): void {
    const { row } = this.#handler;
    row.clear();
    row.valueSet = this.#current = -1;
    const { asked } = this.#readings(results[line + PATTERN]!);
    for (let k = 0; k < asked.length; k++)
      row.values[asked[k]!.slot] = textOf(asked[k]!, bytes, results, line);
  }

  /** Whether `fillAsked` would put the same into the row as for another line of that pattern. */
  isAskedAgain(results: Int32Array, line: number, other: number): boolean {
    const pattern = results[line + PATTERN]!;
    if (pattern !== results[other + PATTERN]) return false;
    const { asked } = this.#patterns[pattern]!;
    for (let k = 0; k < asked.length; k++) {
      const { place } = asked[k]!;
      const start = results[line + place]!;
      const before = results[other + place]!;
      const length = results[line + place + 1]! - start;
      if (length !== results[other + place + 1]! - before || (start === 0) !== (before === 0)) return false;
      if (!scratch.isSame(start, before, length)) return false;
    }
    return true;
  }

  /** Of a pattern whose fields alone are in the row from here on. */
  #readings(pattern: number): Readings {
    if (pattern !== this.#pattern) {
      this.clear();
      this.#pattern = pattern;
    }
    return this.#patterns[pattern]!;
  }

  /** The values of a set that was met in this chunk, and of nothing else. Gives which pattern has it. */
  fillKnown(set: number): number {
    const { row } = this.#handler;
    row.clear();
    const { pattern, values } = this.#known[set]!;
    const { keys } = this.#readings(pattern);
    row.valueSet = this.#current = set;
    for (let k = 0; k < keys.length; k++) row.values[keys[k]!.slot] = values[k];
    return pattern;
  }

  #fillSet({ keys }: Readings, bytes: Buffer, results: Int32Array, line: number): void {
    const { row } = this.#handler;
    const { values } = row;
    const set = results[line + SET]!;
    row.valueSet = set;
    if (set < 0) {
      for (const key of keys) values[key.slot] = textOf(key, bytes, results, line);
    } else if (set !== this.#current) {
      // They are met in the order of their numbers.
      if (set === this.#known.length)
        this.#known.push({
          pattern: this.#pattern,
          values: keys.map((key) => textOf(key, bytes, results, line)),
        });
      const known = this.#known[set]!.values;
      for (let k = 0; k < keys.length; k++) values[keys[k]!.slot] = known[k];
    }
    this.#current = set;
  }

  /** The row as it was before. */
  clear(): void {
    this.#current = -1;
    this.#pattern = -1;
    const { row } = this.#handler;
    row.valueSet = -1;
    // The others clear themselves.
    if (this.#patterns[0]!.use.plain) for (const slot of this.#slots) row.values[slot] = undefined;
  }
}

function readingsOf({ captures, use }: BytePattern<RowUse>, handler: EventHandler): Readings {
  const isKey = (n: number): boolean => use.keyed.includes(n);
  const isNumber = (n: number): boolean => use.numeric.includes(n) && handler.isNumeric(captures[n]!.field);
  const readings = (which: (n: number) => boolean): Reading[] =>
    use.read
      .filter(which)
      .map((n) => ({ place: PLACES + n * 2, slot: use.slots[n]!, cache: new ValueCache() }));
  return {
    use,
    keys: readings(isKey),
    texts: readings((n) => !isNumber(n) && !isKey(n)),
    asked: readings((n) => handler.recordSlots.includes(use.slots[n]!)),
    numbers: use.numeric.flatMap((n, i) =>
      isNumber(n)
        ? [{ place: PLACES + n * 2, slot: use.slots[n]!, number: PLACES + (captures.length + i) * 2 }]
        : [],
    ),
  };
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
