/** What a time stamp's text said; NaN where it said nothing. */
export class TimeParts {
  year = Number.NaN;
  month = Number.NaN;
  day = Number.NaN;
  dayOfYear = Number.NaN;
  hour = 0;
  minute = 0;
  second = 0;
  /** Below the second, in nanoseconds. */
  nanos = 0;
  pm: boolean | undefined = undefined;
  offsetMinutes = Number.NaN;
  zone: string | undefined = undefined;
  /** The zone as it is written, where it is a word. */
  abbreviation: string | undefined = undefined;
  epochSeconds = Number.NaN;

  clear(): void {
    this.year = this.month = this.day = this.dayOfYear = this.offsetMinutes = this.epochSeconds = Number.NaN;
    this.hour = this.minute = this.second = this.nanos = 0;
    this.pm = undefined;
    this.zone = this.abbreviation = undefined;
  }
}

/** Reads its piece of `text` at `at` into `parts`; gives the index after it, or -1. */
export type TimeToken = (text: string, at: number, parts: TimeParts) => number;

type NumberPart = 'year' | 'month' | 'day' | 'dayOfYear' | 'hour' | 'minute' | 'second';

/** min..max digits; `padded` lets a space stand for a leading digit. */
export function digits(part: NumberPart, min: number, max: number, padded = false): TimeToken {
  return (text, at, parts) => {
    let i = at;
    if (padded && text.charCodeAt(i) === 0x20) i++;
    const start = i;
    let value = 0;
    while (i - start < max) {
      const c = text.charCodeAt(i) - 0x30;
      if (!(c >= 0 && c <= 9)) break;
      value = value * 10 + c;
      i++;
    }
    if (i - start < (i > at && start > at ? 1 : min)) return -1;
    parts[part] = value;
    return i;
  };
}

export const shortYear: TimeToken = (text, at, parts) => {
  const end = digits('year', 2, 2)(text, at, parts);
  if (end >= 0) parts.year += parts.year < 70 ? 2000 : 1900;
  return end;
};

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const MONTHS_FULL = ['january', 'february', 'march', 'april', 'may', 'june', 'july', 'august', 'september', 'october',
  'november', 'december']; // prettier-ignore
const MONTH_OF = new Map(MONTHS.map((name, i) => [name, i]));

/** Jan or January, any case. */
export const monthName: TimeToken = (text, at, parts) => {
  const word = text.slice(at, at + 3);
  const index = MONTH_OF.get(word) ?? MONTH_OF.get(word.toLowerCase());
  if (index === undefined) return -1;
  parts.month = index + 1;
  const full = MONTHS_FULL[index]!;
  return text.slice(at, at + full.length).toLowerCase() === full ? at + full.length : at + 3;
};

/** Mon or Monday: passed over. */
export const dayName: TimeToken = (text, at) => {
  let i = at;
  while (isLetter(text.charCodeAt(i))) i++;
  return i - at >= 3 ? i : -1;
};

/** 1 to 9 digits of a fraction of the second. */
export const fraction: TimeToken = (text, at, parts) => {
  let i = at;
  let value = 0;
  for (; i - at < 9; i++) {
    const c = text.charCodeAt(i) - 0x30;
    if (!(c >= 0 && c <= 9)) break;
    value = value * 10 + c;
  }
  if (i === at) return -1;
  parts.nanos = value * 10 ** (9 - (i - at));
  while (text.charCodeAt(i) >= 0x30 && text.charCodeAt(i) <= 0x39) i++;
  return i;
};

export const meridiem: TimeToken = (text, at, parts) => {
  const word = text.slice(at, at + 2).toLowerCase();
  if (word !== 'am' && word !== 'pm') return -1;
  parts.pm = word === 'pm';
  return at + 2;
};

/** As in RFC 3339. */
const OFFSET_HOURS_MAX = 23;

/** Z, UTC, +02, +0200, +02:00. */
export const offset: TimeToken = (text, at, parts) => {
  const sign = text.charCodeAt(at);
  if (sign !== 0x2b && sign !== 0x2d) {
    const word = /^(?:Z|z|UTC|GMT)/.exec(text.slice(at, at + 3));
    if (word === null) return -1;
    parts.offsetMinutes = 0;
    return at + word[0].length;
  }
  const hours = twoDigits(text, at + 1);
  if (hours < 0) return -1;
  let end = at + 3;
  if (hours > OFFSET_HOURS_MAX) return -1;
  let minutes = twoDigits(text, text.charCodeAt(end) === 0x3a ? end + 1 : end);
  if (minutes > 59) return -1;
  if (minutes < 0) minutes = 0;
  else end = text.charCodeAt(end) === 0x3a ? end + 3 : end + 2;
  parts.offsetMinutes = (sign === 0x2d ? -1 : 1) * (hours * 60 + minutes);
  return end;
};

/** Abbreviations that mean one offset wherever they are written; others (IST, CST …) need `zones` in the pack. */
const ABBREVIATIONS: Readonly<Record<string, number>> = {
  UTC: 0, GMT: 0, Z: 0, WET: 0, WEST: 60, CET: 60, CEST: 120, EET: 120, EEST: 180, MSK: 180,
  EST: -300, EDT: -240, CDT: -300, MST: -420, MDT: -360, PST: -480, PDT: -420, JST: 540, KST: 540,
}; // prettier-ignore

/** `Europe/Berlin`, `CET`, or an offset. */
export const zoneName: TimeToken = (text, at, parts) => {
  const first = text.charCodeAt(at);
  if (first === 0x2b || first === 0x2d) return offset(text, at, parts);
  const word = /^[A-Za-z_]+(?:\/[A-Za-z_+-]+\d*)*/.exec(text.slice(at, at + 64))?.[0];
  if (word === undefined) return -1;
  const known = ABBREVIATIONS[word.toUpperCase()];
  parts.abbreviation = word;
  if (known !== undefined) parts.offsetMinutes = known;
  else parts.zone = word;
  return at + word.length;
};

export const epochSeconds: TimeToken = (text, at, parts) => {
  const match = /^-?\d{1,12}/.exec(text.slice(at, at + 13));
  if (match === null) return -1;
  parts.epochSeconds = Number(match[0]);
  return at + match[0].length;
};

/** The text itself; one space stands for a run of spaces. */
export function literal(expected: string): TimeToken {
  if (expected === ' ') {
    return (text, at) => {
      let i = at;
      while (text.charCodeAt(i) === 0x20) i++;
      return i > at ? i : -1;
    };
  }
  return (text, at) => (text.startsWith(expected, at) ? at + expected.length : -1);
}

function twoDigits(text: string, at: number): number {
  const a = text.charCodeAt(at) - 0x30;
  const b = text.charCodeAt(at + 1) - 0x30;
  return a >= 0 && a <= 9 && b >= 0 && b <= 9 ? a * 10 + b : -1;
}

function isLetter(c: number): boolean {
  return (c >= 0x41 && c <= 0x5a) || (c >= 0x61 && c <= 0x7a);
}
