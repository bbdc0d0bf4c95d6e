import { z } from 'zod';

const DURATION_UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  y: 31_536_000_000,
};

const SIZE_UNITS: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1000,
  KB: 1000,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
};

/** `200ms`, `15s`, `1h30m` in milliseconds; undefined when it is none. */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0;
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d|w|y))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d|w|y)/g)) {
    total += Number(amount) * DURATION_UNITS_MS[unit!]!;
  }
  return Number.isSafeInteger(Math.round(total)) ? Math.round(total) : undefined;
}

/** `64KiB`, `1GiB`, `10MB`, `512B` in bytes; undefined when it is none. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(B|kB|KB|MB|GB|TB|KiB|MiB|GiB|TiB)$/.exec(text);
  if (match === null) return undefined;
  const bytes = Math.round(Number(match[1]) * SIZE_UNITS[match[2]!]!);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

export function formatSize(bytes: number): string {
  for (const unit of ['TiB', 'GiB', 'MiB', 'KiB']) {
    const size = SIZE_UNITS[unit]!;
    if (bytes >= size) return `${Number((bytes / size).toFixed(1))}${unit}`;
  }
  return `${bytes}B`;
}

interface Range {
  readonly min?: string;
  readonly max?: string;
}

/** A duration in the schema: written `200ms`, read as milliseconds. */
export function duration(range: Range = {}) {
  return measure('a duration such as 200ms, 15s or 1h30m', parseDuration, range);
}

/** A size in the schema: written `1GiB`, read as bytes. */
export function size(range: Range = {}) {
  return measure('a size such as 64KiB, 1GiB or 10MB', parseSize, range);
}

function measure(what: string, parse: (text: string) => number | undefined, range: Range) {
  return z.string({ error: `expected ${what}` }).transform((text, context) => {
    const value = parse(text);
    const reject = (message: string): never => {
      context.addIssue({ code: 'custom', message, input: text });
      return z.NEVER;
    };
    if (value === undefined) return reject(`${JSON.stringify(text)} is not ${what}`);
    if (range.min !== undefined && value < parse(range.min)!)
      return reject(`${text} is too small; at least ${range.min}`);
    if (range.max !== undefined && value > parse(range.max)!)
      return reject(`${text} is too large; at most ${range.max}`);
    return value;
  });
}
