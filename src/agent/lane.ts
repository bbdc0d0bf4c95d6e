import { Worker } from 'node:worker_threads';
import type { Chunk } from '../model/chunk.ts';
import type { Fragment } from '../model/slice.ts';
import { keepNurserySmall } from '../platform/keep-nursery-small.ts';
import { workerUrl } from '../platform/worker-url.ts';
import { LentMemory } from '../wire/lent-memory.ts';
import type { ScannerPlan } from './scanner-plan.ts';
import { type ScannerNews, ScannerSet } from './scanner-set.ts';

/** Somewhere chunks are scanned, one after another. Those of one file all go through one lane while any is under way. */
export interface Lane {
  scan(chunk: Chunk): Promise<Fragment>;
  close(): Promise<void>;
}

/**
 * How many turns the event loop gets after each chunk. A request takes several, from entry to answer: with one for each
 * chunk, sinks fall behind what is read, and then read from disk what was in memory.
 */
const TURNS = 5;

/** Scans on the main thread, and lets what else is to be done there keep up. */
export class InlineLane implements Lane {
  readonly #scanners: ScannerSet;
  readonly #memory = new LentMemory();

  constructor(plans: readonly ScannerPlan[], onNews: (news: ScannerNews) => void) {
    this.#scanners = new ScannerSet(plans, onNews, (bytes) => this.#memory.copy(bytes));
  }

  async scan(chunk: Chunk): Promise<Fragment> {
    const fragment = this.#scanners.scan(chunk);
    const giveBack = this.#memory.lend();
    for (let turn = 0; turn < TURNS; turn++) await new Promise(setImmediate);
    return giveBack === undefined ? fragment : { ...fragment, giveBack };
  }

  async close(): Promise<void> {}
}

/** From the main thread to the worker and back. */
export interface LaneRequest {
  readonly id: number;
  readonly chunk: Omit<Chunk, 'bytes'>;
  /** In memory that both see; it is not changed before the answer. Or a copy. */
  readonly bytes: Uint8Array;
}
export type LaneReply =
  /** Packs are compiled: chunks can come. */
  | { readonly kind: 'ready' }
  | { readonly kind: 'scanned'; readonly id: number; readonly fragment: Fragment }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string }
  | ScannerNews;

/** Scans on a thread of its own. When the thread dies its chunks are refused and the caller scans them elsewhere. */
export class WorkerLane implements Lane {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, { resolve(fragment: Fragment): void; reject(error: Error): void }>();
  /** Resolves when it can scan; rejects when it never will. */
  readonly ready: Promise<void>;
  #setReady!: () => void;
  #next = 0;
  #ended: Error | undefined;

  constructor(plans: readonly ScannerPlan[], onNews: (news: ScannerNews) => void) {
    this.#worker = new Worker(workerUrl('../agent/scan-worker.ts', import.meta.url), {
      workerData: plans,
      resourceLimits: { maxOldGenerationSizeMb: 128 },
    });
    this.ready = new Promise((resolve, reject) => {
      this.#setReady = resolve;
      this.#worker.once('error', reject);
      this.#worker.once('exit', () => reject(new Error('the scanning thread ended')));
    });
    // Who does not ask hears of it from the chunks.
    this.ready.catch(() => undefined);
    keepNurserySmall(this.#worker);
    this.#worker.unref();
    this.#worker.on('message', (reply: LaneReply) => this.#receive(reply, onNews));
    this.#worker.on('error', (error) => this.#failAll(error));
    this.#worker.on('messageerror', (error) => this.#failAll(error));
    this.#worker.on('exit', () => this.#failAll(new Error('the scanning thread ended')));
  }

  async scan(chunk: Chunk): Promise<Fragment> {
    // A thread that is gone takes messages without a word.
    if (this.#ended !== undefined) throw this.#ended;
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      const { bytes, ...rest } = chunk;
      if (bytes.buffer instanceof SharedArrayBuffer) this.#post({ id, chunk: rest, bytes });
      else {
        // Whatever else lies in that memory stays here.
        const copy = new Uint8Array(bytes);
        this.#post({ id, chunk: rest, bytes: copy }, [copy.buffer]);
      }
    });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #post(request: LaneRequest, transfer: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(request, transfer);
  }

  #receive(reply: LaneReply, onNews: (news: ScannerNews) => void): void {
    switch (reply.kind) {
      case 'ready':
        this.#setReady();
        return;
      case 'pattern_out':
      case 'line_by_line':
        onNews(reply);
        return;
      case 'scanned':
        this.#waiting.get(reply.id)?.resolve(reply.fragment);
        this.#waiting.delete(reply.id);
        return;
      case 'failed':
        this.#waiting.get(reply.id)?.reject(new Error(reply.message));
        this.#waiting.delete(reply.id);
        return;
    }
  }

  #failAll(error: Error): void {
    this.#ended ??= error;
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
  }
}
