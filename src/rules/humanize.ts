import { formatFloat } from '../template/go-float.ts';

const LARGE = ['k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y'];
const SMALL = ['m', 'u', 'n', 'p', 'f', 'a', 'z', 'y'];
const BINARY = ['ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei', 'Zi', 'Yi'];

/** `1234567` → `1.235M`. */
export function humanize(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return four(value);
  if (Math.abs(value) >= 1) return scaled(value, LARGE, 1000);
  return small(value);
}

/** `100000` → `97.66ki`. */
export function humanize1024(value: number): string {
  if (Math.abs(value) <= 1 || !Number.isFinite(value)) return four(value);
  return scaled(value, BINARY, 1024);
}

/** Seconds: `100000` → `1d 3h 46m 40s`, `0.5` → `500ms`. */
export function humanizeDuration(value: number): string {
  if (!Number.isFinite(value)) return four(value);
  if (value === 0) return '0s';
  if (Math.abs(value) < 1) return `${small(value)}s`;
  const sign = value < 0 ? '-' : '';
  const whole = Math.trunc(Math.abs(value));
  const seconds = whole % 60;
  const minutes = Math.trunc(whole / 60) % 60;
  const hours = Math.trunc(whole / 3600) % 24;
  const days = Math.trunc(whole / 86_400);
  if (days !== 0) return `${sign}${BigInt(days)}d ${hours}h ${minutes}m ${seconds}s`;
  if (hours !== 0) return `${sign}${hours}h ${minutes}m ${seconds}s`;
  if (minutes !== 0) return `${sign}${minutes}m ${seconds}s`;
  return `${sign}${four(Math.abs(value))}s`;
}

/** A ratio: `0.5` → `50%`. */
export function humanizePercentage(value: number): string {
  return `${four(value * 100)}%`;
}

function scaled(value: number, prefixes: readonly string[], base: number): string {
  let rest = value;
  let prefix = '';
  for (const next of prefixes) {
    if (Math.abs(rest) < base) break;
    prefix = next;
    rest /= base;
  }
  return four(rest) + prefix;
}

function small(value: number): string {
  let rest = value;
  let prefix = '';
  for (const next of SMALL) {
    if (Math.abs(rest) >= 1) break;
    prefix = next;
    rest *= 1000;
  }
  return four(rest) + prefix;
}

/** `%.4g`. */
function four(value: number): string {
  return formatFloat(value, 'g', 4);
}
