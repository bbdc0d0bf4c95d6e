const UNITS = [
  ['y', 31_536_000_000],
  ['w', 604_800_000],
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const;

const FORM = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/;

/** The largest that Prometheus accepts: 2^63 nanoseconds. */
const MAX_MS = 2 ** 63 / 1e6;

/** A duration as PromQL writes it (`1h30m`, units in falling order) in milliseconds; undefined when it is none. */
export function parsePromqlDuration(text: string): number | undefined {
  if (text === '0') return 0;
  const match = text === '' ? null : FORM.exec(text);
  if (match === null) return undefined;
  let total = 0;
  for (const [index, [, unitMs]] of UNITS.entries()) total += Number(match[index + 1] ?? 0) * unitMs;
  return total < MAX_MS ? total : undefined;
}

/** `5400000` as `1h30m`; weeks and years only where the duration is a whole number of them. */
export function formatPromqlDuration(ms: number): string {
  if (ms === 0) return '0s';
  let rest = Math.abs(ms);
  let text = ms < 0 ? '-' : '';
  for (const [unit, unitMs] of UNITS) {
    const wholeOnly = unit === 'y' || unit === 'w';
    if (rest < unitMs || (wholeOnly && rest % unitMs !== 0)) continue;
    text += `${Math.floor(rest / unitMs)}${unit}`;
    rest %= unitMs;
  }
  return text;
}
