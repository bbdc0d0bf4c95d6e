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
  /** Batches with a smaller number are settled: their keys will never be sent again, but for what is set aside. */
  readonly settledBatch: number;
  /** What is set aside and not ended, by id: lines by source. */
  readonly setAside: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** Ends that something is set aside; on disk for good when it resolves. What nobody knows by that id is left alone. */
  endAside(id: string, end: AsideEnd): Promise<void>;
}

/** What became of an entry, by source name: lines, and beside them the records delivered. */
export interface Outcome {
  readonly delivered: ReadonlyMap<string, number>;
  readonly records?: ReadonlyMap<string, number>;
  readonly lost: ReadonlyMap<string, { readonly reason: 'rejected'; readonly lines: number }>;
  /** What the receiver refused for good and the sink keeps, by the id under which it keeps it: lines by source. */
  readonly setAside?: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** Lines of `delivered` that went to one store although another may have them. */
  readonly possiblyTwice?: ReadonlyMap<string, number>;
}

/** What becomes in the end of what was set aside. */
export type AsideEnd =
  /** Sent again and taken. `records` by source. */
  | { readonly kind: 'delivered'; readonly records: ReadonlyMap<string, number> }
  /** Given up: by a person, or because it is not there any more. */
  | { readonly kind: 'lost'; readonly reason: 'dropped' | 'rejected' };

/** A destination with its own cursor. */
export interface Sink {
  readonly name: string;
  start(): void;
  /** Stops taking, gives deliveries under way until the deadline, then aborts them. Nothing is lost: what is not settled stays buffered. */
  stop(deadlineMs: number): Promise<void>;
  status(): SinkStatus;
  /** What its receiver refused for good; missing where it has no receiver that could. */
  readonly rejected?: RejectedDesk;
}

/** A request that a receiver refused for good and that is kept. */
export interface RejectedFacts {
  /** Unique within the sink. */
  readonly id: string;
  readonly kind: 'records' | 'metrics';
  /** ms since 1970. */
  readonly refusedAtMs: number;
  /** What the receiver said. */
  readonly reason: string;
  readonly endpoint: string;
  /** Records or points in the request. */
  readonly items: number;
  /** Records of it by source that the receiver does not have. */
  readonly records: Readonly<Record<string, number>>;
  /** The receiver took the others of the request; it does not say which these are. */
  readonly isPartial: boolean;
  /** Added to the endpoint's address. */
  readonly path: string;
  /** Those that belong to the body. */
  readonly headers: Readonly<Record<string, string>>;
}

/** What sending again, or dropping, came to. `message` is for the person who asked. */
export interface RejectedEnd {
  readonly ok: boolean;
  readonly message: string;
}

/** What a sink does with what its receiver refused for good. */
export interface RejectedDesk {
  /** To be awaited first. */
  load(): Promise<void>;
  /** The oldest first. */
  list(): readonly RejectedFacts[];
  /** With the body as it was sent; undefined where there is none, or it is damaged. */
  read(id: string): Promise<(RejectedFacts & { readonly body: Buffer }) | undefined>;
  /** Sends it once more, under the same key. */
  retry(id: string, abort: AbortSignal): Promise<RejectedEnd>;
  /** Gives it up for good. */
  drop(id: string): Promise<RejectedEnd>;
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
  /** Batches that wait for the store that may have them; missing where the sink has no such thing. */
  readonly inDoubt?: number;
  /** What was refused for good and is kept; missing where the sink keeps nothing. */
  readonly setAside?: { readonly items: number; readonly bytes: number; readonly maxBytes: number };
  /** What a person should know of it. */
  readonly notes?: readonly string[];
}
