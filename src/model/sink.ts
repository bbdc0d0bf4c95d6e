import type { Entry } from './entry.ts';

/** A sink's own place in the buffer. Entries come in order; progress is acknowledged backwards. */
export interface Cursor {
  readonly name: string;
  /** The next entry after the last one taken; waits until there is one. `undefined` once aborted. */
  take(signal: AbortSignal): Promise<Entry | undefined>;
  /**
   * The receiver has the entry's content, or it was given up with a counted reason. Entries may be settled in
   * any order; the cursor moves past the run of settled ones. `delivered` and `lost` count lines by source.
   */
  settle(seq: number, outcome: Outcome): void;
  /**
   * Deliveries of the entry were stopped before their end; `arrived` is what the receiver has of it. It comes again
   * from the cursor, unless it was dropped meanwhile: then this is the last that anybody learns of it.
   */
  stopped(seq: number, arrived: Outcome): void;
  /** Entries up to here are settled. */
  readonly settledThrough: number;
  /** Batches with a smaller number are settled: their keys will never be sent again. */
  readonly settledBatch: number;
}

/** What became of an entry, by source name: lines, and beside them the records delivered. */
export interface Outcome {
  readonly delivered: ReadonlyMap<string, number>;
  readonly records?: ReadonlyMap<string, number>;
  readonly lost: ReadonlyMap<string, { readonly reason: 'rejected'; readonly lines: number }>;
}

/** A destination with its own cursor. */
export interface Sink {
  readonly name: string;
  start(): void;
  /** Stops taking, gives deliveries under way until the deadline, then aborts them. Nothing is lost: what is not settled stays buffered. */
  stop(deadlineMs: number): Promise<void>;
  status(): SinkStatus;
}

export interface SinkStatus {
  readonly name: string;
  readonly type: string;
  readonly healthy: boolean;
  readonly lastError?: string;
  readonly lastErrorAtMs?: number;
  readonly lastSuccessAtMs?: number;
  readonly endpoint?: string;
  readonly requests: number;
  readonly retries: number;
  readonly rejectedBatches: number;
  readonly recordsDelivered: number;
  readonly bytesSent: number;
  readonly inFlight: number;
}
