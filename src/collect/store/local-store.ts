import { dirname, join } from 'node:path';
import type { Labels, Matcher, SeriesData } from '../../model/series.ts';
import type { MetricMetadata } from '../../samples/log-codec.ts';
import { SampleEngine } from '../samples/sample-engine.ts';
import { makeShare } from '../samples/store-share.ts';
import type { QueryCalls, QueryMethod } from '../samples/query-protocol.ts';
import type { LineAnswer, LineQuestion, NewLines } from '../lines/line-question.ts';
import type { StoreLoss } from './store-note.ts';
import type { Admission, Sender } from './agent-ledger.ts';
import type { StoredAgent } from './fleet-query.ts';
import type { IngestRequest, IngestResult } from './ingest-request.ts';
import type { RecordFilter, RecordPage, RecordQuery } from './record-query.ts';
import type { RetentionLimits } from './retention.ts';
import { SqliteStore } from './sqlite-store.ts';
import type { RecordTail, Store, StoreFigures, TailPlace } from './store.ts';

export interface LocalStoreOptions {
  /** The database file; its folder is made, and `samples` beside it. */
  readonly path: string;
  readonly retention: RetentionLimits;
  /** Series in all; default 2 million. */
  readonly seriesMax?: number;
  /** Series with one value of the label `agent`; default 200,000. */
  readonly seriesPerAgentMax?: number;
  /** Memory for recent samples; default 2 GiB. */
  readonly headBytesMax?: number;
  /** A query that takes longer is ended; default 30 s. */
  readonly queryTimeoutMs?: number;
  /** Most samples that one query reads; default 20 million. */
  readonly querySamplesMax?: number;
  /** Most series of an answer of LogQL; default 5,000. */
  readonly querySeriesMax?: number;
  /** Bytes, as they travelled, that may wait to be stored; beyond it `isBusy`. Default 64 MiB. */
  readonly queuedBytesMax?: number;
  readonly maintenanceMs?: number;
  readonly queryWorker: URL;
  /** Told in sentences what a start found damaged. */
  readonly warn?: (sentence: string) => void;
}

const QUERY_SAMPLES_MAX = 20_000_000;
const QUERY_SERIES_MAX = 5000;
const SERIES_MAX = 2_000_000;
const SERIES_PER_AGENT_MAX = 200_000;
const HEAD_BYTES_MAX = 2 ** 31;
const QUEUED_BYTES_MAX = 64 * 1024 * 1024;

/** A store on the disk of this machine: records and agents in one SQLite file, samples in files of their own beside it. */
export class LocalStore implements Store {
  readonly id: string;
  /** What was in the database when it was used last, and is not there now. */
  readonly loss: StoreLoss | undefined;
  readonly #sqlite: SqliteStore;
  readonly #samples: SampleEngine;
  readonly #queuedBytesMax: number;
  #queuedBytes = 0;

  private constructor(sqlite: SqliteStore, samples: SampleEngine, queuedBytesMax: number) {
    this.id = sqlite.id;
    this.loss = sqlite.loss;
    this.#sqlite = sqlite;
    this.#samples = samples;
    this.#queuedBytesMax = queuedBytesMax;
  }

  /** Rejects with a sentence for the user where the files cannot be used. */
  static async open(options: LocalStoreOptions): Promise<LocalStore> {
    const { path, retention, maintenanceMs = 5000, queryTimeoutMs = 30_000, queryWorker } = options;
    const querySamplesMax = options.querySamplesMax ?? QUERY_SAMPLES_MAX;
    const share = makeShare();
    const sqlite = await SqliteStore.open({
      path,
      retention,
      maintenanceMs,
      queryTimeoutMs,
      querySamplesMax,
      querySeriesMax: options.querySeriesMax ?? QUERY_SERIES_MAX,
      share,
    });
    try {
      const samples = await SampleEngine.open({
        folder: join(dirname(path), 'samples'),
        storePath: path,
        limits: {
          seriesMax: options.seriesMax ?? SERIES_MAX,
          seriesPerAgentMax: options.seriesPerAgentMax ?? SERIES_PER_AGENT_MAX,
          bytesMax: options.headBytesMax ?? HEAD_BYTES_MAX,
        },
        retention,
        maintenanceMs,
        share,
        queryTimeoutMs,
        querySamplesMax,
        queryWorker,
        warn: options.warn ?? (() => undefined),
      });
      return new LocalStore(sqlite, samples, options.queuedBytesMax ?? QUEUED_BYTES_MAX);
    } catch (cause) {
      await sqlite.close();
      throw new Error(`cannot open the store: ${(cause as Error).message}`, { cause });
    }
  }

