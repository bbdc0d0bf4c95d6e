export interface BackoffLimits {
  readonly initialMs: number;
  readonly maxMs: number;
}

/** A pause before the repeat number `attempt` (from 1): anywhere from 0 to a bound that doubles, so that many senders spread out. */
export function fullJitter(attempt: number, limits: BackoffLimits, random: () => number): number {
  const bound = Math.min(limits.maxMs, limits.initialMs * 2 ** Math.min(attempt - 1, 30));
  return Math.round(random() * bound);
}
