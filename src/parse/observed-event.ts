import type { FieldValue } from './row.ts';

/** What became of one event, for people who want to see it (`taffrail try`). */
export interface ObservedEvent {
  /** The event as text: masked where the pack masks. */
  readonly text: string;
  readonly lines: number;
  readonly outcome: 'matched' | 'unmatched' | 'filtered';
  /** The pattern that matched, where the pack has named ones. */
  readonly pattern?: string;
  /** The step that dropped it, or `header`. */
  readonly filteredBy?: string;
  readonly fields: Readonly<Record<string, FieldValue>>;
  /** The time stamp of the event, where it has one that can be read. */
  readonly timeMs?: number;
}
