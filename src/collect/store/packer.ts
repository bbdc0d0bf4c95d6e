import { faultPoint } from '../../platform/fault.ts';
import { packSamples } from './sample-chunk.ts';
import { type Database, inTransaction } from './sqlite.ts';

/** No chunk spans more; so a query knows how far back a chunk with its samples may begin. */
export const CHUNK_SPAN_MS = 3_600_000;
/** Samples younger than this stay rows: late ones mostly fall there. */
const PACK_AGE_MS = 15 * 60_000;
/** Samples in one pass: it blocks ingest for about a tenth of a second. More series take more, so that chunks stay worth their row. */
const PASS_SAMPLES_MIN = 100_000;
const PASS_SAMPLES_MAX = 300_000;
const PASS_SAMPLES_PER_SERIES = 30;
/** Passes over less than that come no closer: while a backlog arrives, each would pack a few samples. */
const SMALL_PASS_EACH_MS = 60_000;

/**
 * Moves samples from rows (in the order of time, cheap to write) to chunks (by series, cheap to read and a tenth the
 * size). One pass is one transaction. Samples that come late make further chunks of the same time; reading merges them.
 */
export class Packer {
  readonly #db: Database;
  readonly #oldest;
  readonly #window;
  readonly #insert;
  readonly #delete;
  readonly #newPack;
  readonly #touch;
  readonly #nth;
  #smallPassMs = -SMALL_PASS_EACH_MS;

  constructor(db: Database) {
    this.#db = db;
    this.#oldest = db.prepare('SELECT MIN(ts) AS ts FROM sample');
    this.#window = db.prepare('SELECT ts, sid, v FROM sample WHERE ts >= ? AND ts < ? ORDER BY ts, sid');
    this.#insert = db.prepare(
      'INSERT INTO chunk (sid, start_ms, number, end_ms, bytes) VALUES (?, ?, ?, ?, ?)',
    );
    this.#delete = db.prepare('DELETE FROM sample WHERE ts >= ? AND ts <= ?');
    this.#nth = db.prepare('SELECT 1 FROM sample WHERE ts >= ? AND ts < ? LIMIT 1 OFFSET ?');
    this.#touch = db.prepare('UPDATE series SET last_ms = MAX(last_ms, ?) WHERE sid = ?');
    this.#newPack = db.prepare('INSERT INTO pack (start_ms, end_ms) VALUES (?, ?)');
  }

  /**
   * One pass; false where there was nothing worth it: a window is packed when it is full, or when it is over and
   * nothing was packed for a while. `eager` packs whatever is old enough.
   */
  pass(nowMs: number, series: number, eager = false): boolean {
    const { ts: start } = this.#oldest.get() as { ts: number | null };
    const end = nowMs - PACK_AGE_MS;
    if (start === null || start >= end) return false;
    const samplesMax = Math.min(
      PASS_SAMPLES_MAX,
      Math.max(PASS_SAMPLES_MIN, series * PASS_SAMPLES_PER_SERIES),
    );
    const over = end >= start + CHUNK_SPAN_MS;
    const mayBeSmall = eager || (over && nowMs - this.#smallPassMs >= SMALL_PASS_EACH_MS);
    const to = Math.min(end, start + CHUNK_SPAN_MS);
    if (!mayBeSmall && !this.#holds(samplesMax, start, to)) return false;
    const window = this.#readWindow(start, to, samplesMax);
    if (window.samples < samplesMax) this.#smallPassMs = nowMs;
    faultPoint('collect.pack.before');
    inTransaction(this.#db, () => this.#store(start, window));
    faultPoint('collect.pack.after');
    return true;
  }

  #holds(samples: number, start: number, end: number): boolean {
    return this.#nth.get(start, end, samples - 1) !== undefined;
  }

  #readWindow(start: number, end: number, samplesMax: number): Window {
    const series = new Map<number, { times: number[]; values: (number | null)[] }>();
    let samples = 0;
    let last = start;
    for (const row of this.#window.iterate(start, end)) {
      const { ts, sid, v } = row as { ts: number; sid: number; v: number | null | 'NaN' };
      // An instant is packed whole or not at all: what is deleted is a range of time.
      if (samples >= samplesMax && ts !== last) break;
      last = ts;
      samples++;
      let one = series.get(sid);
      if (one === undefined) series.set(sid, (one = { times: [], values: [] }));
      one.times.push(ts);
      one.values.push(v === 'NaN' ? NaN : v);
    }
    return { samples, last, series };
  }

  #store(start: number, { last, series }: Window): void {
    const number = Number(this.#newPack.run(start, last).lastInsertRowid);
    for (const [sid, samples] of series) {
      const { times } = samples;
      this.#insert.run(sid, times[0]!, number, times[times.length - 1]!, packSamples(samples));
      this.#touch.run(times[times.length - 1]!, sid);
    }
    this.#delete.run(start, last);
  }
}

interface Window {
  readonly samples: number;
  readonly last: number;
  readonly series: ReadonlyMap<
    number,
    { readonly times: readonly number[]; readonly values: readonly (number | null)[] }
  >;
}
