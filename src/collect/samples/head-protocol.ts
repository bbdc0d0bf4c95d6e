import type { HeadBuffers } from '../../samples/head-columns.ts';
import type { MetricMetadata } from '../../samples/log-codec.ts';
import type { HeadLimits } from '../../samples/sample-head.ts';
import type { UpkeepStatus } from '../store/store.ts';
import type { IngestRequest, IngestResult } from '../store/ingest-request.ts';

/** What the thread of the head is started with. */
export interface HeadThreadData {
  /** Of the sample files; it is there. */
  readonly folder: string;
  readonly limits: HeadLimits;
  readonly retention: { readonly timeMs: number; readonly bytesMax: number };
  readonly maintenanceMs: number;
  readonly share: SharedArrayBuffer;
  /** The database file beside it: who may speak in whose name, and samples of an older version. */
  readonly storePath: string;
}

export interface HeadStats {
  /** On the disk. */
  readonly bytes: number;
  readonly series: number;
  readonly commits: number;
  /** Blocks written, merged or deleted. */
  readonly blockSteps: number;
  readonly blocks: number;
  /** Bytes of recent samples in memory. */
  readonly headBytes: number;
  readonly upkeep: readonly UpkeepStatus[];
}

/** What a start found. */
export interface HeadOpening {
  readonly buffers: HeadBuffers;
  /** Sentences for the log. */
  readonly warnings: readonly string[];
}

/** Calls that the head's thread answers: arguments and result by method. */
export interface HeadCalls {
  open: { args: []; result: HeadOpening };
  ingest: { args: [IngestRequest]; result: IngestResult };
  metadata: { args: []; result: MetricMetadata[] };
  stats: { args: []; result: HeadStats };
  maintain: { args: [number]; result: void };
  close: { args: []; result: void };
}

export type HeadMethod = keyof HeadCalls;
