/**
 * Floats as Go's strconv prints them. JavaScript's toFixed, toPrecision and toExponential round a tie away from
 * zero; Go rounds the exact binary value half to even. So the exact decimal expansion is taken and rounded here.
 */
export type FloatVerb = 'e' | 'f' | 'g';

/** Decimal digits without leading zeros; the value is 0.DIGITS × 10^point. */
interface Decimal {
  readonly digits: string;
  readonly point: number;
}

/** `precision` -1 means: as few digits as tell the number apart. `keepZeros` is printf's `#` for %g. */
export function formatFloat(value: number, verb: FloatVerb, precision: number, keepZeros = false): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const shortest = precision < 0;
  const decimal = shortest ? shortestDecimal(Math.abs(value)) : exactDecimal(Math.abs(value));
  switch (verb) {
    case 'e': {
      const places = shortest ? Math.max(decimal.digits.length - 1, 0) : precision;
      return sign + exponential(shortest ? decimal : round(decimal, places + 1), places);
    }
    case 'f': {
      const places = shortest ? Math.max(decimal.digits.length - decimal.point, 0) : precision;
      return sign + fixed(shortest ? decimal : round(decimal, decimal.point + places), places);
    }
    case 'g':
      return sign + general(decimal, precision, keepZeros);
  }
}

/** What `{{ $value }}` and `%v` print: %g with the shortest digits, an exponent from 1e+06 or below 1e-04. */
export function formatGoFloat(value: number): string {
  return formatFloat(value, 'g', -1);
}

/** The exponent from which %g with shortest digits turns exponential. */
const SHORTEST_EXPONENT_AT = 6;

function general(decimal: Decimal, precision: number, keepZeros: boolean): string {
  const shortest = precision < 0;
  const wanted = shortest ? decimal.digits.length : Math.max(precision, 1);
  const rounded = shortest ? decimal : round(decimal, wanted);
  const exponent = rounded.digits === '' ? 0 : rounded.point - 1;
  const limit = shortest ? SHORTEST_EXPONENT_AT : wanted;
  const significant = keepZeros && !shortest ? wanted : rounded.digits.length;
  if (exponent < -4 || exponent >= limit) return exponential(rounded, Math.max(significant - 1, 0));
  return fixed(rounded, Math.max(significant - rounded.point, 0));
}

function exponential(decimal: Decimal, places: number): string {
  const digits = decimal.digits.padEnd(places + 1, '0');
  const exponent = decimal.digits === '' ? 0 : decimal.point - 1;
  const mantissa = places > 0 ? `${digits[0] ?? '0'}.${digits.slice(1, places + 1)}` : (digits[0] ?? '0');
  const size = String(Math.abs(exponent)).padStart(2, '0');
  return `${mantissa}e${exponent < 0 ? '-' : '+'}${size}`;
}

function fixed(decimal: Decimal, places: number): string {
  const whole = decimal.point > 0 ? decimal.digits.slice(0, decimal.point).padEnd(decimal.point, '0') : '0';
  if (places === 0) return whole;
  const fraction =
    decimal.point >= 0 ? decimal.digits.slice(decimal.point) : '0'.repeat(-decimal.point) + decimal.digits;
  return `${whole}.${fraction.slice(0, places).padEnd(places, '0')}`;
}

/** Keeps `count` digits, half to even. */
function round({ digits, point }: Decimal, count: number): Decimal {
  if (count >= digits.length) return { digits, point };
  if (count < 0) return { digits: '', point: 0 };
  const kept = digits.slice(0, count);
  if (!roundsUp(digits, count)) return trim({ digits: kept, point });
  const raised = String(BigInt(kept === '' ? '0' : kept) + 1n).padStart(count, '0');
  return trim({ digits: raised, point: point + (raised.length - count) });
}

function roundsUp(digits: string, count: number): boolean {
  const next = digits.charCodeAt(count) - 48;
  if (next !== 5) return next > 5;
  if (/[1-9]/.test(digits.slice(count + 1))) return true;
  return count > 0 && (digits.charCodeAt(count - 1) - 48) % 2 === 1;
}

function trim({ digits, point }: Decimal): Decimal {
  const trimmed = digits.replace(/0+$/, '');
  return trimmed === '' ? { digits: '', point: 0 } : { digits: trimmed, point };
}

function shortestDecimal(value: number): Decimal {
  if (value === 0) return { digits: '', point: 0 };
  const [mantissa, exponent] = value.toExponential().split('e');
  return trim({ digits: (mantissa ?? '').replace('.', ''), point: Number(exponent) + 1 });
}

function exactDecimal(value: number): Decimal {
  if (value === 0) return { digits: '', point: 0 };
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, value);
  const raw = bits.getBigUint64(0);
  const biased = Number((raw >> 52n) & 0x7ffn);
  const fraction = raw & 0xfffffffffffffn;
  const mantissa = biased === 0 ? fraction : fraction | (1n << 52n);
  const exponent = Math.max(biased, 1) - 1075;
  // m × 2^-n = m × 5^n / 10^n, so both directions stay whole numbers.
  const whole = exponent >= 0 ? mantissa << BigInt(exponent) : mantissa * 5n ** BigInt(-exponent);
  const digits = whole.toString();
  return trim({ digits, point: digits.length + Math.min(exponent, 0) });
}
