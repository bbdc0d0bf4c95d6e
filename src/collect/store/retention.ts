import { oldestOf, type StoreShare, usedOf } from '../samples/store-share.ts';
import { faultPoint } from '../../platform/fault.ts';
import { type Database, inTransaction } from './sqlite.ts';

export interface RetentionLimits {
  readonly timeMs: number;
  readonly bytesMax: number;
}

/** What one step removes: a few milliseconds of work, so that ingest waits no longer than that. */
const STEP_BLOCKS = 200;
const STEP_BODIES = 100;
const STEP_PAGES = 500;
/** With the byte limit reached, this part of the time that the store covers goes at once, but at most an hour. */
const BYTES_STEP_PART = 1 / 32;
const BYTES_STEP_MS_MAX = 3_600_000;

/**
 * Deletes records that are too old, and the oldest when the store is too large and they are older than its samples.
 * Records go by the time of their arrival (an old log that was just read is kept). Works in steps: `step` does one and says whether there is more.
 */
export class Retention {
  readonly #db: Database;
  readonly #limits: RetentionLimits;
  readonly #share: StoreShare;

  /** Rows that the current step deleted. */
  #deleted = 0;

  constructor(db: Database, limits: RetentionLimits, share: StoreShare) {
    this.#db = db;
    this.#limits = limits;
    this.#share = share;
    this.#tellShare();
  }

  /** Bytes in use, without pages that are free. */
  usedBytes(): number {
    return (this.#pragma('page_count') - this.#pragma('freelist_count')) * this.#pragma('page_size');
  }

  step(nowMs: number): boolean {
    this.#deleted = 0;
    const cutoff = this.#cutoff(nowMs);
    faultPoint('collect.retention.before');
    const more = inTransaction(this.#db, () => this.#deleteSome(cutoff));
    faultPoint('collect.retention.after');
    if (this.#pragma('freelist_count') > 0) this.#db.exec(`PRAGMA incremental_vacuum(${STEP_PAGES})`);
    // Deleting by size goes on from hour to hour, as long as there is something to delete.
    this.#tellShare();
    const tooLarge = this.#deleted > 0 && this.#isTooLarge();
    return more || tooLarge || this.#pragma('freelist_count') > STEP_PAGES;
  }

  #tellShare(): void {
    const { records } = this.#share;
    records[0] = this.usedBytes();
    records[1] = this.#oldest();
  }

  /** Samples that are older go first. */
  #isTooLarge(): boolean {
    const { records } = this.#share;
    return usedOf(this.#share) > this.#limits.bytesMax && records[1]! <= oldestOf(this.#share);
  }

  #cutoff(nowMs: number): number {
    const byTime = nowMs - this.#limits.timeMs;
    this.#tellShare();
    if (!this.#isTooLarge()) return byTime;
    const oldest = this.#oldest();
    return Math.max(
      byTime,
      oldest + Math.min(BYTES_STEP_MS_MAX, Math.ceil((nowMs - oldest) * BYTES_STEP_PART)),
    );
  }

  /** When the oldest that is left arrived. */
  #oldest(): number {
    const row = this.#db.prepare('SELECT received_ms AS oldest FROM block ORDER BY number LIMIT 1').get() as
      { oldest: number } | undefined;
    return row?.oldest ?? Infinity;
  }

  #deleteSome(cutoff: number): boolean {
    return this.#deleteBodies() || this.#deleteBlocks(cutoff);
  }

  #deleteBlocks(cutoff: number): boolean {
    const { changes } = this.#db
      .prepare(
        'DELETE FROM block WHERE number IN (SELECT number FROM (SELECT number, received_ms FROM block ORDER BY number LIMIT ?) WHERE received_ms < ?)',
      )
      .run(STEP_BLOCKS, cutoff);
    this.#deleted += Number(changes);
    // The next step deletes what they were in.
    return Number(changes) > 0;
  }

  /** Those whose blocks are gone, before any further block: the room that they leave counts. */
  #deleteBodies(): boolean {
    const { changes } = this.#db
      .prepare(
        `DELETE FROM body WHERE number IN (SELECT number FROM body
           WHERE number < (SELECT COALESCE(MIN(number), 9223372036854775807) FROM block) ORDER BY number LIMIT ?)`,
      )
      .run(STEP_BODIES);
    this.#deleted += Number(changes);
    return Number(changes) > 0;
  }

  #pragma(name: 'page_count' | 'freelist_count' | 'page_size'): number {
    return (this.#db.prepare(`PRAGMA ${name}`).get() as Record<string, number>)[name] ?? 0;
  }
}
