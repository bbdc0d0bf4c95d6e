import { Worker } from 'node:worker_threads';
import type { Chunk } from '../model/chunk.ts';
import type { Fragment } from '../model/slice.ts';
import { keepNurserySmall } from '../platform/keep-nursery-small.ts';
import { workerFile } from '../platform/worker-file.ts';
import type { RunBlock, RunPlan } from '../tail/file-run.ts';
import { LentMemory } from '../wire/lent-memory.ts';
import type { ScannerPlan } from './scanner-plan.ts';
import { type ScannerNews, ScannerSet } from './scanner-set.ts';

/** Somewhere chunks are scanned, one after another. Those of one file all go through one lane while any is under way. */
export interface Lane {
  scan(chunk: Chunk): Promise<Fragment>;
  /**
   * Reads on by itself, behind the chunk that it was given last or where it read on last in this run, and scans what it
   * reads. Undefined where it has nothing more. Only of lanes with a thread of their own.
   */
  readOn?(plan: RunPlan): Promise<ReadOn | undefined>;
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

/** A block that a thread read and scanned. */
export interface ReadOn {
  readonly block: RunBlock;
  readonly fragment: Fragment;
}

/** From the main thread to the worker and back. */
export type LaneRequest =
  | {
      readonly kind: 'scan';
      readonly id: number;
      readonly chunk: Omit<Chunk, 'bytes'>;
      /** In memory that both see; it is not changed before the answer. Or a copy. */
      readonly bytes: Uint8Array;
    }
  | {
      readonly kind: 'read_on';
      readonly id: number;
      /** With the first request of a run. */
      readonly begin?: RunPlan;
    };
export type LaneReply =
  /** Packs are compiled: chunks can come. */
  | { readonly kind: 'ready' }
  | { readonly kind: 'scanned'; readonly id: number; readonly fragment: Fragment }
  | { readonly kind: 'read'; readonly id: number; readonly read: ReadOn | undefined }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string }
  | ScannerNews;

/** Scans on a thread of its own. When the thread dies its chunks are refused and the caller scans them elsewhere. */
export class WorkerLane implements Lane {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, { resolve(answer: unknown): void; reject(error: Error): void }>();
  /** The run that it was told of last. */
  #run: RunPlan | undefined;
  /** Resolves when it can scan; rejects when it never will. */
  readonly ready: Promise<void>;
  #setReady!: () => void;
  #next = 0;
  #ended: Error | undefined;

  constructor(plans: readonly ScannerPlan[], onNews: (news: ScannerNews) => void) {
    this.#worker = new Worker(workerFile('../agent/scan-worker.ts', import.meta.url), {
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
    // What it may still be reading from stays open until it has ended.
    this.#worker.on('messageerror', () => void this.close());
    this.#worker.on('exit', () => this.#failAll(new Error('the scanning thread ended')));
  }

  async scan({ bytes, ...chunk }: Chunk): Promise<Fragment> {
    const id = this.#next++;
    if (bytes.buffer instanceof SharedArrayBuffer) return this.#ask({ kind: 'scan', id, chunk, bytes });
    // Whatever else lies in that memory stays here.
    const copy = new Uint8Array(bytes);
    return this.#ask({ kind: 'scan', id, chunk, bytes: copy }, [copy.buffer]);
  }

  async readOn(plan: RunPlan): Promise<ReadOn | undefined> {
    const begin = this.#run === plan ? {} : { begin: plan };
    this.#run = plan;
    return this.#ask({ kind: 'read_on', id: this.#next++, ...begin });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  async #ask<T>(request: LaneRequest, transfer: readonly ArrayBuffer[] = []): Promise<T> {
    // A thread that is gone takes messages without a word.
    if (this.#ended !== undefined) throw this.#ended;
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(request.id, { resolve: resolve as (answer: unknown) => void, reject });
      this.#worker.postMessage(request, transfer);
    });
  }

  #receive(reply: LaneReply, onNews: (news: ScannerNews) => void): void {
    switch (reply.kind) {
      case 'ready':
        this.#setReady();
        return;
      case 'pattern_out':
      case 'line_by_line':
      case 'scan_failed':
        onNews(reply);
        return;
      case 'scanned':
        this.#waiting.get(reply.id)?.resolve(reply.fragment);
        this.#waiting.delete(reply.id);
        return;
      case 'read':
        this.#waiting.get(reply.id)?.resolve(reply.read);
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
