import type { RecordBlock, Slice } from './slice.ts';

/** One entry of the buffer: on disk it exists whole or not at all. */
export type Entry = Commit | Samples;

/** Positions, metric deltas and records of a slice of work. */
export interface Commit {
  readonly kind: 'commit';
  /** Number of the entry in the buffer, from 1, without gaps. */
  readonly seq: number;
  readonly timeMs: number;
  readonly slices: readonly Slice[];
  /** The batches that its records form; fixed here, so that a repeat after a crash has the same key and content. */
  readonly batches: readonly Batch[];
}

/** The values of the registry's series at one instant, for sinks that ship metrics. */
export interface Samples {
  readonly kind: 'samples';
  readonly seq: number;
  readonly timeMs: number;
  /** OTLP `MetricsData` (a run of ResourceMetrics), as `wire/` encodes it. */
  readonly otlp: Uint8Array;
  readonly points: number;
}

/** Records that travel in one request under one idempotency key. */
export interface Batch {
  /** Counts up over the life of an epoch, without gaps. */
  readonly number: number;
  readonly parts: readonly BatchPart[];
}

/** The records of one slice within a batch. Everything in a part shares resource and file. */
export interface BatchPart {
  readonly source: string;
  readonly path: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly blocks: readonly RecordBlock[];
}
