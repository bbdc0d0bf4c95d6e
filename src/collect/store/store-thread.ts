import { Worker } from 'node:worker_threads';
import { workerFile } from '../../platform/worker-file.ts';
import { StoreError } from './store-error.ts';
import type { StoreAnswer, StoreCall, StoreCalls, StoreMethod, StoreWorkerData } from './store-protocol.ts';

/** Between the end of a thread and its next start. */
const RESTART_MS = 200;
/** For a thread that is to end, before it is ended. */
const GRACE_MS = 5_000;

interface Waiting {
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout | undefined;
}

interface CallOptions {
  readonly transfer?: ArrayBuffer[];
  readonly timeoutMs?: number;
}

/** One thread of the store and the calls under way. A thread that died, or that a query kept too long, is started anew. */
export class StoreThread {
  readonly #data: StoreThreadData;
  readonly #waiting = new Map<number, Waiting>();
  /** Undefined between the end of one worker and the start of the next. */
  #worker: Worker | undefined;
  /** See StoreWorkerData; of the latest worker. */
  #stop: Begun['stop'];
  #nextId = 1;
  #answered = 0;
  #closed = false;

  private constructor(data: StoreThreadData, begun: Begun) {
    this.#data = data;
    this.#stop = begun.stop;
    this.#worker = begun.worker;
    this.#listen(begun.worker);
  }

  static async start(data: StoreThreadData): Promise<StoreThread> {
    const begun = begin(data);
    const { worker } = begun;
    await new Promise<void>((resolve, reject) => {
      worker.once('message', () => resolve());
      worker.once('error', reject);
    });
    worker.removeAllListeners('error');
    return new StoreThread(data, begun);
  }

  call<M extends StoreMethod>(
    method: M,
    args: StoreCalls[M]['args'],
    options: CallOptions = {},
  ): Promise<StoreCalls[M]['result']> {
    const worker = this.#worker;
    if (this.#closed || worker === undefined) {
      const state = this.#closed ? 'closed' : 'starting again';
      return Promise.reject(new StoreError('failed', `the store is ${state}`));
    }
    const id = this.#nextId++;
    return new Promise<StoreCalls[M]['result']>((resolve, reject) => {
      const { timeoutMs } = options;
      const timer =
        timeoutMs === undefined ? undefined : setTimeout(() => this.#expire(timeoutMs), timeoutMs);
      this.#waiting.set(id, { resolve, reject, timer });
      worker.postMessage({ id, method, args } satisfies StoreCall, options.transfer ?? []);
    });
  }

  get calls(): { readonly waiting: number; readonly answered: number } {
    return { waiting: this.#waiting.size, answered: this.#answered };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    const closed = this.call('close', []);
    this.#closed = true;
    await closed.catch(() => undefined);
    await this.#worker?.terminate();
  }

  #listen(worker: Worker): void {
    worker.on('message', (answer: StoreAnswer) => this.#settle(answer));
    worker.on('error', (error) =>
      this.#restart(worker, new StoreError('failed', `the store's thread failed: ${error.message}`)),
    );
    worker.on('exit', () => this.#restart(worker, new StoreError('failed', "the store's thread ended")));
  }

  #settle(answer: StoreAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    if (waiting === undefined) return;
    this.#waiting.delete(answer.id);
    this.#answered++;
    clearTimeout(waiting.timer);
    if ('error' in answer) waiting.reject(new StoreError(answer.error.kind, answer.error.message));
    else waiting.resolve(answer.result as never);
  }

  /** The thread ends between two rows of what it reads, and where that takes too long, in the middle of it. */
  #expire(timeoutMs: number): void {
    const worker = this.#worker;
    const stop = this.#stop;
    if (worker === undefined) return;
    this.#restart(
      worker,
      new StoreError('timeout', `the query took longer than ${timeoutMs / 1000} s; ask for less`),
    );
    Atomics.store(stop, 0, 1);
    const grace = setTimeout(() => void worker.terminate(), GRACE_MS).unref();
    worker.once('exit', () => clearTimeout(grace));
  }

  #restart(worker: Worker, error: StoreError): void {
    if (worker !== this.#worker) return;
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(error);
    }
    this.#waiting.clear();
    this.#worker = undefined;
    if (this.#closed) return;
    // A pause, so that a thread that cannot start (a disk that fails) does not take the machine.
    setTimeout(() => {
      if (this.#closed) return;
      const { worker: next, stop } = begin(this.#data);
      this.#worker = next;
      this.#stop = stop;
      this.#listen(next);
    }, RESTART_MS).unref();
  }
}

type StoreThreadData = Omit<StoreWorkerData, 'stop'>;

interface Begun {
  readonly worker: Worker;
  readonly stop: StoreWorkerData['stop'];
}

function begin(data: StoreThreadData): Begun {
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(workerFile('./store-worker.ts', import.meta.url), {
    workerData: { ...data, stop } satisfies StoreWorkerData,
    name: `store-${data.role}`,
  });
  return { worker, stop };
}
