import type { Outcome } from '../model/sink.ts';

/** Samples hold no lines: their settling moves the cursor and counts nothing. */
export const NOTHING_OWED: Outcome = Object.freeze({ delivered: new Map(), lost: new Map() });
