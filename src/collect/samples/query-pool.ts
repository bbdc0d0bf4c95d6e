import { Worker } from 'node:worker_threads';
import { PromqlError } from '../../promql/promql-error.ts';
import { StoreError, type StoreErrorKind } from '../store/store-error.ts';
import type {
  FromQueryThread,
  QueryCalls,
  QueryMethod,
  QueryThreadData,
  ToQueryThread,
} from './query-protocol.ts';

/** For a query that does not end by itself when its time is over; then its thread is ended. */
const GRACE_MS = 5_000;

interface Call {
  readonly id: number;
  readonly method: QueryMethod;
  readonly args: readonly unknown[];
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
  timer: NodeJS.Timeout | undefined;
}

interface Thread {
  readonly worker: Worker;
  readonly calls: Map<number, Call>;
}

/**
 * The threads that answer queries. Each answers several at a time, in turns; a new one goes to the thread that has the fewest.
 * A thread that died, or that a query kept beyond its time, is begun anew, and the other queries that it had with it.
 */
export class QueryPool {
  readonly #file: URL;
  readonly #count: number;
  #data: QueryThreadData;
  #threads: Thread[] = [];
  #nextId = 1;
  #closed = false;

  private constructor(file: URL, data: QueryThreadData, count: number) {
    this.#file = file;
    this.#data = data;
    this.#count = count;
  }

  static async start(file: URL, data: QueryThreadData, count: number): Promise<QueryPool> {
    const pool = new QueryPool(file, data, count);
    await Promise.all(Array.from({ length: count }, () => pool.#begin()));
    return pool;
  }

  get running(): number {
    return this.#threads.reduce((sum, { calls }) => sum + calls.size, 0);
  }

  /** Rejects with PromqlError or StoreError. */
  call<M extends QueryMethod>(
    method: M,
    args: QueryCalls[M]['args'],
    signal?: AbortSignal,
  ): Promise<QueryCalls[M]['result']> {
    if (this.#closed) return Promise.reject(new StoreError('failed', 'the store is closed'));
    return new Promise<QueryCalls[M]['result']>((resolve, reject) => {
      const call: Call = { id: this.#nextId++, method, args, resolve, reject, timer: undefined };
      if (signal?.aborted === true) {
        reject(new PromqlError('cancelled', 'query was cancelled'));
        return;
      }
      signal?.addEventListener('abort', () => this.#cancel(call), { once: true });
      this.#give(call);
    });
  }

  /** Queries go on with other memory: the head was begun anew. */
  async renew(data: QueryThreadData): Promise<void> {
    this.#data = data;
    const before = this.#threads;
    this.#threads = [];
    await Promise.all(Array.from({ length: this.#count }, () => this.#begin()));
    for (const thread of before) this.#end(thread);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const threads = this.#threads;
    this.#threads = [];
    for (const { calls } of threads)
      for (const call of calls.values()) settle(call, new StoreError('failed', 'the store is closed'));
    await Promise.all(threads.map(({ worker }) => worker.terminate()));
  }

  #begin(): Promise<void> {
    const worker = new Worker(this.#file, { workerData: this.#data, name: 'query' });
    const thread: Thread = { worker, calls: new Map() };
    this.#threads.push(thread);
    return new Promise((resolve, reject) => {
      worker.once('error', reject);
      worker.on('message', (message: FromQueryThread) => {
        if ('ready' in message) resolve();
        else this.#settle(thread, message);
      });
      worker.on('error', () => this.#replace(thread));
      worker.on('exit', () => this.#replace(thread));
    });
  }

  #give(call: Call): void {
    const thread = this.#threads.reduce((least, one) => (one.calls.size < least.calls.size ? one : least));
    thread.calls.set(call.id, call);
    const message: ToQueryThread = { id: call.id, method: call.method, args: call.args };
    thread.worker.postMessage(message);
    call.timer ??= setTimeout(() => this.#expire(call), this.#data.timeoutMs + GRACE_MS);
  }

  #threadOf(call: Call): Thread | undefined {
    return this.#threads.find(({ calls }) => calls.has(call.id));
  }

  #cancel(call: Call): void {
    this.#threadOf(call)?.worker.postMessage({ cancel: call.id } satisfies ToQueryThread);
  }

  /** The query did not look at the clock for too long: a bug, which must not cost others more than time. */
  #expire(call: Call): void {
    const thread = this.#threadOf(call);
    thread?.calls.delete(call.id);
    settle(call, new PromqlError('timeout', 'query timed out in expression evaluation'));
    if (thread !== undefined) this.#replace(thread);
  }

  #replace(thread: Thread): void {
    if (this.#closed || !this.#threads.includes(thread)) return;
    this.#threads = this.#threads.filter((one) => one !== thread);
    void this.#begin().catch(() => undefined);
    this.#end(thread);
  }

  #end(thread: Thread): void {
    void thread.worker.terminate();
    for (const call of thread.calls.values()) this.#give(call);
    thread.calls.clear();
  }

  #settle({ calls }: Thread, answer: Exclude<FromQueryThread, { ready: true }>): void {
    const call = calls.get(answer.id);
    if (call === undefined) return;
    calls.delete(answer.id);
    if ('result' in answer) {
      clearTimeout(call.timer);
      call.resolve(answer.result as never);
      return;
    }
    const { from, kind, message } = answer.error;
    if (from === 'promql') settle(call, new PromqlError(kind as PromqlError['kind'], message));
    else settle(call, new StoreError(from === 'store' ? (kind as StoreErrorKind) : 'failed', message));
  }
}

function settle(call: Call, error: Error): void {
  clearTimeout(call.timer);
  call.reject(error);
}
