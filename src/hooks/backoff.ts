const FIRST_MS = 1000;
const MAX_MS = 300_000;
/** A receiver's Retry-After is believed up to here. */
const MAX_ASKED_MS = 3_600_000;

/** How long to wait after the n-th failed attempt (from 1): doubling from 1 s to 5 min, half of it random; at least what the receiver asked for. */
export function backoffMs(attempts: number, random: number, askedMs = 0): number {
  const full = Math.min(MAX_MS, FIRST_MS * 2 ** Math.min(attempts - 1, 20));
  return Math.max(full / 2 + (full / 2) * random, Math.min(askedMs, MAX_ASKED_MS));
}
