import { EventEmitter } from 'node:events';
import { dirname } from 'node:path';
import type { Labels, Matcher, SeriesData } from '../../model/series.ts';
import { StartRefused } from '../../model/start-refused.ts';
import { makeFolder } from '../../platform/make-folder.ts';
import type { LineAnswer, LineQuestion, NewLines } from '../lines/line-question.ts';
import type { Admission, Sender } from './agent-ledger.ts';
import type { StoredAgent } from './fleet-query.ts';
import type { IngestRequest, IngestResult } from './ingest-request.ts';
import type { RecordFilter, RecordPage, RecordQuery } from './record-query.ts';
import type { RetentionLimits } from './retention.ts';
import { SERIES_MAX } from './series-ids.ts';
import type { MetricMetadata } from './sample-batch.ts';
import { SeriesBlockReader } from './series-block.ts';
import type { RecordTail, Store, TailPlace } from './store.ts';
import type { StoreLoss } from './store-note.ts';
import { StoreThread } from './store-thread.ts';
import type { StoreWorkerData, WriterStats } from './store-protocol.ts';

export interface SqliteStoreOptions {
  /** The database file; its folder is made. */
  readonly path: string;
  readonly retention: RetentionLimits;
  readonly seriesMax?: number;
  /** A query that takes longer is ended; default 30 s. */
  readonly queryTimeoutMs?: number;
  /** Most samples that one `select` reads; default 20 million. */
  readonly querySamplesMax?: number;
  /** Most series of an answer of LogQL; default 5,000. */
  readonly querySeriesMax?: number;
  /** Bytes, as they travelled, that may wait for the writer; beyond it `ingest` answers `busy`. Default 64 MiB. */
  readonly queuedBytesMax?: number;
  readonly maintenanceMs?: number;
}

/** Several queries for lines take turns: one may wait for the others. */
const LINES_GRACE_MS = 30_000;

interface Threads {
  readonly writer: StoreThread;
  readonly reader: StoreThread;
  readonly lines: StoreThread;
}

/** A store in one SQLite file: every call is answered by the writing or the reading thread. */
export class SqliteStore implements Store {
  readonly id: string;
  /** What was in the database when it was used last, and is not there now. */
  readonly loss: StoreLoss | undefined;
  readonly #writer: StoreThread;
  readonly #reader: StoreThread;
  /** Reads lines for LogQL: many small steps, which must not hold up the queries for samples. */
  readonly #lines: StoreThread;
  readonly #options: SqliteStoreOptions;
  readonly #commits = new EventEmitter();
  readonly #labels = new SeriesBlockReader();
  #queuedBytes = 0;

  private constructor(threads: Threads, { options, id, loss }: Opened) {
    this.id = id;
    this.loss = loss;
    this.#writer = threads.writer;
    this.#reader = threads.reader;
    this.#lines = threads.lines;
    this.#options = options;
    this.#commits.setMaxListeners(0);
  }