  get writers(): Store['writers'] {
    return [
      { name: 'writer', ...this.#sqlite.writing },
      { name: 'samples', ...this.#samples.writing },
    ];
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  isBusy(bytes: number): boolean {
    return this.#queuedBytes > 0 && this.#queuedBytes + bytes > this.#queuedBytesMax;
  }

  async ingest(request: IngestRequest): Promise<IngestResult> {
    const bytes = request.body.bytes.length;
    this.#queuedBytes += bytes;
    try {
      return await (request.kind === 'logs' || request.kind === 'push'
        ? this.#sqlite.ingest(request)
        : this.#samples.ingest(request));
    } finally {
      this.#queuedBytes -= bytes;
    }
  }

  heartbeat(sender: Sender, heartbeat: string, nowMs: number): Promise<Admission> {
    return this.#sqlite.heartbeat(sender, heartbeat, nowMs);
  }

  forgetSecret(agent: string): Promise<boolean> {
    return this.#sqlite.forgetSecret(agent);
  }

  agents(): Promise<readonly StoredAgent[]> {
    return this.#sqlite.agents();
  }

  /** Asks a thread that answers queries: PromQL and its JSON are made there. */
  ask<M extends QueryMethod>(
    method: M,
    args: QueryCalls[M]['args'],
    signal?: AbortSignal,
  ): Promise<QueryCalls[M]['result']> {
    return this.#samples.ask(method, args, signal);
  }

  select(matchers: readonly Matcher[], fromMs: number, toMs: number): Promise<readonly SeriesData[]> {
    return this.#samples.select(matchers, fromMs, toMs);
  }

  series(matchers: readonly Matcher[], fromMs: number, toMs: number): Promise<readonly Labels[]> {
    return this.#samples.series(matchers, fromMs, toMs);
  }

  labelNames(matchers: readonly Matcher[], fromMs: number, toMs: number): Promise<readonly string[]> {
    return this.#samples.labelNames(matchers, fromMs, toMs);
  }

  labelValues(
    name: string,
    matchers: readonly Matcher[],
    fromMs: number,
    toMs: number,
  ): Promise<readonly string[]> {
    return this.#samples.labelValues(name, matchers, fromMs, toMs);
  }

  metadata(): Promise<readonly MetricMetadata[]> {
    return this.#samples.metadata();
  }

  records(query: RecordQuery): Promise<RecordPage> {
    return this.#sqlite.records(query);
  }

  recordCount(query: Pick<RecordQuery, 'fromMs' | 'toMs' | 'labels' | 'text'>): Promise<number> {
    return this.#sqlite.recordCount(query);
  }

  recordVolume(
    fromMs: number,
    toMs: number,
    slots: number,
    filter: RecordFilter,
  ): Promise<readonly number[]> {
    return this.#sqlite.recordVolume(fromMs, toMs, slots, filter);
  }

  lines(question: LineQuestion): Promise<LineAnswer> {
    return this.#sqlite.lines(question);
  }

  linesAfter(place: TailPlace, query: string, limit: number): Promise<NewLines> {
    return this.#sqlite.linesAfter(place, query, limit);
  }

  recordsAfter(place: TailPlace, filter: RecordFilter, limit: number): Promise<RecordTail> {
    return this.#sqlite.recordsAfter(place, filter, limit);
  }

  tailPlace(): Promise<TailPlace> {
    return this.#sqlite.tailPlace();
  }

  onRecords(callback: () => void): () => void {
    return this.#sqlite.onRecords(callback);
  }

  async stats(): Promise<StoreFigures> {
    const [records, samples] = await Promise.all([this.#sqlite.stats(), this.#samples.stats()]);
    return {
      bytes: records.bytes + samples.bytes,
      series: samples.series,
      commits: records.commits + samples.commits,
      upkeep: [...records.upkeep, ...samples.upkeep],
    };
  }

  async maintain(nowMs: number): Promise<void> {
    // Twice: what the one deletes may make it the other's turn.
    for (let round = 0; round < 2; round++) {
      await this.#samples.maintain(nowMs);
      await this.#sqlite.maintain(nowMs);
    }
  }

  async close(): Promise<void> {
    await this.#samples.close();
    await this.#sqlite.close();
  }
}
