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
  /** The records since `reset`, in blocks of at most `maxBlockBytes` and `maxBlockRecords`; a larger single record is a block alone. */
  drain(): RecordBlock[];
}
