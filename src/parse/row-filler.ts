import type { EventHandler } from './event-handler.ts';
import type { ChunkForm } from './pattern/chunk-form.ts';
import type { Row } from './row.ts';

/** Puts the captures of a match into the row. */
export class RowFiller {
  readonly #row: Row;
  /** By group number - 1. */
  readonly #slots: readonly number[];
  /** Fields that the match does not give, and the one before may have. */
  readonly #others: readonly number[];
  readonly #plain: boolean;

  /** `others`: slots that other patterns of the pack fill. */
  constructor(form: ChunkForm, handler: EventHandler, others: readonly number[] = []) {
    this.#row = handler.row;
    this.#slots = form.captures.map(({ field }) => handler.fields.find(field));
    this.#others = [...new Set(others)].filter((slot) => !this.#slots.includes(slot));
    this.#plain = !handler.tracksFields && new Set(this.#slots).size === this.#slots.length;
  }

  fill(match: RegExpExecArray): void {
    const row = this.#row;
    const slots = this.#slots;
    row.clear();
    if (this.#plain) {
      const { values } = row;
      for (let i = 0; i < slots.length; i++) values[slots[i]!] = match[i + 1];
      for (let i = 0; i < this.#others.length; i++) values[this.#others[i]!] = undefined;
      return;
    }
    for (let i = 0; i < slots.length; i++) {
      const value = match[i + 1];
      if (value !== undefined) row.set(slots[i]!, value);
    }
  }
}
