import type { Chunk } from '../model/chunk.ts';
import type { Fragment } from '../model/slice.ts';
import type { Log } from '../platform/log.ts';
import { InlineLane, type Lane, WorkerLane } from './lane.ts';
import type { ScannerPlan } from './scanner-plan.ts';
import type { PatternOut } from './scanner-set.ts';

export interface LanesOptions {
  readonly plans: readonly ScannerPlan[];
  /** Threads beside the main one. They are started when there is work for them, and kept. */
  readonly workers: number;
  readonly log: Log;
  readonly onPatternOut: PatternOut;
}

interface Place {
  readonly lane: Lane;
  busy: boolean;
}

/**
 * Where chunks are scanned: on the main thread while one file is busy, on worker threads as well when several are.
 * A lane scans one chunk at a time; who asks gets a free one or waits.
 */
export class Lanes {
  readonly #options: LanesOptions;
  readonly #inline: Place;
  #workers: Place[] = [];
  #waiting: (() => void)[] = [];

  constructor(options: LanesOptions) {
    this.#options = options;
    this.#inline = { lane: new InlineLane(options.plans, options.onPatternOut), busy: false };
  }

  /** How many chunks can be under way at once. */
  get width(): number {
    return 1 + this.#options.workers;
  }

  async scan(chunk: Chunk): Promise<Fragment> {
    const place = await this.#place(chunk.bytes.length);
    try {
      return await place.lane.scan(chunk);
    } catch (error) {
      if (place === this.#inline) throw error;
      return await this.#withoutWorker(place, chunk, error);
    } finally {
      place.busy = false;
      this.#waiting.shift()?.();
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#inline, ...this.#workers].map(({ lane }) => lane.close()));
  }

  /** The main thread first; a small chunk waits for it rather than pay for the way to a worker and back. */
  async #place(bytes: number): Promise<Place> {
    for (;;) {
      const free = this.#free(bytes);
      if (free !== undefined) {
        free.busy = true;
        return free;
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #free(bytes: number): Place | undefined {
    if (!this.#inline.busy) return this.#inline;
    if (bytes < WORTH_A_WORKER_BYTES) return undefined;
    const idle = this.#workers.find((place) => !place.busy);
    if (idle !== undefined || this.#workers.length >= this.#options.workers) return idle;
    const place = { lane: new WorkerLane(this.#options.plans, this.#options.onPatternOut), busy: false };
    this.#workers.push(place);
    return place;
  }

  /** A thread that failed is let go; its chunk is scanned again here, since nothing of it was committed. */
  async #withoutWorker(place: Place, chunk: Chunk, error: unknown): Promise<Fragment> {
    this.#options.log.warn(
      { error: String(error), source: chunk.source },
      'a scanning thread failed; its chunk is scanned on the main thread',
    );
    this.#workers = this.#workers.filter((other) => other !== place);
    void place.lane.close();
    const inline = await this.#place(0);
    try {
      return await inline.lane.scan(chunk);
    } finally {
      inline.busy = false;
    }
  }
}

const WORTH_A_WORKER_BYTES = 64 * 1024;
