import type { Labels, Matcher } from '../../model/series.ts';
import { type StoredAgent, readAgents } from './fleet-query.ts';
import type { RecordFilter, RecordPage, RecordQuery, StoredRecord } from './record-query.ts';
import { RecordSearch } from './record-search.ts';
import type { MetricMetadata } from './sample-batch.ts';
import { SampleSelect } from './sample-select.ts';
import { type SeriesBlock, SeriesBlockWriter } from './series-block.ts';
import { SeriesCatalog } from './series-catalog.ts';
import { type Database, openDatabase, stoppable } from './sqlite.ts';

/** The reading thread: answers queries from a connection of its own, so that a long one does not hold up ingest. */
export class ReaderService {
  readonly #db: Database;
  readonly #catalog: SeriesCatalog;
  readonly #samples: SampleSelect;
  readonly #records: RecordSearch;
  readonly #block = new SeriesBlockWriter();

  /** A query throws Stopped once `isToStop` says so. */
  constructor(path: string, isToStop: () => boolean) {
    this.#db = stoppable(openDatabase(path, { readOnly: true }), isToStop);
    this.#db.exec('PRAGMA cache_size = -65536');
    this.#db.exec('PRAGMA temp_store = MEMORY');
    this.#catalog = new SeriesCatalog(this.#db, () => this.#block.forget());
    this.#samples = new SampleSelect(this.#db, this.#catalog);
    this.#records = new RecordSearch(this.#db);
  }

  select(matchers: readonly Matcher[], fromMs: number, toMs: number, samplesMax: number): SeriesBlock {
    return this.#block.write(this.#samples.select(matchers, fromMs, toMs, samplesMax));
  }

  series(matchers: readonly Matcher[], fromMs: number, toMs: number): Labels[] {
    return this.#matching(matchers, fromMs, toMs).map(({ labels }) => labels);
  }

  labelNames(matchers: readonly Matcher[], fromMs: number, toMs: number): string[] {
    this.#catalog.refresh();
    if (matchers.length === 0) return this.#catalog.labelNames();
    return [
      ...new Set(this.#matching(matchers, fromMs, toMs).flatMap(({ labels }) => Object.keys(labels))),
    ].sort();
  }

  labelValues(name: string, matchers: readonly Matcher[], fromMs: number, toMs: number): string[] {
    this.#catalog.refresh();
    if (matchers.length === 0) return this.#catalog.labelValues(name);
    const values = this.#matching(matchers, fromMs, toMs).map(({ labels }) => labels[name] ?? '');
    return [...new Set(values.filter((value) => value !== ''))].sort();
  }

  #matching(matchers: readonly Matcher[], _fromMs: number, toMs: number): { readonly labels: Labels }[] {
    this.#catalog.refresh();
    return this.#catalog.match(matchers).filter(({ firstMs }) => firstMs <= toMs);
  }

  metadata(): MetricMetadata[] {
    return this.#db
      .prepare('SELECT name, type, help, unit FROM metric ORDER BY name')
      .all() as MetricMetadata[];
  }

  records(query: RecordQuery): RecordPage {
    return this.#records.page(query);
  }

  recordsAfter(
    block: number,
    filter: RecordFilter,
    limit: number,
  ): { readonly records: readonly StoredRecord[]; readonly through: number } {
    return this.#records.after(block, filter, limit);
  }

  newestBlock(): number {
    return this.#records.newestBlock();
  }

  recordCount(query: Pick<RecordQuery, 'fromMs' | 'toMs' | 'labels' | 'text'>): number {
    return this.#records.count(query);
  }

  recordVolume(fromMs: number, toMs: number, slots: number, filter: RecordFilter): number[] {
    return this.#records.volume(fromMs, toMs, slots, filter);
  }

  agents(): StoredAgent[] {
    return readAgents(this.#db);
  }

  close(): void {
    this.#db.close();
  }
}
