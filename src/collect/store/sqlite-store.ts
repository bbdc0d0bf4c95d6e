import { EventEmitter } from 'node:events';
import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { StartRefused } from '../../model/start-refused.ts';
import { makeFolder } from '../../platform/make-folder.ts';
import { workerFile } from '../../platform/worker-file.ts';
import { type Begun, CallThread } from '../call-thread.ts';
import type { LineAnswer, LineQuestion, NewLines } from '../lines/line-question.ts';
import type { Admission, Sender } from './agent-ledger.ts';
import type { StoredAgent } from './fleet-query.ts';
import type { IngestRequest, IngestResult } from './ingest-request.ts';
import type { RecordFilter, RecordPage, RecordQuery } from './record-query.ts';
import type { RetentionLimits } from './retention.ts';
import { ownBuffer } from './own-buffer.ts';
import type { FleetStore, LineStore, RecordStore, RecordTail, TailPlace } from './store.ts';
import type { StoreLoss } from './store-note.ts';
import type { StoreCalls, StoreWorkerData, WriterStats } from './store-protocol.ts';

export interface SqliteStoreOptions {
  /** The database file; its folder is made. */
  readonly path: string;
  readonly retention: RetentionLimits;
  /** A query that takes longer is ended. */
  readonly queryTimeoutMs: number;
  /** Most samples that one query of LogQL makes. */
  readonly querySamplesMax: number;
  /** Most series of an answer of LogQL. */
  readonly querySeriesMax: number;
  readonly maintenanceMs: number;
  /** See StoreShare. */
  readonly share: SharedArrayBuffer;
}

/** Several queries for lines take turns: one may wait for the others. */
const LINES_GRACE_MS = 30_000;

type Thread = CallThread<StoreCalls>;

interface Threads {
  readonly writer: Thread;
  readonly reader: Thread;
  readonly lines: Thread;
}

/** Records and agents in one SQLite file: every call is answered by the writing or the reading thread. */
export class SqliteStore implements FleetStore, RecordStore, LineStore {
  readonly id: string;
  /** What was in the database when it was used last, and is not there now. */
  readonly loss: StoreLoss | undefined;
  readonly #writer: Thread;
  readonly #reader: Thread;
  /** Reads lines for LogQL: many small steps, which must not hold up the queries for records. */
  readonly #lines: Thread;
  readonly #options: SqliteStoreOptions;
  readonly #commits = new EventEmitter();

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
      share: options.share,
      maintenanceMs: options.maintenanceMs,
    };
    let writer: Thread | undefined;
    try {
      writer = await CallThread.start<StoreCalls>(() => begin({ ...data, role: 'writer' }));
      const reader = await CallThread.start<StoreCalls>(() => begin({ ...data, role: 'reader' }));
      const lines = await CallThread.start<StoreCalls>(() => begin({ ...data, role: 'reader' }));
      const loss = await writer.call('loss', []);
      const id = await writer.call('storeId', []);
      return new SqliteStore({ writer, reader, lines }, { options, id, loss });
    } catch (cause) {
      await writer?.close();
      throw storeRefused(options.path, cause as Error);
    }
  }

  get writing(): { readonly waiting: number; readonly answered: number } {
    return this.#writer.calls;
  }

  /** Takes records; what is no request of records is not for this store. */
  async ingest(request: IngestRequest): Promise<IngestResult> {
    const { body } = request;
    const owned = ownBuffer(body.bytes);
    const result = await this.#writer.call('ingest', [{ ...request, body: { ...body, bytes: owned } }], {
      transfer: [owned.buffer as ArrayBuffer],
    });
    if (result.kind === 'stored' && result.records > 0) this.#commits.emit('records');
    return result;
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
      samplesMax: querySamplesMax,
      seriesMax: querySeriesMax,
    };
    // The thread ends the query by itself; whoever waits for one that does not gets an end, too.
    return this.#lines.call('lines', [question, limits], { timeoutMs: timeoutMs + LINES_GRACE_MS });
  }

  linesAfter(place: TailPlace, query: string, limit: number): Promise<NewLines> {
    return this.#lines.call('linesAfter', [place, query, limit], { timeoutMs: this.#queryTimeoutMs });
  }

  get #queryTimeoutMs(): number {
    return this.#options.queryTimeoutMs;
  }

  agents(): Promise<StoredAgent[]> {
    return this.#read('agents', []);
  }

  get #read(): Thread['call'] {
    const timeoutMs = this.#options.queryTimeoutMs;
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

function begin(data: Omit<StoreWorkerData, 'stop'>): Begun {
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(workerFile('./store-worker.ts', import.meta.url), {
    workerData: { ...data, stop } satisfies StoreWorkerData,
    name: `store-${data.role}`,
  });
  return { worker, stop };
}
