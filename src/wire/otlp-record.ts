import type { AnyValue, Attributes } from './any-value.ts';

/** A log record as it comes off the wire, from any sender. */
export interface DecodedRecord {
  /** Event time: whole ms since 1970, 0 where the sender knew none. */
  readonly timeMs: number;
  /** Nanoseconds below `timeMs`, 0 to 999,999. */
  readonly timeNanos: number;
  readonly observedMs: number;
  /** OTLP's SeverityNumber, 0 where unknown. */
  readonly severity: number;
  readonly severityText: string;
  readonly body: AnyValue;
  readonly attributes: Attributes;
  /** 32 hex digits, or '' */
  readonly traceId: string;
  /** 16 hex digits, or '' */
  readonly spanId: string;
  readonly flags: number;
  readonly eventName: string;
}

export interface Scope {
  readonly name: string;
  readonly version: string;
}

/** Records that share resource and scope, in the order in which they were sent. */
export interface DecodedRecordGroup {
  readonly resource: Attributes;
  readonly scope: Scope;
  readonly records: readonly DecodedRecord[];
}
