/** What Go prints for a time that was never set; Alertmanager's endsAt of an alert that still fires. */
export const GO_ZERO_TIME = '0001-01-01T00:00:00Z';

/** RFC 3339 as Go prints it: no trailing zeros in the fraction. */
export function goTime(ms: number): string {
  return new Date(clampMs(ms)).toISOString().replace(/\.?0*Z$/, 'Z');
}

const YEAR_9999_MS = 253_402_300_799_000;

function clampMs(ms: number): number {
  return Number.isFinite(ms) ? Math.min(Math.max(0, ms), YEAR_9999_MS) : YEAR_9999_MS;
}
