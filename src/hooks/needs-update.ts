/** What a lane was last told (or owes) about a group: the notification log. Fingerprints. */
export interface Told {
  readonly firing: readonly string[];
  readonly resolved: readonly string[];
  /** When it was last decided, or, where it was delivered since, when that was. */
  readonly atMs: number;
}

export interface Now {
  readonly firing: readonly string[];
  readonly resolved: readonly string[];
  readonly atMs: number;
  readonly repeatIntervalMs: number;
  readonly sendResolved: boolean;
}

/** Alertmanager's rule for when a group is worth a notification. */
export function needsUpdate(told: Told | undefined, now: Now): boolean {
  if (told === undefined) return now.firing.length > 0;
  if (!isSubset(now.firing, told.firing)) return true;
  if (now.firing.length === 0) return told.firing.length > 0;
  if (now.sendResolved && !isSubset(now.resolved, told.resolved)) return true;
  return told.atMs < now.atMs - now.repeatIntervalMs;
}

function isSubset(part: readonly string[], whole: readonly string[]): boolean {
  const known = new Set(whole);
  return part.every((item) => known.has(item));
}
