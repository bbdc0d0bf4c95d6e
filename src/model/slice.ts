import type { LineCounts } from './line-counts.ts';
import type { Position } from './position.ts';

/**
 * What parsing a chunk came to. It is made of bytes, so that it can cross from a worker thread and go to disk as
 * it is: the same decoder applies it to the registry after a commit and when a commit is replayed after a restart.
 */
export interface Fragment {
  /** How many bytes of the chunk are done with; the rest (an unfinished multiline event) is given again. */
  readonly consumed: number;
  readonly parserState?: string;
  readonly counts: LineCounts;
  /** Metric deltas as `metrics/delta-codec.ts` writes them; empty where there are none. */
  readonly deltas: Uint8Array;
  /** The records, in order, in blocks that each fit a batch. Empty where the source ships no records. */
  readonly records: readonly RecordBlock[];
  /** One unmatched line of this chunk, at most 512 characters, for `status` to show. */
  readonly unmatchedSample?: string;
  readonly giveBack?: GiveBack;
}

/**
 * Where the records lie in memory that is lent: to be called once nobody will read them any more. Never to call it is
 * no mistake; to call it early is one, for then they change.
 */
export type GiveBack = () => void;

/**
 * Consecutive records of one file, encoded as a run of OTLP `ScopeLogs.log_records` fields
 * (tag 0x12, length, LogRecord), ready to be put in a request unchanged.
 */
export interface RecordBlock {
  readonly count: number;
  readonly bytes: Uint8Array;
  /**
   * Where `bytes` are that run deflated: raw, flushed and not ended, so that it can become a part of a gzip body as it
   * is. `crc` is the crc32 of the run.
   */
  readonly deflated?: { readonly plainBytes: number; readonly crc: number };
}

/** How long the run of records is before it is compressed. */
export function plainBytesOf({ bytes, deflated }: RecordBlock): number {
  return deflated?.plainBytes ?? bytes.length;
}

/** A fragment with the position that it moves: the unit that is committed whole or not at all. */
export interface Slice {
  readonly position: Position;
  /** Where the stream stood before; `position.offset` is where it stands after. */
  readonly from: number;
  readonly counts: LineCounts;
  readonly deltas: Uint8Array;
  readonly records: readonly RecordBlock[];
  /** Labels of the source when the slice was made; they become resource attributes of its records. */
  readonly labels: Readonly<Record<string, string>>;
  /** Known content that could not be read (see LOSS_REASONS `truncated`, `deleted`); `bytes` is -1 where unknown. */
  readonly missed?: { readonly reason: 'truncated' | 'deleted'; readonly bytes: number };
  readonly giveBack?: GiveBack;
}
