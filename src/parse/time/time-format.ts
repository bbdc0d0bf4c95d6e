import * as token from './time-tokens.ts';
import type { TimeToken } from './time-tokens.ts';

/** Thrown for a format that cannot be read; the message is for the pack's author. */
export class TimeFormatError extends Error {}

const LUXON: Readonly<Record<string, TimeToken>> = {
  yyyy: token.digits('year', 4, 4),
  yy: token.shortYear,
  y: token.digits('year', 1, 4),
  MMMM: token.monthName,
  MMM: token.monthName,
  MM: token.digits('month', 2, 2),
  M: token.digits('month', 1, 2),
  dd: token.digits('day', 1, 2, true),
  d: token.digits('day', 1, 2, true),
  ooo: token.digits('dayOfYear', 3, 3),
  o: token.digits('dayOfYear', 1, 3),
  HH: token.digits('hour', 1, 2, true),
  H: token.digits('hour', 1, 2, true),
  hh: token.digits('hour', 1, 2, true),
  h: token.digits('hour', 1, 2, true),
  mm: token.digits('minute', 2, 2),
  m: token.digits('minute', 1, 2),
  ss: token.digits('second', 2, 2),
  s: token.digits('second', 1, 2),
  SSS: token.fraction,
  S: token.fraction,
  u: token.fraction,
  uu: token.fraction,
  uuu: token.fraction,
  a: token.meridiem,
  ZZZ: token.offset,
  ZZ: token.offset,
  Z: token.offset,
  z: token.zoneName,
  EEEE: token.dayName,
  EEE: token.dayName,
  X: token.epochSeconds,
  T: token.literal('T'),
};

const STRPTIME: Readonly<Record<string, TimeToken>> = {
  Y: token.digits('year', 4, 4),
  y: token.shortYear,
  m: token.digits('month', 1, 2, true),
  d: token.digits('day', 1, 2, true),
  e: token.digits('day', 1, 2, true),
  j: token.digits('dayOfYear', 1, 3),
  b: token.monthName,
  B: token.monthName,
  h: token.monthName,
  a: token.dayName,
  A: token.dayName,
  H: token.digits('hour', 1, 2, true),
  k: token.digits('hour', 1, 2, true),
  I: token.digits('hour', 1, 2, true),
  l: token.digits('hour', 1, 2, true),
  M: token.digits('minute', 1, 2),
  S: token.digits('second', 1, 2),
  p: token.meridiem,
  P: token.meridiem,
  f: token.fraction,
  L: token.fraction,
  N: token.fraction,
  z: token.offset,
  Z: token.zoneName,
  s: token.epochSeconds,
  '%': token.literal('%'),
  n: token.literal(' '),
  t: token.literal('\t'),
};
const STRPTIME_SHORT: Readonly<Record<string, string>> = {
  T: '%H:%M:%S',
  R: '%H:%M',
  D: '%m/%d/%y',
  F: '%Y-%m-%d',
};

/** `dd/MMM/yyyy:HH:mm:ss ZZ`, or `%d/%b/%Y:%H:%M:%S %z` where there is a percent sign. */
export function compileTokens(format: string): readonly TimeToken[] {
  return format.includes('%') ? strptime(format) : luxon(format);
}

function luxon(format: string): TimeToken[] {
  return [...format.matchAll(/'([^']*)'|([A-Za-z])\2*|[^A-Za-z']+/g)].flatMap(([whole, quoted, letter]) => {
    if (quoted !== undefined) return [token.literal(quoted)];
    if (letter === undefined) return literals(whole);
    const known = LUXON[whole] ?? (/^S+$/.test(whole) ? token.fraction : undefined);
    if (known === undefined) {
      throw new TimeFormatError(
        `${JSON.stringify(whole)} is no part of a time format; put literal text in single quotes`,
      );
    }
    return [known];
  });
}

function strptime(format: string): TimeToken[] {
  const long = format.replaceAll(/%([TRDF])/g, (_, letter: string) => STRPTIME_SHORT[letter]!);
  return [...long.matchAll(/%[-0_^#]?\d?([A-Za-z%])|[^%]+/g)].flatMap(([whole, letter]) => {
    if (letter === undefined) return literals(whole);
    const known = STRPTIME[letter];
    if (known === undefined) throw new TimeFormatError(`${whole} is no part of a time format`);
    return [known];
  });
}

function literals(text: string): TimeToken[] {
  return [...text.matchAll(/ |[^ ]+/g)].map(([part]) => token.literal(part));
}
