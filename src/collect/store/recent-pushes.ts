import type { Database } from './sqlite.ts';

/** How long a push is known again. */
const KNOWN_MS = 10 * 60_000;

/** Pushes that were stored a short while ago. Their protocol has no key; the same content is taken as a repeat. */
export class RecentPushes {
  readonly #insert;
  readonly #forget;

  constructor(db: Database) {
    this.#insert = db.prepare('INSERT OR IGNORE INTO push (hash, at_ms) VALUES (?, ?)');
    this.#forget = db.prepare('DELETE FROM push WHERE at_ms < ?');
  }

  /** Whether the push is to be stored; within the transaction that stores it. */
  isNew(hash: Uint8Array, nowMs: number): boolean {
    this.#forget.run(nowMs - KNOWN_MS);
    return this.#insert.run(hash, nowMs).changes > 0;
  }
}
