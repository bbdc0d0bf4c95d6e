import type { EventHandler } from './event-handler.ts';
import { latin1, plainNumber, ValueCache } from './byte-values.ts';
import type { ByteMatcher } from './pattern/byte-matcher.ts';

/** Puts the captures of a match into the row, as far as somebody reads them there. */
export class ByteFiller {
  readonly #handler: EventHandler;
  readonly #places: Int32Array;
  readonly #slots: readonly number[];
  /** By capture: whether all who read it want a number. */
  readonly #numeric: readonly boolean[];
  readonly #caches: readonly ValueCache[];
  /** Captures that are read from the row. */
  readonly #read: readonly number[];
  /** Whether the row's values need no order. */
  readonly #plain: boolean;
  /** Whether records take the captures from the bytes. */
  readonly direct: boolean;

  constructor({ captures, places }: ByteMatcher, handler: EventHandler) {
    this.#handler = handler;
    this.#places = places;
    this.#slots = captures.map(({ field }) => handler.fields.find(field));
    const once = new Set(this.#slots).size === this.#slots.length;
    this.direct = once && handler.takesBytes(captures.map(({ field }) => field));
    this.#plain = once && (this.direct || !handler.tracksFields);
    this.#numeric = captures.map(({ field }) => this.#plain && handler.isNumeric(field));
    this.#caches = captures.map(() => new ValueCache());
    this.#read = [...captures.keys()].filter((n) => !this.direct || handler.reads(this.#slots[n]!));
  }

  fill(bytes: Buffer): void {
    const { row } = this.#handler;
    row.clear();
    const { values } = row;
    const read = this.#read;
    for (let k = 0; k < read.length; k++) {
      const n = read[k]!;
      const start = this.#places[n * 2]!;
      const end = this.#places[n * 2 + 1]!;
      const slot = this.#slots[n]!;
      if (!this.#plain) {
        if (start >= 0) row.set(slot, this.#caches[n]!.text(bytes, start, end));
      } else if (start < 0) values[slot] = undefined;
      else if (this.#numeric[n]!) {
        const number = plainNumber(bytes, start, end);
        values[slot] = number === number ? number : latin1(bytes, start, end);
      } else values[slot] = this.#caches[n]!.text(bytes, start, end);
    }
  }

  /** The row as it was before. */
  clear(): void {
    if (!this.#plain) return;
    const { values } = this.#handler.row;
    for (const slot of this.#slots) values[slot] = undefined;
  }
}
