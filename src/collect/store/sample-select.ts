import type { Matcher } from '../../model/series.ts';
import { CHUNK_SPAN_MS } from './packer.ts';
import { unpackSamples } from './sample-chunk.ts';
import type { NumberedSeries } from './series-block.ts';
import type { CatalogEntry, SeriesCatalog } from './series-catalog.ts';
import type { Database } from './sqlite.ts';

export class TooManySamples extends Error {}

/** Reads series: the packed part by series, the recent part in one scan of its time range. */
export class SampleSelect {
  readonly #db: Database;
  readonly #catalog: SeriesCatalog;
  readonly #chunks;
  readonly #recent;

  constructor(db: Database, catalog: SeriesCatalog) {
    this.#db = db;
    this.#catalog = catalog;
    this.#chunks = db.prepare(
      'SELECT bytes FROM chunk WHERE sid = ? AND start_ms BETWEEN ? AND ? AND end_ms >= ? ORDER BY start_ms, number',
    );
    // The unary plus keeps the planner from one look-up for each series and instant, which is slower by far.
    this.#recent = db.prepare(
      'SELECT ts, sid, v FROM sample WHERE ts BETWEEN ? AND ? AND +sid IN (SELECT value FROM json_each(?))',
    );
  }

  select(matchers: readonly Matcher[], fromMs: number, toMs: number, samplesMax: number): NumberedSeries[] {
    this.#db.exec('BEGIN');
    try {
      this.#catalog.refresh();
      return this.#read(this.#catalog.match(matchers), fromMs, toMs, samplesMax);
    } finally {
      this.#db.exec('COMMIT');
    }
  }

  #read(
    entries: readonly CatalogEntry[],
    fromMs: number,
    toMs: number,
    samplesMax: number,
  ): NumberedSeries[] {
    const found = new Map<number, SeriesBuilder>();
    let samples = 0;
    const builderOf = (entry: CatalogEntry): SeriesBuilder => {
      let builder = found.get(entry.sid);
      if (builder === undefined) found.set(entry.sid, (builder = new SeriesBuilder(entry)));
      return builder;
    };
    const count = (): void => {
      if (++samples > samplesMax)
        throw new TooManySamples(
          `query reads more than ${samplesMax} samples; choose fewer series or a shorter time`,
        );
    };
    const from = Math.ceil(fromMs);
    const to = Math.floor(toMs);
    for (const entry of entries) {
      for (const row of this.#chunks.iterate(entry.sid, from - CHUNK_SPAN_MS, to, from)) {
        unpackSamples((row as { bytes: Uint8Array }).bytes, (time, value) => {
          if (time < from || time > to) return;
          count();
          builderOf(entry).add(time, value);
        });
      }
    }
    const bySid = new Map(entries.map((entry) => [entry.sid, entry]));
    for (const row of this.#recent.iterate(from, to, JSON.stringify([...bySid.keys()]))) {
      const { ts, sid, v } = row as { ts: number; sid: number; v: number | null | 'NaN' };
      count();
      builderOf(bySid.get(sid)!).add(ts, v === 'NaN' ? NaN : v);
    }
    return [...found.values()].map((builder) => builder.finish());
  }
}

/** Collects the samples of one series; sorts them only where late ones came out of order. */
class SeriesBuilder {
  readonly #entry: CatalogEntry;
  readonly #times: number[] = [];
  readonly #values: (number | null)[] = [];
  #ordered = true;
  #anyStale = false;

  constructor(entry: CatalogEntry) {
    this.#entry = entry;
  }

  add(time: number, value: number | null): void {
    if (this.#times.length > 0 && time <= this.#times[this.#times.length - 1]!) this.#ordered = false;
    if (value === null) this.#anyStale = true;
    this.#times.push(time);
    this.#values.push(value);
  }

  finish(): NumberedSeries {
    const order = this.#ordered ? undefined : this.#sortedOrder();
    const length = order?.length ?? this.#times.length;
    const times = new Float64Array(length);
    const values = new Float64Array(length);
    const stale = this.#anyStale ? new Uint8Array(length) : undefined;
    for (let i = 0; i < length; i++) {
      const at = order?.[i] ?? i;
      const value = this.#values[at]!;
      times[i] = this.#times[at]!;
      values[i] = value ?? NaN;
      if (value === null && stale !== undefined) stale[i] = 1;
    }
    const { sid, labels } = this.#entry;
    return stale === undefined ? { sid, labels, times, values } : { sid, labels, times, values, stale };
  }

  /** By time; of several at one instant the one stored last. */
  #sortedOrder(): number[] {
    const times = this.#times;
    const order = times.map((_, i) => i).sort((a, b) => times[a]! - times[b]! || a - b);
    return order.filter((at, i) => i + 1 === order.length || times[order[i + 1]!] !== times[at]);
  }
}
