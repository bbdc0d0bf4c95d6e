import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Labels, Matcher, SeriesData } from '../../model/series.ts';
import { makeFolder } from '../../platform/make-folder.ts';
import { version } from '../../platform/version.ts';
import { workerFile } from '../../platform/worker-file.ts';
import type { MetricMetadata } from '../../samples/log-codec.ts';
import { type Begun, CallThread } from '../call-thread.ts';
import type { IngestRequest, IngestResult } from '../store/ingest-request.ts';
import { ownBuffer } from '../store/own-buffer.ts';
import { unpackSeries } from '../store/series-block.ts';
import type { SampleStore } from '../store/store.ts';
import type { HeadCalls, HeadStats, HeadThreadData } from './head-protocol.ts';
import { QueryPool } from './query-pool.ts';
import type { QueryCalls, QueryMethod, QueryThreadData } from './query-protocol.ts';

export interface SampleEngineOptions extends HeadThreadData {
  /** Most samples that one query reads. */
  readonly querySamplesMax: number;
  readonly queryTimeoutMs: number;
  /** The module of the threads that answer queries. */
  readonly queryWorker: URL;
  /** Told in sentences what a start found damaged. */
  readonly warn: (sentence: string) => void;
}

const QUERY_THREADS_MIN = 2;

/** Samples: one thread takes and keeps them, others answer queries over the same memory. */
export class SampleEngine implements SampleStore {
  readonly #options: SampleEngineOptions;
  readonly #head: CallThread<HeadCalls>;
  readonly #queries: QueryPool;

  private constructor(options: SampleEngineOptions, head: CallThread<HeadCalls>, queries: QueryPool) {
    this.#options = options;
    this.#head = head;
    this.#queries = queries;
  }

  /** Rejects with a sentence for the user where the files cannot be used. */
  static async open(options: SampleEngineOptions): Promise<SampleEngine> {
    makeFolder(options.folder);
    let engine: SampleEngine | undefined;
    const head = await CallThread.start<HeadCalls>(
      () => beginHead(options),
      () => void engine?.renew(),
    );
    try {
      const data = await queryData(options, head);
      const threads = Math.max(QUERY_THREADS_MIN, availableParallelism());
      engine = new SampleEngine(options, head, await QueryPool.start(options.queryWorker, data, threads));
      return engine;
    } catch (error) {
      await head.close();
      throw error;
    }
  }

  /** The head's thread died and was begun anew, with memory of its own. */
  private async renew(): Promise<void> {
    await this.#queries.renew(await queryData(this.#options, this.#head));
  }

  get writing(): { readonly waiting: number; readonly answered: number } {
    return this.#head.calls;
  }

  ingest(request: IngestRequest): Promise<IngestResult> {
    const owned = ownBuffer(request.body.bytes);
    return this.#head.call('ingest', [{ ...request, body: { ...request.body, bytes: owned } }], {
      transfer: [owned.buffer as ArrayBuffer],
    });
  }

  metadata(): Promise<readonly MetricMetadata[]> {
    return this.#head.call('metadata', []);
  }

  stats(): Promise<HeadStats> {
    return this.#head.call('stats', []);
  }

  maintain(nowMs: number): Promise<void> {
    return this.#head.call('maintain', [nowMs]);
  }

  /** Asks a query thread. */
  ask<M extends QueryMethod>(
    method: M,
    args: QueryCalls[M]['args'],
    signal?: AbortSignal,
  ): Promise<QueryCalls[M]['result']> {
    return this.#queries.call(method, args, signal);
  }

  async select(matchers: readonly Matcher[], fromMs: number, toMs: number): Promise<readonly SeriesData[]> {
    return unpackSeries(await this.ask('select', [matchers, fromMs, toMs]));
  }

  series(matchers: readonly Matcher[], fromMs: number, toMs: number): Promise<readonly Labels[]> {
    return this.ask('series', [matchers, fromMs, toMs]);
  }

  labelNames(matchers: readonly Matcher[], fromMs: number, toMs: number): Promise<readonly string[]> {
    return this.ask('labelNames', [matchers, fromMs, toMs]);
  }

  labelValues(
    name: string,
    matchers: readonly Matcher[],
    fromMs: number,
    toMs: number,
  ): Promise<readonly string[]> {
    return this.ask('labelValues', [name, matchers, fromMs, toMs]);
  }

  async close(): Promise<void> {
    await this.#queries.close();
    await this.#head.close();
  }
}

function beginHead(options: SampleEngineOptions): Begun {
  const { folder, limits, retention, maintenanceMs, share, storePath } = options;
  const data: HeadThreadData = { folder, limits, retention, maintenanceMs, share, storePath };
  const worker = new Worker(workerFile('./head-worker.ts', import.meta.url), {
    workerData: data,
    name: 'head',
  });
  return { worker, stop: new Int32Array(new SharedArrayBuffer(4)) };
}

async function queryData(
  options: SampleEngineOptions,
  head: CallThread<HeadCalls>,
): Promise<QueryThreadData> {
  const { buffers, warnings } = await head.call('open', []);
  for (const sentence of warnings) options.warn(sentence);
  return {
    buffers,
    folder: options.folder,
    samplesMax: options.querySamplesMax,
    timeoutMs: options.queryTimeoutMs,
    version,
  };
}
