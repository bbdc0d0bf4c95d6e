import { faultPoint } from '../../platform/fault.ts';
import { packSamples } from './sample-chunk.ts';
import { type Database, inTransaction } from './sqlite.ts';

/** No chunk spans more; so a query knows how far back a chunk with its samples may begin. */
export const CHUNK_SPAN_MS = 3_600_000;
/** Samples younger than this stay rows: late ones mostly fall there. */
const PACK_AGE_MS = 15 * 60_000;
/** Samples in one pass: it blocks ingest for about a tenth of a second. */
const PASS_SAMPLES = 100_000;
/** Fewer are not worth a pass. */
const WORTH_SAMPLES = 10_000;

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

  constructor(db: Database) {
    this.#db = db;
    this.#oldest = db.prepare('SELECT MIN(ts) AS ts FROM sample');
    this.#window = db.prepare('SELECT ts, sid, v FROM sample WHERE ts >= ? AND ts < ? ORDER BY ts, sid');
    this.#insert = db.prepare(
      'INSERT INTO chunk (sid, start_ms, number, end_ms, bytes) VALUES (?, ?, ?, ?, ?)',
    );
    this.#delete = db.prepare('DELETE FROM sample WHERE ts >= ? AND ts <= ?');
    this.#touch = db.prepare('UPDATE series SET last_ms = MAX(last_ms, ?) WHERE sid = ?');
    this.#newPack = db.prepare('INSERT INTO pack (start_ms, end_ms) VALUES (?, ?)');
  }

  /** One pass; false where there was nothing worth it. `endMs` limits it, for tests and for a store at rest. */
  pass(nowMs: number, worthSamples = WORTH_SAMPLES): boolean {
    const { ts: start } = this.#oldest.get() as { ts: number | null };
    const end = nowMs - PACK_AGE_MS;
    if (start === null || start >= end) return false;
    const window = this.#readWindow(start, Math.min(end, start + CHUNK_SPAN_MS));
    const complete = end > start + CHUNK_SPAN_MS;
    if (window.samples < worthSamples && !complete) return false;
    faultPoint('collect.pack.before');
    inTransaction(this.#db, () => this.#store(start, window));
    faultPoint('collect.pack.after');
    return true;
  }

  #readWindow(start: number, end: number): Window {
    const series = new Map<number, { times: number[]; values: (number | null)[] }>();
    let samples = 0;
    let last = start;
    for (const row of this.#window.iterate(start, end)) {
      const { ts, sid, v } = row as { ts: number; sid: number; v: number | null | 'NaN' };
      // An instant is packed whole or not at all: what is deleted is a range of time.
      if (samples >= PASS_SAMPLES && ts !== last) break;
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
