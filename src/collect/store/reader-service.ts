import type { Labels, Matcher } from '../../model/series.ts';
import { answerQuestion } from '../lines/answer-question.ts';
import type { LineAnswer, LineQuestion, NewLines, QuestionLimits } from '../lines/line-question.ts';
import { newLines } from '../lines/new-lines.ts';
import { type StoredAgent, readAgents } from './fleet-query.ts';
import { LineSearch } from './line-search.ts';
import type { RecordFilter, RecordPage, RecordQuery, StoredRecord } from './record-query.ts';
import { RecordSearch } from './record-search.ts';
import type { MetricMetadata } from './sample-batch.ts';
import { SampleSelect } from './sample-select.ts';
import { type SeriesBlock, SeriesBlockWriter } from './series-block.ts';
import { type CatalogEntry, SeriesCatalog } from './series-catalog.ts';
import { SeriesPresence } from './series-presence.ts';
import { type Database, openDatabase, Stopped, stoppable } from './sqlite.ts';

/** The reading thread: answers queries from a connection of its own, so that a long one does not hold up ingest. */
export class ReaderService {
  readonly #db: Database;
  readonly #catalog: SeriesCatalog;
  readonly #samples: SampleSelect;
  readonly #presence: SeriesPresence;
  readonly #records: RecordSearch;
  readonly #lines: LineSearch;
  readonly #isToStop: () => boolean;
  readonly #block = new SeriesBlockWriter();

  /** A query throws Stopped once `isToStop` says so. */
  constructor(path: string, isToStop: () => boolean) {
    this.#db = stoppable(openDatabase(path, { readOnly: true }), isToStop);
    this.#db.exec('PRAGMA cache_size = -65536');
    this.#db.exec('PRAGMA temp_store = MEMORY');
    this.#catalog = new SeriesCatalog(this.#db, () => this.#block.forget());
    this.#presence = new SeriesPresence(this.#db);
    this.#samples = new SampleSelect(this.#db, this.#catalog);
    this.#records = new RecordSearch(this.#db);
    this.#lines = new LineSearch(this.#db);
    this.#isToStop = isToStop;
  }

  select(matchers: readonly Matcher[], fromMs: number, toMs: number, samplesMax: number): SeriesBlock {
    return this.#block.write(this.#samples.select(matchers, fromMs, toMs, samplesMax));
  }

  series(matchers: readonly Matcher[], fromMs: number, toMs: number): Labels[] {
    return this.#matching(matchers, fromMs, toMs).map(({ labels }) => labels);
  }

  labelNames(matchers: readonly Matcher[], fromMs: number, toMs: number): string[] {
    this.#catalog.refresh();
    if (this.#meansAll(matchers, fromMs, toMs)) return this.#catalog.labelNames();
    const names = new Set<string>();
    for (const { labels } of this.#matching(matchers, fromMs, toMs))
      for (const name in labels) names.add(name);
    return [...names].sort();
  }

  labelValues(name: string, matchers: readonly Matcher[], fromMs: number, toMs: number): string[] {
    this.#catalog.refresh();
    if (this.#meansAll(matchers, fromMs, toMs)) return this.#catalog.labelValues(name);
    const values = this.#matching(matchers, fromMs, toMs).map(({ labels }) => labels[name] ?? '');
    return [...new Set(values.filter((value) => value !== ''))].sort();
  }

  #meansAll(matchers: readonly Matcher[], fromMs: number, toMs: number): boolean {
    return matchers.length === 0 && fromMs <= 0 && toMs >= this.#catalog.youngestMs;
  }

  #matching(matchers: readonly Matcher[], fromMs: number, toMs: number): readonly CatalogEntry[] {
    this.#catalog.refresh();
    return this.#presence.within(this.#catalog.match(matchers), fromMs, toMs);
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

  lines(question: LineQuestion, limits: QuestionLimits): Promise<LineAnswer> {
    return answerQuestion(question, this.#lines, limits, () => {
      if (this.#isToStop()) throw new Stopped();
    });
  }

  linesAfter(place: string, query: string, limit: number): NewLines {
    return newLines(this.#lines, Number(place), query, limit);
  }

  agents(): StoredAgent[] {
    return readAgents(this.#db);
  }

  close(): void {
    this.#db.close();
  }
}
