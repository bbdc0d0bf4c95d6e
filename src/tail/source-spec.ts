/** What the tailer must know of a configured source. */
export interface SourceSpec {
  readonly name: string;
  /** Globs, `**` too; absolute or relative to the working directory. */
  readonly paths: readonly string[];
  /** Globs; one without a slash is held against the file's name alone. */
  readonly exclude: readonly string[];
  /** Where reading starts in a file that is there at the very first look. Files that come later are read whole. */
  readonly startAt: 'beginning' | 'end';
  readonly maxLineBytes: number;
  /** Read at a time at most, where that is less than for others. */
  readonly chunkBytes?: number;
  readonly encoding: 'utf-8' | 'utf-16' | 'latin1';
  /** After this long without new lines the parser is told not to wait for more. */
  readonly multilineTimeoutMs?: number;
  /** How long a rotated or deleted file is watched after its last byte was read. */
  readonly lingerMs: number;
}
