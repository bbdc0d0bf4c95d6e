import { type Database, inTransaction } from '../store/sqlite.ts';
import type { MetricMetadata } from '../../samples/log-codec.ts';
import { unpackSamples } from './old-chunk.ts';

/** No chunk of an older store spans more. */
const CHUNK_SPAN_MS = 3_600_000;

export interface OldSeries {
  readonly sid: number;
  /** Names and values in turn, by name. */
  readonly pairs: readonly string[];
  readonly firstMs: number;
}

export interface OldSample {
  readonly ts: number;
  readonly sid: number;
  /** `null` is a stale marker. */
  readonly value: number | null;
}

/** The samples of a store that kept them in its database: rows of the last hour, and chunks by series before that. */
export class OldSamples {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Whether there are any. */
  get isThere(): boolean {
    return (
      this.#db.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'sample'").get() !==
      undefined
    );
  }

  *series(): Generator<OldSeries> {
    for (const row of this.#db.prepare('SELECT sid, labels, first_ms FROM series ORDER BY sid').iterate()) {
      const { sid, labels, first_ms: firstMs } = row as { sid: number; labels: string; first_ms: number };
      yield { sid, pairs: (JSON.parse(labels) as [string, string][]).flat(), firstMs };
    }
  }

  metadata(): MetricMetadata[] {
    return this.#db.prepare('SELECT name, type, help, unit FROM metric').all() as MetricMetadata[];
  }

  /** About so many rows, oldest first, whole instants. */
  rows(count: number): OldSample[] {
    const found = this.#db.prepare('SELECT ts, sid, v FROM sample ORDER BY ts LIMIT ?').all(count) as Row[];
    const last = found.at(-1)?.ts;
    if (last === undefined || found.length < count) return found.map(oldSample);
    const rest = found.filter(({ ts }) => ts < last);
    const lastInstant = this.#db.prepare('SELECT ts, sid, v FROM sample WHERE ts = ?').all(last) as Row[];
    return [...rest, ...lastInstant].map(oldSample);
  }

  removeRows(throughMs: number): void {
    inTransaction(this.#db, () => this.#db.prepare('DELETE FROM sample WHERE ts <= ?').run(throughMs));
  }

  /** When the newest chunk ends; undefined where there is none. */
  newestMs(): number | undefined {
    const row = this.#db.prepare('SELECT MAX(end_ms) AS end FROM pack').get() as { end: number | null };
    return row.end ?? undefined;
  }

  /** The samples of a series in [fromMs, toMs) that lie in chunks, in the order in which they were written. */
  chunkSamples(
    sid: number,
    fromMs: number,
    toMs: number,
    each: (time: number, value: number | null) => void,
  ): void {
    const rows = this.#db
      .prepare(
        'SELECT bytes FROM chunk WHERE sid = ? AND start_ms >= ? AND start_ms < ? AND end_ms >= ? ORDER BY number, start_ms',
      )
      .all(sid, fromMs - CHUNK_SPAN_MS, toMs, fromMs) as { bytes: Uint8Array }[];
    for (const { bytes } of rows)
      unpackSamples(bytes, (time, value) => {
        if (time >= fromMs && time < toMs) each(time, value);
      });
  }

  /** Removes what begins at or after a time: it was carried over. */
  removeChunks(sids: readonly number[], fromMs: number): void {
    inTransaction(this.#db, () => {
      const remove = this.#db.prepare('DELETE FROM chunk WHERE sid = ? AND start_ms >= ?');
      for (const sid of sids) remove.run(sid, fromMs);
    });
  }

  /** Packs that begin at or after a time are done with; one that began before ends there at the latest. */
  cutPacks(fromMs: number): void {
    inTransaction(this.#db, () => {
      this.#db.prepare('DELETE FROM pack WHERE start_ms >= ?').run(fromMs);
      this.#db.prepare('UPDATE pack SET end_ms = ? WHERE end_ms >= ?').run(fromMs - 1, fromMs);
    });
  }

  /** Nothing is left in them. */
  dropTables(): void {
    inTransaction(this.#db, () => {
      for (const table of ['sample', 'chunk', 'pack', 'series', 'metric'])
        this.#db.exec(`DROP TABLE ${table}`);
    });
  }
}

interface Row {
  readonly ts: number;
  readonly sid: number;
  readonly v: number | null | 'NaN';
}

function oldSample({ ts, sid, v }: Row): OldSample {
  return { ts, sid, value: v === 'NaN' ? NaN : v };
}
