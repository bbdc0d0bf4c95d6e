import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';

export interface BufferOptions {
  /** The state directory; the buffer lies in `buffer/` under it. */
  readonly dir: string;
  readonly maxBytes: number;
  /** `block`: appends wait until segments are released. `drop_oldest`: the oldest undelivered records go, counted. */
  readonly whenFull: 'block' | 'drop_oldest';
  readonly log: Log;
  readonly clock: Clock;
  /** Default 16 MiB, less where `maxBytes` is small. */
  readonly segmentBytes?: number;
  /** Entries kept in memory for sinks that keep up, three of the largest by default: 4 MiB. */
  readonly recentBytes?: number;
  readonly batchMaxBytes?: number;
  readonly batchMaxRecords?: number;
  /** Space kept for a full disk; default 1 MiB, 0 for none. */
  readonly reserveBytes?: number;
  /** Asks the agent to call `snapshot` soon: segments wait for one. May come often; call it once at a time. */
  readonly wantSnapshot?: () => void;
  /** False only in benchmarks: entries are not synced. */
  readonly durable?: boolean;
}

const MIB = 1 << 20;

export const BUFFER_DEFAULTS = {
  segmentBytes: 16 * MIB,
  recentBytes: 4 * MIB,
  /** What is behind a receiver may be gRPC, which takes messages of 4 MiB by default. */
  batchMaxBytes: 3 * MIB,
  batchMaxRecords: 8192,
  reserveBytes: MIB,
} as const;

/** Small buffers get small segments, so that space comes back in steps of an eighth. */
export function segmentBytesFor(options: BufferOptions): number {
  return (
    options.segmentBytes ??
    Math.max(16 * 1024, Math.min(BUFFER_DEFAULTS.segmentBytes, Math.floor(options.maxBytes / 8)))
  );
}