  /** Rejects with a sentence for the user where the file cannot be used. */
  static async open(options: SqliteStoreOptions): Promise<SqliteStore> {
    makeFolder(dirname(options.path));
    const data: Omit<StoreWorkerData, 'role' | 'stop'> = {
      path: options.path,
      retention: options.retention,
      seriesMax: options.seriesMax ?? SERIES_MAX,
      maintenanceMs: options.maintenanceMs ?? 5000,
    };
    let writer: StoreThread | undefined;
    try {
      writer = await StoreThread.start({ ...data, role: 'writer' });
      const reader = await StoreThread.start({ ...data, role: 'reader' });
      const lines = await StoreThread.start({ ...data, role: 'reader' });
      const loss = await writer.call('loss', []);
      const id = await writer.call('storeId', []);
      return new SqliteStore({ writer, reader, lines }, { options, id, loss });
    } catch (cause) {
      await writer?.close();
      throw storeRefused(options.path, cause as Error);
    }
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  get writing(): Store['writing'] {
    return this.#writer.calls;
  }

  isBusy(bytes: number): boolean {
    return (
      this.#queuedBytes > 0 && this.#queuedBytes + bytes > (this.#options.queuedBytesMax ?? 64 * 1024 * 1024)
    );
  }

  async ingest(request: IngestRequest): Promise<IngestResult> {
    const { body } = request;
    const bytes = body.bytes.length;
    this.#queuedBytes += bytes;
    try {
      const owned = ownBuffer(body.bytes);
      const result = await this.#writer.call('ingest', [{ ...request, body: { ...body, bytes: owned } }], {
        transfer: [owned.buffer as ArrayBuffer],
      });
      if (result.kind === 'stored' && result.records > 0) this.#commits.emit('records');
      return result;
    } finally {
      this.#queuedBytes -= bytes;
    }
  }

  onRecords(callback: () => void): () => void {
    this.#commits.on('records', callback);
    return () => this.#commits.off('records', callback);
  }

  heartbeat(sender: Sender, heartbeat: string, nowMs: number): Promise<Admission> {
    return this.#writer.call('heartbeat', [sender, heartbeat, nowMs]);
  }

  forgetSecret(agent: string): Promise<boolean> {
    return this.#writer.call('forgetSecret', [agent]);
  }

  stats(): Promise<WriterStats> {
    return this.#writer.call('stats', []);
  }

  maintain(nowMs: number): Promise<void> {
    return this.#writer.call('maintain', [nowMs]);
  }

  async select(matchers: readonly Matcher[], fromMs: number, toMs: number): Promise<SeriesData[]> {
    const samplesMax = this.#options.querySamplesMax ?? 20_000_000;
    return this.#labels.read(await this.#read('select', [matchers, fromMs, toMs, samplesMax]));
  }

  series(matchers: readonly Matcher[], fromMs: number, toMs: number): Promise<Labels[]> {
    return this.#read('series', [matchers, fromMs, toMs]);
  }

  labelNames(matchers: readonly Matcher[], fromMs: number, toMs: number): Promise<string[]> {
    return this.#read('labelNames', [matchers, fromMs, toMs]);
  }

  labelValues(name: string, matchers: readonly Matcher[], fromMs: number, toMs: number): Promise<string[]> {
    return this.#read('labelValues', [name, matchers, fromMs, toMs]);
  }

  metadata(): Promise<MetricMetadata[]> {
    return this.#read('metadata', []);
  }

  records(query: RecordQuery): Promise<RecordPage> {
    return this.#read('records', [query]);
  }

  async recordsAfter(place: TailPlace, filter: RecordFilter, limit: number): Promise<RecordTail> {
    const { records, through } = await this.#read('recordsAfter', [Number(place), filter, limit]);
    return { records, place: String(through) };
  }

  async tailPlace(): Promise<TailPlace> {
    return String(await this.#read('newestBlock', []));
  }

  recordCount(query: Pick<RecordQuery, 'fromMs' | 'toMs' | 'labels' | 'text'>): Promise<number> {
    return this.#read('recordCount', [query]);
  }

  recordVolume(fromMs: number, toMs: number, slots: number, filter: RecordFilter): Promise<number[]> {
    return this.#read('recordVolume', [fromMs, toMs, slots, filter]);
  }

  lines(question: LineQuestion): Promise<LineAnswer> {
    const { querySamplesMax, querySeriesMax } = this.#options;
    const timeoutMs = this.#queryTimeoutMs;
    const limits = {
      timeoutMs,
      samplesMax: querySamplesMax ?? 20_000_000,
      seriesMax: querySeriesMax ?? 5000,
    };
    // The thread ends the query by itself; whoever waits for one that does not gets an end, too.
    return this.#lines.call('lines', [question, limits], { timeoutMs: timeoutMs + LINES_GRACE_MS });
  }

  linesAfter(place: TailPlace, query: string, limit: number): Promise<NewLines> {
    return this.#lines.call('linesAfter', [place, query, limit], { timeoutMs: this.#queryTimeoutMs });
  }

  get #queryTimeoutMs(): number {
    return this.#options.queryTimeoutMs ?? 30_000;
  }

  agents(): Promise<StoredAgent[]> {
    return this.#read('agents', []);
  }

  get #read(): StoreThread['call'] {
    const timeoutMs = this.#queryTimeoutMs;
    return (method, args) => this.#reader.call(method, args, { timeoutMs });
  }

  async close(): Promise<void> {
    await this.#reader.close();
    await this.#lines.close();
    await this.#writer.close();
  }
}

interface Opened {
  readonly options: SqliteStoreOptions;
  readonly id: string;
  readonly loss: StoreLoss | undefined;
}

const DAMAGED = /malformed|not a database|corrupt|no such table|disk I\/O error/i;
const REFUSED = /readonly|read-only|unable to open|permission|EACCES|EROFS/i;

function storeRefused(path: string, cause: Error): Error {
  const advice = DAMAGED.test(cause.message)
    ? '. The database is damaged: put one back from a copy, or move it and the files beside it away to begin with an ' +
      'empty one (agents keep what they have not delivered; what they had delivered is then shown as missing)'
    : REFUSED.test(cause.message)
      ? '. This user must be able to write to it and to its folder; look at their owner, mode and mount'
      : undefined;
  const message = `cannot open the store ${path}: ${cause.message}${advice ?? ''}`;
  return advice === undefined ? new Error(message, { cause }) : new StartRefused(message, { cause });
}

/** Bytes that can be handed to another thread: alone in their ArrayBuffer. */
function ownBuffer(bytes: Uint8Array): Uint8Array {
  const whole = bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength;
  return whole && bytes.buffer instanceof ArrayBuffer ? bytes : new Uint8Array(bytes);
}
