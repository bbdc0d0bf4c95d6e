import { faultPoint } from '../../platform/fault.ts';
import { type Database, inTransaction } from './sqlite.ts';

export interface RetentionLimits {
  readonly timeMs: number;
  readonly bytesMax: number;
}

/** What one step removes: a few milliseconds of work, so that ingest waits no longer than that. */
const STEP_BLOCKS = 200;
const STEP_BODIES = 100;
const STEP_SAMPLES = 20_000;
const STEP_SERIES = 500;
const STEP_PAGES = 500;
/** With the byte limit reached, this part of the time that the store covers goes at once, but at most an hour. */
const BYTES_STEP_PART = 1 / 32;
const BYTES_STEP_MS_MAX = 3_600_000;

/**
 * Deletes what is too old, and the oldest when the store is too large. Records go by the time of their arrival (an
 * old log that was just read is kept), samples by their own. Works in steps: `step` does one and says whether there is more.
 */
export class Retention {
  readonly #db: Database;
  readonly #limits: RetentionLimits;
  /** Where the pass over the series stands, and the time before which it deletes; undefined between passes. */
  #pass: { readonly cutoff: number; sid: number } | undefined;

  /** Rows that the current step deleted. */
  #deleted = 0;

  constructor(db: Database, limits: RetentionLimits) {
    this.#db = db;
    this.#limits = limits;
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
    const tooLarge = this.#deleted > 0 && this.usedBytes() > this.#limits.bytesMax;
    return more || tooLarge || this.#pragma('freelist_count') > STEP_PAGES;
  }

  #cutoff(nowMs: number): number {
    const byTime = nowMs - this.#limits.timeMs;
    if (this.#pass !== undefined) return this.#pass.cutoff;
    if (this.usedBytes() <= this.#limits.bytesMax) return byTime;
    const oldest = this.#oldest();
    return Math.max(
      byTime,
      oldest + Math.min(BYTES_STEP_MS_MAX, Math.ceil((nowMs - oldest) * BYTES_STEP_PART)),
    );
  }

  #oldest(): number {
    const row = this.#db
      .prepare(
        `SELECT MIN(oldest) AS oldest FROM (
           SELECT MIN(ts) AS oldest FROM sample
           UNION ALL SELECT MIN(start_ms) FROM pack
           UNION ALL SELECT received_ms FROM (SELECT received_ms FROM block ORDER BY number LIMIT 1))`,
      )
      .get() as { oldest: number | null };
    return row.oldest ?? 0;
  }

  #deleteSome(cutoff: number): boolean {
    if (this.#deleteBodies() || this.#deleteBlocks(cutoff) || this.#deleteSamples(cutoff)) return true;
    return this.#deleteChunks(cutoff);
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

  #deleteSamples(cutoff: number): boolean {
    const { changes } = this.#db
      .prepare(
        'DELETE FROM sample WHERE (ts, sid) IN (SELECT ts, sid FROM sample WHERE ts < ? ORDER BY ts LIMIT ?)',
      )
      .run(cutoff, STEP_SAMPLES);
    this.#deleted += Number(changes);
    return Number(changes) === STEP_SAMPLES;
  }

  /** Chunks lie by series: a pass goes over all series, some in each step, when a pack has wholly passed the cutoff. */
  #deleteChunks(cutoff: number): boolean {
    this.#pass ??= this.#begin(cutoff);
    if (this.#pass === undefined) return false;
    const sids = this.#db
      .prepare('SELECT DISTINCT sid FROM series WHERE sid > ? ORDER BY sid LIMIT ?')
      .all(this.#pass.sid, STEP_SERIES) as {
      sid: number;
    }[];
    const remove = this.#db.prepare('DELETE FROM chunk WHERE sid = ? AND end_ms < ? AND start_ms < ?');
    for (const { sid } of sids) {
      this.#deleted += Number(remove.run(sid, this.#pass.cutoff, this.#pass.cutoff).changes);
      this.#pass.sid = sid;
    }
    if (sids.length === STEP_SERIES) return true;
    this.#db.prepare('DELETE FROM pack WHERE end_ms < ?').run(this.#pass.cutoff);
    this.#pass = undefined;
    return false;
  }

  #begin(cutoff: number): { cutoff: number; sid: number } | undefined {
    const due = this.#db.prepare('SELECT 1 FROM pack WHERE end_ms < ? LIMIT 1').get(cutoff);
    return due === undefined ? undefined : { cutoff, sid: 0 };
  }

  #pragma(name: 'page_count' | 'freelist_count' | 'page_size'): number {
    return (this.#db.prepare(`PRAGMA ${name}`).get() as Record<string, number>)[name] ?? 0;
  }
}
