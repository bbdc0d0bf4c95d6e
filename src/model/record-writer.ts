import type { RecordBlock } from './slice.ts';

/**
 * Writes records straight into their wire form, one per scanner. Call order for a record: begin, attributes, body,
 * end. `wire/` implements it, `parse/` feeds it.
 */
export interface RecordWriter {
  /** Interns an attribute key. */
  key(name: string): number;
  /** Starts the records of a chunk: attributes that all of them carry (`log.file.path`). */
  reset(constant: Readonly<Record<string, string>>): void;
  /** `timeMs` is the event's time in whole ms since 1970, `nanos` what is below (0 to 999,999). Severity 0 and '' where unknown. */
  begin(timeMs: number, nanos: number, observedMs: number, severity: number, severityText: string): void;
  attribute(key: number, value: string | number | boolean): void;
  /** An attribute whose value is ASCII bytes start..end of `source`: spares making a string. */
  attributeBytes(key: number, source: Buffer, start: number, end: number): void;
  body(text: string): void;
  /** The body as valid UTF-8 bytes start..end of `source`. */
  bodyBytes(source: Buffer, start: number, end: number): void;
  end(): void;
  /** A faster way for lines whose captures code has found; undefined where there is none. */
  lines?(layout: LineLayout): LineRecords | undefined;
  /**
   * The records since `reset`, in blocks of at most `maxBlockBytes` and `maxBlockRecords`; a larger single record is a block
   * alone. None where blocks go elsewhere when they are full: then the last one does.
   */
  drain(): RecordBlock[];
}

/**
 * How the results of lines lie in the memory that compiled code works in, in words of four bytes: from the first to that
 * of the next line, and within each its begin, its end, the number of its pattern, and what the fields of that are made of.
 */
export interface LineLayout {
  readonly stride: number;
  readonly begin: number;
  readonly end: number;
  readonly pattern: number;
  /** By pattern, in the order of the attributes. */
  readonly fields: readonly (readonly LineField[])[];
}

export interface LineField {
  readonly key: string;
  /** What cannot be read as the number that it is to be keeps the line from being written this way. */
  readonly type: 'text' | 'int' | 'float';
  /** Where the begin of its text is, followed by its end, or 0 and 0. */
  readonly place: number;
  /** For numbers: where its digits are, or -1, followed by how many of them are decimals. */
  readonly digits: number;
}

/** Writes the records of lines of plain ASCII, with the line as body. */
export interface LineRecords {
  /** The most lines at a time. */
  readonly most: number;
  /** What a line's record has beside what is in the line, for the line with this number among those that are written next. */
  moment(line: number, timeMs: number, nanos: number, severity: number, severityText: string): void;
  /** The same as of the line before. */
  momentAgain(line: number): void;
  /**
   * Writes lines, of which the one with the number `line` has its results from word `at` on, up to and without the number
   * `end`. Gives the number of the first that it did not write: it is for `begin`.
   */
  write(line: number, end: number, at: number, observedMs: number): number;
}
