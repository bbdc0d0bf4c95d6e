import type { Database } from './sqlite.ts';

/** Series the store takes in all; more are rejected and counted, so that a label gone wild costs no more than this. */
export const SERIES_MAX = 2_000_000;

/** Numbers for label sets. A number is given inside a transaction and forgotten again if that fails. */
export class SeriesIds {
  readonly #known = new Map<string, number>();
  readonly #insert;
  readonly #max: number;
  #fresh: string[] = [];

  constructor(db: Database, max = SERIES_MAX) {
    this.#max = max;
    this.#insert = db.prepare('INSERT INTO series (labels, first_ms, last_ms) VALUES (?, ?, ?)');
    for (const row of db.prepare('SELECT sid, labels FROM series').iterate()) {
      const { sid, labels } = row as { sid: number; labels: string };
      this.#known.set(labels, sid);
    }
  }

  get count(): number {
    return this.#known.size;
  }

  /** The series' number; undefined when there are too many series. */
  sid(key: string, firstMs: number, lastMs: number): number | undefined {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    if (this.#known.size >= this.#max) return undefined;
    const sid = Number(this.#insert.run(key, firstMs, lastMs).lastInsertRowid);
    this.#known.set(key, sid);
    this.#fresh.push(key);
    return sid;
  }

  committed(): void {
    this.#fresh = [];
  }

  rolledBack(): void {
    for (const key of this.#fresh) this.#known.delete(key);
    this.#fresh = [];
  }

  /** Retention removed it. */
  forget(key: string): void {
    this.#known.delete(key);
  }
}
