/** Why something that was in a file did not reach its metrics or records. A closed list: the ledger has no "other". */
export const LOSS_REASONS = [
  /** A line longer than `max_line_bytes`: the head was kept, the rest cut off. */
  'line_too_long',
  /** The buffer was full and its policy is `drop_oldest`. */
  'buffer_full',
  /** The receiver refused it for good, for its content, and there was no room to set it aside. */
  'rejected',
  /** A person dropped what a receiver had refused (`taffrail rejected drop`). */
  'dropped',
  /** A damaged buffer segment was set aside. */
  'buffer_damaged',
  /** The file was truncated before it was read to the end, and no copy of the rest was found. */
  'truncated',
  /** The file was deleted, or its compressed copy was unreadable, before it was read to the end. */
  'deleted',
] as const;
export type LossReason = (typeof LOSS_REASONS)[number];

/**
 * What became of the lines of one chunk. `lines = matched + unmatched + filtered`, and
 * `bytes` is the length of the consumed part, newlines included. Every line that is not filtered is
 * a record where the source ships records.
 */
export interface LineCounts {
  readonly lines: number;
  readonly bytes: number;
  readonly matched: number;
  readonly unmatched: number;
  readonly unmatchedBytes: number;
  /** Dropped by a `keep`/`drop` step of the pack or source, by its name. */
  readonly filtered: number;
  readonly filteredBytes: number;
  readonly filteredBy?: Readonly<Record<string, number>>;
  /** Lines that were cut, and the bytes cut off them. */
  readonly cutLines: number;
  readonly cutBytes: number;
  /** Lines with bytes that are not UTF-8, or NUL bytes: kept, with U+FFFD in place of what is invalid. */
  readonly invalid: number;
  /** Lines whose event time could not be read; they got the time of reading. */
  readonly badTimestamps: number;
  /** Events: what multiline joined counts once here. Equals lines without multiline. */
  readonly events: number;
}

export const NO_LINES: LineCounts = Object.freeze({
  lines: 0,
  bytes: 0,
  matched: 0,
  unmatched: 0,
  unmatchedBytes: 0,
  filtered: 0,
  filteredBytes: 0,
  cutLines: 0,
  cutBytes: 0,
  invalid: 0,
  badTimestamps: 0,
  events: 0,
});

export function addCounts(a: LineCounts, b: LineCounts): LineCounts {
  const filteredBy: Record<string, number> = { ...a.filteredBy };
  for (const [rule, lines] of Object.entries(b.filteredBy ?? {}))
    filteredBy[rule] = (filteredBy[rule] ?? 0) + lines;
  return {
    lines: a.lines + b.lines,
    bytes: a.bytes + b.bytes,
    matched: a.matched + b.matched,
    unmatched: a.unmatched + b.unmatched,
    unmatchedBytes: a.unmatchedBytes + b.unmatchedBytes,
    filtered: a.filtered + b.filtered,
    filteredBytes: a.filteredBytes + b.filteredBytes,
    ...(Object.keys(filteredBy).length > 0 ? { filteredBy } : {}),
    cutLines: a.cutLines + b.cutLines,
    cutBytes: a.cutBytes + b.cutBytes,
    invalid: a.invalid + b.invalid,
    badTimestamps: a.badTimestamps + b.badTimestamps,
    events: a.events + b.events,
  };
}
