import type { Commit } from '../model/entry.ts';
import { outcomeOf } from '../model/outcome.ts';
import type { Outcome } from '../model/sink.ts';

/** Samples hold no lines: their settling moves the cursor and counts nothing. */
export const NOTHING_OWED: Outcome = Object.freeze({ delivered: new Map(), lost: new Map() });

/** A sink that ships no records owes the lines their metrics, which travel in the samples that follow. */
export function asMetricsOnly(commit: Commit): Outcome {
  return { ...outcomeOf(commit, []), records: new Map() };
}
