import { createQueryApi } from '../api/query-api.ts';
import type {
  ApiAnswer,
  ApiCall,
  InstantAnswer,
  QueryCalls,
  QueryMethod,
  QueryThreadData,
} from '../collect/samples/query-protocol.ts';
import { SampleReader } from '../collect/samples/sample-reader.ts';
import { buffersOfBlock, packSeries } from '../collect/store/series-block.ts';
import { StoreQueryable } from '../collect/store-queryable.ts';
import type { Matcher } from '../model/series.ts';
import { Engine } from '../promql/engine.ts';
import { parseExpr } from '../promql/parse-expr.ts';
import { PromqlError } from '../promql/promql-error.ts';

const giveWay = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export interface QueryOutcome {
  readonly result: unknown;
  readonly transfer: ArrayBuffer[];
}

/** Answers queries in a thread of its own, several in turns. */
export class QueryService {
  readonly #data: QueryThreadData;
  readonly #reader: SampleReader;
  readonly #engine: Engine;

  constructor(data: QueryThreadData) {
    this.#data = data;
    this.#reader = new SampleReader(data.buffers, data.folder);
    this.#engine = new Engine({
      maxSamples: data.samplesMax,
      timeoutMs: data.timeoutMs,
      monotonic: () => performance.now(),
      yieldNow: giveWay,
    });
  }

  async call(method: QueryMethod, args: readonly unknown[], signal: AbortSignal): Promise<QueryOutcome> {
    const result = await this.#answer(method, args, signal);
    if (method === 'api') return { result, transfer: [(result as ApiAnswer).body.buffer as ArrayBuffer] };
    if (method === 'select')
      return { result, transfer: buffersOfBlock(result as QueryCalls['select']['result']) };
    return { result, transfer: [] };
  }

  #answer(method: QueryMethod, args: readonly unknown[], signal: AbortSignal): Promise<unknown> {
    const store = this.#reader.under(this.#terms(signal));
    switch (method) {
      case 'api':
        return this.#api(args[0] as ApiCall, new StoreQueryable(store), signal);
      case 'instant':
        return this.#instant(args as QueryCalls['instant']['args'], new StoreQueryable(store), signal);
      case 'select': {
        const [matchers, fromMs, toMs] = args as [readonly Matcher[], number, number];
        return store.select(matchers, fromMs, toMs).then(packSeries);
      }
      case 'series':
        return store.series(...(args as QueryCalls['series']['args']));
      case 'labelNames':
        return store.labelNames(...(args as QueryCalls['labelNames']['args']));
      case 'labelValues':
        return store.labelValues(...(args as QueryCalls['labelValues']['args']));
    }
  }

  #terms(signal: AbortSignal): Parameters<SampleReader['under']>[0] {
    const { samplesMax, timeoutMs } = this.#data;
    const deadline = performance.now() + timeoutMs;
    const check = (): void => {
      if (signal.aborted) throw new PromqlError('cancelled', 'query was cancelled');
      if (performance.now() > deadline)
        throw new PromqlError('timeout', `query timed out: it took more than ${timeoutMs} ms`);
    };
    return { samplesMax, check, giveWay };
  }

  async #api(
    { query, ...call }: ApiCall,
    queryable: StoreQueryable,
    signal: AbortSignal,
  ): Promise<ApiAnswer> {
    const api = createQueryApi({
      queryable,
      index: queryable,
      engine: this.#engine,
      metadata: () => [],
      rules: () => [],
      now: () => Date.now(),
      timeoutMs: this.#data.timeoutMs,
      version: this.#data.version,
      externalLabels: {},
      status: () => {
        throw new Error('what the server tells of itself is not asked of a query thread');
      },
      signal,
      cardinality: (limit) => this.#reader.cardinality(limit),
    });
    const answer = await api({ ...call, query: new URLSearchParams(query) });
    const { status, headers, body: text } = answer!;
    return { status, headers, body: new TextEncoder().encode(text) };
  }

  async #instant(
    [expression, atMs]: QueryCalls['instant']['args'],
    queryable: StoreQueryable,
    signal: AbortSignal,
  ): Promise<InstantAnswer> {
    const { value } = await this.#engine.instant(queryable, parseExpr(expression), atMs, signal);
    if (value.kind === 'scalar') return { kind: 'scalar', value: value.value };
    if (value.kind !== 'vector') return { kind: value.kind };
    return { kind: 'vector', samples: value.samples.map(({ labels, value: of }) => ({ labels, value: of })) };
  }

  close(): void {
    this.#reader.close();
  }
}
