import type { Unit } from '../config/pack-schema.ts';
import type { Scale } from './pattern/line-results.ts';
import type { FieldValue } from './row.ts';

export type ToNumber = (value: FieldValue) => number;

/** To seconds, bytes, ratios and degrees Celsius: Prometheus's base units. */
const FACTORS: Readonly<Record<string, number>> = {
  ns: 1e-9,
  us: 1e-6,
  µs: 1e-6,
  ms: 1e-3,
  s: 1,
  m: 60,
  h: 3600,
  d: 86_400,
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
  pages: 4096,
  percent: 0.01,
  celsius: 1,
};

/** Division keeps 12 ms at 0.012 where multiplication by 0.001 would give 0.012000000000000002 for others. */
const DIVISORS: Readonly<Record<string, number>> = { ns: 1e9, us: 1e6, µs: 1e6, ms: 1e3, percent: 100 };

/** What `toBaseUnit` does to a number, where that is one operation. */
export function scaleOf(unit: Unit | undefined): Scale | undefined {
  if (unit === undefined) return { by: 'multiply', amount: 1 };
  const divisor = DIVISORS[unit];
  if (divisor !== undefined) return { by: 'divide', amount: divisor };
  const factor = FACTORS[unit];
  return factor === undefined ? undefined : { by: 'multiply', amount: factor };
}

/** From a field's value in `unit` to a number in the base unit; NaN where it is none. */
export function toBaseUnit(unit: Unit | undefined): ToNumber {
  if (unit === undefined) return toNumber;
  if (unit === 'duration')
    return (value) => (typeof value === 'number' ? value : durationSeconds(String(value)));
  if (unit === 'clock') return (value) => clockSeconds(String(value));
  if (unit === 'size') return (value) => (typeof value === 'number' ? value : sizeBytes(String(value)));
  const divisor = DIVISORS[unit];
  if (divisor !== undefined) return (value) => toNumber(value) / divisor;
  const factor = FACTORS[unit]!;
  return (value) => toNumber(value) * factor;
}

export function toNumber(value: FieldValue): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  return value === '' ? Number.NaN : Number(value);
}

const DURATION = /^(-?)((?:\d+(?:\.\d+)?\s*(?:ns|us|µs|μs|ms|s|sec|secs|m|min|mins|h|d)\s*)+)$/;

/** `1.5ms`, `2m3.5s`, `350 µs`; a bare number is seconds. */
function durationSeconds(text: string): number {
  const bare = toNumber(text.trim());
  if (!Number.isNaN(bare)) return bare;
  const match = DURATION.exec(text.trim());
  if (match === null) return Number.NaN;
  let nanos = 0;
  for (const [, amount, unit] of match[2]!.matchAll(
    /(\d+(?:\.\d+)?)\s*(ns|us|µs|μs|ms|min|mins|m|secs?|s|h|d)/g,
  )) {
    const key = unit!.startsWith('sec') ? 's' : unit!.startsWith('min') ? 'm' : unit === 'μs' ? 'us' : unit!;
    nanos +=
      DIVISORS[key] === undefined
        ? Number(amount) * FACTORS[key]! * 1e9
        : (Number(amount) / DIVISORS[key]!) * 1e9;
  }
  return ((match[1] === '-' ? -1 : 1) * Number(nanos.toFixed(3))) / 1e9;
}

/** `01:02:03.5` and `02:03`. */
function clockSeconds(text: string): number {
  if (!/^(?:\d+:)?\d+:\d{1,2}(?:\.\d+)?$/.test(text)) return Number.NaN;
  return text.split(':').reduce((total, part) => total * 60 + Number(part), 0);
}

/** `12KiB`, `1.5 MB`, `10k`; a bare number is bytes. */
function sizeBytes(text: string): number {
  const match = /^(-?\d+(?:\.\d+)?)\s*([kKMGT]?i?)[bB]?(?:ytes?)?$/.exec(text.trim());
  if (match === null) return Number.NaN;
  const prefix = match[2]!;
  const power = ' kMGT'.indexOf(prefix.charAt(0) === 'K' ? 'k' : prefix.charAt(0) || ' ');
  return Number(match[1]) * (prefix.endsWith('i') ? 1024 : 1000) ** power;
}
