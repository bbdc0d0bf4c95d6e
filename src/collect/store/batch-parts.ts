import type { Database } from './sqlite.ts';

/** A part of a batch that was too large for one request. */
export interface PartOfBatch {
  /** Its number within the batch: the last piece of its key. */
  readonly part: number;
  /** Which of the batch's records it holds: `first` to `last`, from 0, of `of`. Missing from senders that do not say. */
  readonly range?: { readonly first: number; readonly last: number; readonly of: number };
}

export interface BatchKey {
  readonly agent: string;
  readonly epoch: string;
  readonly number: number;
}

interface PartRow {
  readonly part: number;
  readonly first: number | null;
  readonly last: number | null;
  readonly of_records: number | null;
  readonly sources: string;
}

/** `split`: some of what is asked for is stored and some is not, so that smaller parts must be sent. */
export type PartAdmission = 'new' | 'repeat' | 'split' | 'mismatch';

/**
 * Which parts of a batch are stored. A batch is cut in halves, and these in halves again, until its parts are taken: so
 * of two parts that share a record one contains the other, and what contains stored records is not stored as a whole.
 * Once all parts are there, they are the batch.
 */
export class BatchParts {
  readonly #select;
  readonly #insert;
  readonly #delete;

  constructor(db: Database) {
    this.#select = db.prepare(
      'SELECT part, first, last, of_records, sources FROM batch_part WHERE agent = ? AND epoch = ? AND number = ? ORDER BY first',
    );
    this.#insert = db.prepare(
      'INSERT INTO batch_part (agent, epoch, number, part, first, last, of_records, sources) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    );
    this.#delete = db.prepare('DELETE FROM batch_part WHERE agent = ? AND epoch = ? AND number = ?');
  }

  /** The batch as a whole is not stored; `part` is undefined where it comes as a whole. */
  admit(batch: BatchKey, part: PartOfBatch | undefined): PartAdmission {
    const stored = this.#stored(batch);
    if (stored.length === 0) return 'new';
    if (part === undefined) return 'split';
    const same = stored.find((row) => row.part === part.part);
    if (same !== undefined) return isSameRange(same, part) ? 'repeat' : 'mismatch';
    const { range } = part;
    if (range === undefined) return 'new';
    if (stored.some(({ of_records: of }) => of !== null && of !== range.of)) return 'mismatch';
    const inside = stored.filter(
      ({ first, last }) => first !== null && last !== null && first <= range.last && last >= range.first,
    );
    if (inside.length === 0) return 'new';
    const covered = inside.reduce(
      (sum, row) => sum + Math.min(row.last!, range.last) - Math.max(row.first!, range.first) + 1,
      0,
    );
    return covered === range.last - range.first + 1 ? 'repeat' : 'split';
  }

  /** Notes a part that is stored in the same transaction. With the last of them: the whole batch's records by source. */
  record(
    batch: BatchKey,
    part: PartOfBatch,
    sources: ReadonlyMap<string, number>,
  ): ReadonlyMap<string, number> | undefined {
    const { agent, epoch, number } = batch;
    const { first, last, of } = part.range ?? {};
    this.#insert.run(
      agent,
      epoch,
      number,
      part.part,
      first ?? null,
      last ?? null,
      of ?? null,
      JSON.stringify(Object.fromEntries(sources)),
    );
    if (of === undefined) return undefined;
    const stored = this.#stored(batch);
    const covered = stored.reduce(
      (sum, row) => sum + (row.first === null || row.last === null ? 0 : row.last - row.first + 1),
      0,
    );
    if (covered < of) return undefined;
    this.#delete.run(agent, epoch, number);
    return addUp(stored);
  }

  #stored({ agent, epoch, number }: BatchKey): readonly PartRow[] {
    return this.#select.all(agent, epoch, number) as unknown as PartRow[];
  }
}

function isSameRange(row: PartRow, { range }: PartOfBatch): boolean {
  return (
    row.first === (range?.first ?? null) &&
    row.last === (range?.last ?? null) &&
    row.of_records === (range?.of ?? null)
  );
}

function addUp(rows: readonly PartRow[]): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const { sources } of rows) {
    for (const [source, records] of Object.entries(JSON.parse(sources) as Record<string, number>))
      sums.set(source, (sums.get(source) ?? 0) + records);
  }
  return sums;
}
