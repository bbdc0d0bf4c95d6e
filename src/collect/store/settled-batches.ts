import type { BatchKey } from './batch-parts.ts';
import type { Database } from './sqlite.ts';

type Life = Pick<BatchKey, 'agent' | 'epoch'>;

interface Run {
  first: number;
  last: number;
}

/**
 * The numbers of batches that are stored and no longer known one by one, as runs. Only what was stored is in them, so
 * that no number that a sender names can make a batch a repeat that this store never had.
 */
export class SettledBatches {
  readonly #db: Database;
  readonly #at;
  readonly #after;
  readonly #insert;
  readonly #extend;
  readonly #delete;

  constructor(db: Database) {
    this.#db = db;
    this.#at = db.prepare(
      'SELECT first, last FROM settled_batch WHERE agent = ? AND epoch = ? AND first <= ? ORDER BY first DESC LIMIT 1',
    );
    this.#after = db.prepare(
      'SELECT first, last FROM settled_batch WHERE agent = ? AND epoch = ? AND first = ?',
    );
    this.#insert = db.prepare('INSERT INTO settled_batch (agent, epoch, first, last) VALUES (?, ?, ?, ?)');
    this.#extend = db.prepare(
      'UPDATE settled_batch SET last = ? WHERE agent = ? AND epoch = ? AND first = ?',
    );
    this.#delete = db.prepare('DELETE FROM settled_batch WHERE agent = ? AND epoch = ? AND first = ?');
  }

  has({ agent, epoch, number }: BatchKey): boolean {
    const run = this.#at.get(agent, epoch, number) as Run | undefined;
    return run !== undefined && number <= run.last;
  }

  /** Adds up the records of the single batches up to `through`, by source, and keeps their numbers as runs. */
  fold({ agent, epoch }: Life, through: number): void {
    this.#db
      .prepare(
        `INSERT INTO settled_records (agent, epoch, source, records)
         SELECT b.agent, b.epoch, s.key, SUM(s.value) FROM batch b, json_each(b.sources) s
         WHERE b.agent = ? AND b.epoch = ? AND b.number <= ? GROUP BY s.key
         ON CONFLICT DO UPDATE SET records = records + excluded.records`,
      )
      .run(agent, epoch, through);
    for (const run of this.#runs(agent, epoch, through)) this.#add(agent, epoch, run);
    this.#db
      .prepare('DELETE FROM batch WHERE agent = ? AND epoch = ? AND number <= ?')
      .run(agent, epoch, through);
  }

  #runs(agent: string, epoch: string, through: number): readonly Run[] {
    const rows = this.#db
      .prepare('SELECT number FROM batch WHERE agent = ? AND epoch = ? AND number <= ? ORDER BY number')
      .all(agent, epoch, through) as { number: number }[];
    const runs: Run[] = [];
    for (const { number } of rows) {
      const run = runs.at(-1);
      if (run !== undefined && run.last + 1 === number) run.last = number;
      else runs.push({ first: number, last: number });
    }
    return runs;
  }

  /** Joined to the runs before and after it where it touches them; it overlaps none, for a batch is stored once. */
  #add(agent: string, epoch: string, { first, last }: Run): void {
    const before = this.#at.get(agent, epoch, first) as Run | undefined;
    const after = this.#after.get(agent, epoch, last + 1) as Run | undefined;
    if (after !== undefined) this.#delete.run(agent, epoch, after.first);
    const end = after?.last ?? last;
    if (before !== undefined && before.last + 1 === first) this.#extend.run(end, agent, epoch, before.first);
    else this.#insert.run(agent, epoch, first, end);
  }
}
