import { gramsOfBlock } from './block-grams.ts';
import { BlockContents } from './block-contents.ts';
import { type Database, inTransaction } from './sqlite.ts';

const BLOCKS_AT_ONCE = 64;
/** Ingest waits for a step, in ms. */
const STEP_MS = 40;

/** Makes the filters of blocks, in the order in which they were stored, some time after: not in the way of ingest. */
export class BlockFilters {
  readonly #db: Database;
  readonly #contents: BlockContents;
  readonly #last;
  readonly #next;
  readonly #insert;

  constructor(db: Database) {
    this.#db = db;
    this.#contents = new BlockContents(db);
    this.#last = db.prepare('SELECT MAX(number) AS number FROM block_filter');
    this.#next = db.prepare('SELECT number FROM block WHERE number > ? ORDER BY number LIMIT ?');
    this.#insert = db.prepare('INSERT OR REPLACE INTO block_filter (number, bits) VALUES (?, ?)');
  }

  /** Whether there is more to do. */
  step(): boolean {
    const { number: last } = this.#last.get() as { readonly number: number | null };
    const rows = this.#next.all(last ?? 0, BLOCKS_AT_ONCE) as { readonly number: number }[];
    if (rows.length === 0) return false;
    const until = performance.now() + STEP_MS;
    const made: [number, Uint8Array][] = [];
    for (const { number } of rows) {
      const content = this.#contents.read(number);
      if (content !== undefined) made.push([number, gramsOfBlock(content.bytes)]);
      if (performance.now() > until) break;
    }
    inTransaction(this.#db, () => {
      for (const [number, bits] of made) this.#insert.run(number, bits);
    });
    return made.length > 0;
  }
}
