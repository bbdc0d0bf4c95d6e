/** A wall clock that goes back by no more than this is waited for; by more, it was set, and what was later never was. */
export const CLOCK_TOLERANCE_MS = 60_000;
