import type { Chunk } from '../model/chunk.ts';
import type { Fragment } from '../model/slice.ts';
import type { Log } from '../platform/log.ts';
import type { RunPlan } from '../tail/file-run.ts';
import { InlineLane, type Lane, type ReadOn, WorkerLane } from './lane.ts';
import type { ScannerPlan } from './scanner-plan.ts';
import type { ScannerNews } from './scanner-set.ts';

export interface LanesOptions {
  readonly plans: readonly ScannerPlan[];
  /** Threads beside the main one. They are started when there is work for them, and let go when there is none. */
  readonly workers: number;
  /** How many of them may scan for records: to ship those keeps a core busy as well. */
  readonly recordWorkers: number;
  readonly log: Log;
  readonly onNews: (news: ScannerNews) => void;
  /** How long a free worker is kept; half a minute by default. */
  readonly keptFreeMs?: number;
}

/** A lane as it is held by one who scans: for a chunk, or for several of one file in a row. */
export interface Seat {
  /** Whether it can read on by itself; no more once its thread is gone. */
  readsOn(): boolean;
  /** Whether others wait for a lane. */
  isWanted(): boolean;
  scan(chunk: Chunk): Promise<Fragment>;
  /** See Lane. Several may be asked for at once; the first that is undefined is the end. Never rejects. */
  readOn(plan: RunPlan): Promise<ReadOn | undefined>;
  leave(): void;
}

interface Place {
  readonly lane: Lane;
  /** Of the chunk it was asked for; 0 while it is free. A thread that is not ready yet is not free. */
  bytes: number;
  /** Lets a worker go that was free for long. */
  retirement?: NodeJS.Timeout;
}

/** The way to a worker and back costs more than a smaller chunk. */
const WORTH_A_WORKER_BYTES = 64 * 1024;
/** A thread holds 20 MiB and more, and is started in a tenth of a second. */
const KEPT_FREE_MS = 30_000;

/**
 * Where chunks are scanned: on the main thread while one file is busy, on worker threads as well while several are.
 * Who asks gets a lane that is free, or waits.
 */
export class Lanes {
  readonly #options: LanesOptions;
  readonly #inline: Place;
  readonly #withRecords: ReadonlySet<string>;
  #workers: Place[] = [];
  #waiting: (() => void)[] = [];

  constructor(options: LanesOptions) {
    this.#options = options;
    this.#withRecords = new Set(options.plans.filter(({ use }) => use.records).map(({ source }) => source));
    this.#inline = { lane: new InlineLane(options.plans, options.onNews), bytes: 0 };
  }

  /** How many chunks can be under way at once. */
  get width(): number {
    return 1 + this.#options.workers;
  }

  /** How many threads there are now. */
  get workers(): number {
    return this.#workers.length;
  }

  /** For the chunk, and those that follow it; resolves when a lane is free. */
  async seat(chunk: Chunk): Promise<Seat> {
    const place = await this.#place(chunk.bytes.length, this.#mostWorkers(chunk.source));
    return {
      readsOn: () => this.#workers.includes(place),
      isWanted: () => this.#waiting.length > 0,
      scan: (each) => this.#scan(place, each),
      readOn: async (plan) => place.lane.readOn?.(plan).catch((error: unknown) => this.#failed(place, error)),
      leave: () => this.#release(place),
    };
  }

  async #scan(place: Place, chunk: Chunk): Promise<Fragment> {
    try {
      return await place.lane.scan(chunk);
    } catch (error) {
      if (place === this.#inline) throw error;
      return this.#withoutWorker(place, chunk, error);
    }
  }

  async close(): Promise<void> {
    for (const { retirement } of this.#workers) clearTimeout(retirement);
    await Promise.all([this.#inline, ...this.#workers].map(({ lane }) => lane.close()));
  }

  /**
   * A worker first, since the main thread reads and commits as well; a small chunk waits for the main thread rather than
   * pay for the way to a worker and back.
   */
  async #place(bytes: number, mostWorkers: number): Promise<Place> {
    for (;;) {
      const free = this.#free(bytes, mostWorkers);
      if (free !== undefined) {
        free.bytes = Math.max(1, bytes);
        clearTimeout(free.retirement);
        return free;
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #mostWorkers(source: string): number {
    const { workers, recordWorkers } = this.#options;
    return this.#withRecords.has(source) ? recordWorkers : workers;
  }

  #free(bytes: number, mostWorkers: number): Place | undefined {
    const worthIt = bytes >= WORTH_A_WORKER_BYTES;
    const workers = worthIt ? this.#workers.slice(0, mostWorkers) : [];
    const free = workers.find((place) => place.bytes === 0);
    if (free !== undefined) return free;
    if (this.#inline.bytes === 0) return this.#inline;
    // A few lines of another file are no reason for a thread.
    const bothBusy = worthIt && this.#inline.bytes >= WORTH_A_WORKER_BYTES;
    if (bothBusy && this.#workers.length < mostWorkers) this.#startWorker();
    return undefined;
  }

  /** Its start takes as long as some hundred chunks: they are scanned on the main thread meanwhile. */
  #startWorker(): void {
    const lane = new WorkerLane(this.#options.plans, this.#options.onNews);
    const place = { lane, bytes: 1 };
    this.#workers.push(place);
    lane.ready.then(
      () => this.#release(place),
      (error: unknown) => {
        if (!this.#workers.includes(place)) return;
        this.#options.log.warn({ error: String(error) }, 'a scanning thread could not be started');
        this.#letGo(place);
      },
    );
  }

  #release(place: Place): void {
    place.bytes = 0;
    if (this.#workers.includes(place)) {
      const keptMs = this.#options.keptFreeMs ?? KEPT_FREE_MS;
      place.retirement = setTimeout(() => this.#letGo(place), keptMs).unref();
    }
    for (const wake of this.#waiting.splice(0)) wake();
  }

  #letGo(place: Place): void {
    this.#workers = this.#workers.filter((other) => other !== place);
    void place.lane.close();
  }

  #failed(place: Place, error: unknown): undefined {
    if (!this.#workers.includes(place)) return;
    this.#options.log.warn(
      { error: String(error) },
      'a scanning thread failed; what it had is scanned on the main thread',
    );
    this.#letGo(place);
  }

  /** A thread that failed is let go; the chunk that it had is scanned again here, since nothing of it was committed. */
  async #withoutWorker(place: Place, chunk: Chunk, error: unknown): Promise<Fragment> {
    this.#failed(place, error);
    const inline = await this.#place(0, 0);
    try {
      return await inline.lane.scan(chunk);
    } finally {
      this.#release(inline);
    }
  }
}
