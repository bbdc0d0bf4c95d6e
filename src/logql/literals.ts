import { parsePromqlDuration } from '../promql/promql-duration.ts';

const NANOS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/**
 * Go's duration (`1h2m3.5s`, a unit for each number, no days) in nanoseconds. A text gives the reason why it is none, in
 * the words of Go's time package, since it becomes a label that users compare.
 */
export function parseGoDuration(text: string): number | string {
  const quoted = JSON.stringify(text);
  const sign = text.startsWith('-') ? -1 : 1;
  let rest = text.replace(/^[-+]/, '');
  if (rest === '0') return 0;
  if (rest === '') return `time: invalid duration ${quoted}`;
  let total = 0;
  while (rest !== '') {
    const number = /^(?:\d+\.?\d*|\.\d+)/.exec(rest)?.[0];
    if (number === undefined) return `time: invalid duration ${quoted}`;
    rest = rest.slice(number.length);
    const unit = /^[^\d.]*/.exec(rest)![0];
    if (unit === '') return `time: missing unit in duration ${quoted}`;
    const nanos = Object.hasOwn(NANOS, unit) ? NANOS[unit]! : undefined;
    if (nanos === undefined) return `time: unknown unit ${JSON.stringify(unit)} in duration ${quoted}`;
    total += Number(number) * nanos;
    rest = rest.slice(unit.length);
  }
  if (total > 2 ** 63) return `time: invalid duration ${quoted}`;
  return sign * Math.trunc(total);
}

/** A duration as it is written in a query: as Go has it or as Prometheus has it (`1d2h`). In nanoseconds. */
export function parseQueryDuration(text: string): number | undefined {
  const go = parseGoDuration(text);
  if (typeof go === 'number' && text !== '0') return go;
  const negative = text.startsWith('-');
  const ms = parsePromqlDuration(negative ? text.slice(1) : text);
  return ms === undefined ? undefined : ms * 1e6 * (negative ? -1 : 1);
}

const POWERS = ['', 'k', 'm', 'g', 't', 'p', 'e'] as const;

/** `b`, `kb`, `kib`, `k`, `ki`, … by the factor of their bytes. */
const BYTE_UNITS: ReadonlyMap<string, number> = new Map(
  POWERS.flatMap((letter, i): [string, number][] => [
    [letter, 1000 ** i],
    [`${letter}b`, 1000 ** i],
    ...(i === 0
      ? []
      : ([
          [`${letter}i`, 1024 ** i],
          [`${letter}ib`, 1024 ** i],
        ] as [string, number][])),
  ]),
);

/** A size in a label (`2,048`, `1.5 MiB`, any case) in bytes. A text says why it is none. */
export function parseBytes(text: string): number | string {
  const number = /^[\d.,]*/.exec(text)![0];
  const value = parseGoFloat(number.replaceAll(',', ''));
  if (typeof value === 'string') return value;
  const unit = text.slice(number.length).trim().toLowerCase();
  const factor = BYTE_UNITS.get(unit);
  if (factor === undefined) return `unhandled size name: ${unit}`;
  const bytes = Math.trunc(value * factor);
  return bytes >= 2 ** 64 ? `too large: ${text}` : bytes;
}

/** Go's strconv.ParseFloat; a text is its complaint. */
export function parseGoFloat(text: string): number | string {
  const plain = text.includes('_') ? text.replaceAll(/(?<=\d)_(?=\d)/g, '') : text;
  if (/^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/.test(plain)) {
    const value = Number(plain);
    if (Number.isFinite(value)) return value;
    return `strconv.ParseFloat: parsing ${JSON.stringify(text)}: value out of range`;
  }
  if (/^[-+]?nan$/i.test(text)) return Number.NaN;
  if (/^\+?inf(?:inity)?$/i.test(text)) return Number.POSITIVE_INFINITY;
  if (/^-inf(?:inity)?$/i.test(text)) return Number.NEGATIVE_INFINITY;
  const hex = parseHexFloat(text);
  if (hex !== undefined) return hex;
  return `strconv.ParseFloat: parsing ${JSON.stringify(text)}: invalid syntax`;
}

/** `0x1.8p3`: hexadecimal digits and a binary exponent. */
export function parseHexFloat(text: string): number | undefined {
  const match = /^([-+]?)0[xX]([0-9a-fA-F]*)\.?([0-9a-fA-F]*)[pP]([-+]?\d+)$/.exec(text);
  if (match === null || `${match[2]}${match[3]}` === '') return undefined;
  const [, sign, whole, fraction, exponent] = match as unknown as [string, string, string, string, string];
  const digits = Number.parseInt(`${whole}${fraction}`, 16);
  return (sign === '-' ? -1 : 1) * digits * 2 ** (Number(exponent) - 4 * fraction.length);
}

/** A size as a query writes it: the case counts, and a unit is needed. In bytes. */
export function parseQueryBytes(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?|\.\d+)(B|kB|KB|KiB|MB|MiB|GB|GiB|TB|TiB|PB|PiB|EB|EiB)$/.exec(text);
  if (match === null) return undefined;
  return Math.trunc(Number(match[1]) * BYTE_UNITS.get(match[2]!.toLowerCase())!);
}
