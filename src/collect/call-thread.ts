import type { Worker } from 'node:worker_threads';
import { StoreError, type StoreErrorKind } from './store/store-error.ts';

/** Calls that a thread answers: arguments and result by method; each thread has `close`. */
export type Calls<C> = { [M in keyof C]: { args: readonly unknown[]; result: unknown } };

export interface ThreadCall {
  readonly id: number;
  readonly method: string;
  readonly args: readonly unknown[];
}

export type ThreadAnswer =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: { readonly message: string; readonly kind: StoreErrorKind } };

/** A thread that was begun, and its cell: 1 in it once the thread is to end by itself. */
export interface Begun {
  readonly worker: Worker;
  readonly stop: Int32Array<SharedArrayBuffer>;
}

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

/** A thread and the calls under way. A thread that died, or that a query kept too long, is started anew. */
export class CallThread<C extends Calls<C>> {
  readonly #begin: () => Begun;
  readonly #onRestart: () => void;
  readonly #waiting = new Map<number, Waiting>();
  /** Undefined between the end of one worker and the start of the next. */
  #worker: Worker | undefined;
  /** Of the latest worker. */
  #stop: Begun['stop'];
  #nextId = 1;
  #answered = 0;
  #closed = false;

  private constructor(begin: () => Begun, begun: Begun, onRestart: () => void) {
    this.#begin = begin;
    this.#onRestart = onRestart;
    this.#stop = begun.stop;
    this.#worker = begun.worker;
    this.#listen(begun.worker);
  }

  /** `onRestart` is called after a thread that died was begun anew. */
  static async start<C extends Calls<C>>(
    begin: () => Begun,
    onRestart: () => void = () => undefined,
  ): Promise<CallThread<C>> {
    const begun = begin();
    const { worker } = begun;
    await new Promise<void>((resolve, reject) => {
      worker.once('message', () => resolve());
      worker.once('error', reject);
    });
    worker.removeAllListeners('error');
    return new CallThread<C>(begin, begun, onRestart);
  }

  call<M extends keyof C & string>(
    method: M,
    args: C[M]['args'],
    options: CallOptions = {},
  ): Promise<C[M]['result']> {
    const worker = this.#worker;
    if (this.#closed || worker === undefined) {
      const state = this.#closed ? 'closed' : 'starting again';
      return Promise.reject(new StoreError('failed', `the store is ${state}`));
    }
    const id = this.#nextId++;
    return new Promise<C[M]['result']>((resolve, reject) => {
      const { timeoutMs } = options;
      const timer =
        timeoutMs === undefined ? undefined : setTimeout(() => this.#expire(timeoutMs), timeoutMs);
      this.#waiting.set(id, { resolve, reject, timer });
      worker.postMessage({ id, method, args } satisfies ThreadCall, options.transfer ?? []);
    });
  }

  get calls(): { readonly waiting: number; readonly answered: number } {
    return { waiting: this.#waiting.size, answered: this.#answered };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    const closed = this.call('close' as keyof C & string, [] as unknown as C[keyof C & string]['args']);
    this.#closed = true;
    await closed.catch(() => undefined);
    await this.#worker?.terminate();
  }

  #listen(worker: Worker): void {
    worker.on('message', (answer: ThreadAnswer) => this.#settle(answer));
    worker.on('error', (error) =>
      this.#restart(worker, new StoreError('failed', `the store's thread failed: ${error.message}`)),
    );
    worker.on('exit', () => this.#restart(worker, new StoreError('failed', "the store's thread ended")));
  }

  #settle(answer: ThreadAnswer): void {
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
      const { worker: next, stop } = this.#begin();
      this.#worker = next;
      this.#stop = stop;
      this.#listen(next);
      this.#onRestart();
    }, RESTART_MS).unref();
  }
}
