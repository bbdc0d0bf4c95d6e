import type { AnyValue, Attributes } from '../../wire/any-value.ts';

/** Which records: every condition holds. */
export interface RecordFilter {
  /** By the attributes of a record or of its resource, by their own name or the label's (`host` for `host.name`). */
  readonly labels: readonly { readonly name: string; readonly value: string }[];
  /** A part of the body, as it is written. */
  readonly text: string;
}

export interface RecordQuery extends RecordFilter {
  readonly fromMs: number;
  readonly toMs: number;
  readonly limit: number;
  /** Older than this place: the `next` of the page before. */
  readonly before?: string;
  /** Milliseconds to search; then what was found is returned, with the place to go on from. */
  readonly budgetMs: number;
}

export interface StoredRecord {
  /** Its place in the order of records, unique in the store. */
  readonly id: string;
  readonly timeMs: number;
  readonly timeNanos: number;
  readonly observedMs: number;
  readonly receivedMs: number;
  readonly severity: number;
  readonly severityText: string;
  readonly body: AnyValue;
  readonly attributes: Attributes;
  readonly resource: Attributes;
  readonly traceId: string;
  readonly spanId: string;
}

export interface RecordPage {
  /** Newest first. */
  readonly records: readonly StoredRecord[];
  /** Where the next page begins; absent at the end. */
  readonly next?: string;
  /** How far back was searched. */
  readonly searchedToMs: number;
}

/** Place of a record: event time, then block, then index in the block. */
export interface Place {
  readonly ms: number;
  readonly nanos: number;
  readonly block: number;
  readonly index: number;
}

export function formatPlace(place: Place): string {
  return `${place.ms}.${place.nanos}.${place.block}.${place.index}`;
}

export function parsePlace(text: string): Place | undefined {
  const match = /^(\d{1,16})\.(\d{1,6})\.(\d{1,16})\.(\d{1,9})$/.exec(text);
  if (match === null) return undefined;
  return { ms: Number(match[1]), nanos: Number(match[2]), block: Number(match[3]), index: Number(match[4]) };
}

/** Negative where `a` is newer. */
export function newestFirst(a: Place, b: Place): number {
  return b.ms - a.ms || b.nanos - a.nanos || b.block - a.block || b.index - a.index;
}
