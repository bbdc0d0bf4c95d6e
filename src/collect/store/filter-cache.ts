import { GramFilter } from './gram-filter.ts';
import type { Database } from './sqlite.ts';

/** Bytes of filters that are kept as they are used: those of some two million lines. */
const KEPT_BYTES_MAX = 64 * 1024 * 1024;

/** Reads the filters of blocks. */
export class FilterCache {
  readonly #row;
  readonly #kept = new Map<number, GramFilter>();
  #keptBytes = 0;

  constructor(db: Database) {
    this.#row = db.prepare('SELECT bits FROM block_filter WHERE number = ?');
  }

  /** Whether a block may hold each of the texts, given by their places. True where it has no filter (yet). */
  mayHold(number: number, texts: readonly (readonly number[])[]): boolean {
    const filter = this.#filterOf(number);
    return filter === undefined || texts.every((places) => filter.mayHold(places));
  }

  #filterOf(number: number): GramFilter | undefined {
    const known = this.#kept.get(number);
    if (known !== undefined) return known;
    const row = this.#row.get(number) as { readonly bits: Uint8Array } | undefined;
    if (row === undefined) return undefined;
    const filter = new GramFilter(row.bits);
    if (this.#keptBytes + filter.bytes > KEPT_BYTES_MAX) {
      this.#kept.clear();
      this.#keptBytes = 0;
    }
    this.#kept.set(number, filter);
    this.#keptBytes += filter.bytes;
    return filter;
  }
}
