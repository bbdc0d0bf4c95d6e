import type { LineCounts } from '../model/line-counts.ts';
import { flat } from './row.ts';

const SAMPLE_MAX = 512;

/** LineCounts in the making. */
export class Tally {
  lines = 0;
  bytes = 0;
  matched = 0;
  unmatched = 0;
  unmatchedBytes = 0;
  filtered = 0;
  filteredBytes = 0;
  invalid = 0;
  badTimestamps = 0;
  events = 0;
  sample: string | undefined;
  readonly #filteredBy = new Map<string, number>();

  filter(rule: string, lines: number, bytes: number): void {
    this.filtered += lines;
    this.filteredBytes += bytes;
    this.#filteredBy.set(rule, (this.#filteredBy.get(rule) ?? 0) + lines);
  }

  miss(lines: number, bytes: number, text: () => string): void {
    this.unmatched += lines;
    this.unmatchedBytes += bytes;
    this.sample ??= flat(text().slice(0, SAMPLE_MAX));
  }

  /** All that was counted since the last call. */
  take(cutLines: number, cutBytes: number): LineCounts {
    const counts: LineCounts = {
      lines: this.lines,
      bytes: this.bytes,
      matched: this.matched,
      unmatched: this.unmatched,
      unmatchedBytes: this.unmatchedBytes,
      filtered: this.filtered,
      filteredBytes: this.filteredBytes,
      ...(this.#filteredBy.size > 0 ? { filteredBy: Object.fromEntries(this.#filteredBy) } : {}),
      cutLines,
      cutBytes,
      invalid: this.invalid,
      badTimestamps: this.badTimestamps,
      events: this.events,
    };
    this.lines = this.bytes = this.matched = this.unmatched = this.unmatchedBytes = 0;
    this.filtered = this.filteredBytes = this.invalid = this.badTimestamps = this.events = 0;
    this.sample = undefined;
    this.#filteredBy.clear();
    return counts;
  }
}
