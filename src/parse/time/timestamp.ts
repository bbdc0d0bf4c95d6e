import { daysFromCivil, daysInMonth } from './calendar.ts';
import { parseIso8601 } from './iso8601.ts';
import { compileTokens } from './time-format.ts';
import { TimeParts } from './time-tokens.ts';
import { Zone } from './zone.ts';
import { flat } from '../row.ts';
import type { FieldValue } from '../row.ts';

const DAY_MS = 86_400_000;
/** A time stamp without a year may lie this far ahead of now (clocks differ) before it is taken for last year's. */
const AHEAD_MS = 7 * DAY_MS;
/** A time of day alone may lie this far ahead of now before it is taken for yesterday's. */
const CLOCK_AHEAD_MS = 10 * 60_000;
/** Lines of one file may be this much out of order. */
const DISORDER_MS = 60_000;
/** A line that is read this soon after its time was most likely written just now. */
const LIVE_MS = 10_000;
const FILES_MAX = 256;

export interface Instant {
  /** Whole milliseconds since 1970. */
  ms: number;
  /** Nanoseconds below the millisecond. */
  nanos: number;
}

type Read = (text: string, parts: TimeParts) => boolean;

const EPOCHS: Readonly<Record<string, number>> = {
  epoch_s: 1e3,
  epoch_ms: 1,
  epoch_us: 1e-3,
  epoch_ns: 1e-6,
};

/**
 * Text → instant, by the first of some formats that fits. Remembers the last text, for lines of the same second, and the
 * last instant of each file: where clocks go back, the order of the file tells the first passage of the hour from the
 * second.
 */
export class TimestampParser {
  readonly #readers: readonly (Read | number)[];
  readonly #zone: Zone;
  readonly #parts = new TimeParts();
  readonly #zones = new Map<string, Zone>();
  #lastText = '';
  #last: Instant | undefined;
  /** When the last text was read. */
  #lastNowMs = Number.NaN;
  #file = '';
  readonly #lastOfFile = new Map<string, number>();

  /**
   * `zones` names zones by the abbreviations of a pack: `IST: Asia/Kolkata`. Throws TimeFormatError for a bad format,
   * RangeError for an unknown zone.
   */
  constructor(formats: readonly string[], timezone: string, zones: Readonly<Record<string, string>> = {}) {
    this.#zone = new Zone(timezone);
    for (const [name, zone] of Object.entries(zones)) this.#zones.set(name.toUpperCase(), new Zone(zone));
    this.#readers = formats.map((format) => EPOCHS[format] ?? reader(format));
  }

  /** What follows is of this file. */
  begin(file: string): void {
    if (file === this.#file) return;
    this.#noteLast();
    this.#file = file;
    this.#lastText = '';
    this.#last = undefined;
  }

  /** `nowMs` gives the year or the day where the text has none. Undefined where no format fits. */
  parse(value: FieldValue, nowMs: number): Instant | undefined {
    const text = typeof value === 'string' ? value : String(value);
    if (text === this.#lastText && nowMs - this.#lastNowMs < DISORDER_MS) return this.#last;
    this.#noteLast();
    this.#lastText = text;
    this.#lastNowMs = nowMs;
    this.#last = this.#read(text, nowMs);
    return this.#last;
  }

  #noteLast(): void {
    if (this.#last === undefined) return;
    if (this.#lastOfFile.size >= FILES_MAX && !this.#lastOfFile.has(this.#file))
      this.#lastOfFile.delete(this.#lastOfFile.keys().next().value!);
    this.#lastOfFile.set(this.#file, this.#last.ms);
  }

  /** Whether a time that the clock showed twice is the second passage. */
  #isSecond(first: number, second: number, nowMs: number): boolean {
    const last = this.#lastOfFile.get(this.#file);
    if (last !== undefined) return first < last - DISORDER_MS;
    return Math.abs(nowMs - second) <= LIVE_MS;
  }

  #read(text: string, nowMs: number): Instant | undefined {
    for (const read of this.#readers) {
      if (typeof read === 'number') {
        const instant = epoch(text, read);
        if (instant !== undefined) return instant;
        continue;
      }
      this.#parts.clear();
      if (!read(text, this.#parts)) continue;
      const instant = this.#toInstant(this.#parts, nowMs);
      if (instant !== undefined) return instant;
    }
    return undefined;
  }

  #toInstant(parts: TimeParts, nowMs: number): Instant | undefined {
    const ms = Math.floor(parts.nanos / 1e6);
    const nanos = parts.nanos - ms * 1e6;
    if (!Number.isNaN(parts.epochSeconds)) return { ms: parts.epochSeconds * 1000 + ms, nanos };
    let hour = parts.hour;
    if (parts.pm !== undefined) {
      if (hour < 1 || hour > 12) return undefined;
      hour = (hour % 12) + (parts.pm ? 12 : 0);
    }
    if (
      hour > 24 ||
      (hour === 24 && (parts.minute !== 0 || parts.second !== 0)) ||
      parts.minute > 59 ||
      parts.second > 60
    ) {
      return undefined;
    }
    const timeOfDay = ((hour * 60 + parts.minute) * 60 + Math.min(parts.second, 59)) * 1000 + ms;
    const zone = this.#zoneOf(parts);
    if (zone === undefined) return undefined;
    const onDay = (days: number): number =>
      zone.toInstant(days * DAY_MS + timeOfDay, (first, second) => this.#isSecond(first, second, nowMs));
    if (isTimeOfDay(parts)) return { ms: inferDay(onDay, zone, nowMs), nanos };
    const inYear = (year: number): number | undefined => {
      const days = dayNumber(year, parts);
      return days === undefined ? undefined : onDay(days);
    };
    const at = Number.isNaN(parts.year) ? inferYear(inYear, nowMs) : inYear(parts.year);
    return at === undefined ? undefined : { ms: at, nanos };
  }

  /** Undefined for a name that nobody knows, or that means several zones. */
  #zoneOf(parts: TimeParts): Zone | undefined {
    const own =
      parts.abbreviation === undefined ? undefined : this.#zones.get(parts.abbreviation.toUpperCase());
    if (own !== undefined) return own;
    if (!Number.isNaN(parts.offsetMinutes)) {
      return this.#named(`${parts.offsetMinutes < 0 ? '-' : '+'}${hhmm(Math.abs(parts.offsetMinutes))}`);
    }
    return parts.zone === undefined ? this.#zone : this.#named(parts.zone);
  }

  #named(name: string): Zone | undefined {
    const known = this.#zones.get(name);
    if (known !== undefined) return known;
    // Abbreviations that Intl knows too (CST6CDT, EST) mean a zone only where they are spelled as one.
    if (!/[/\d]/.test(name)) return undefined;
    try {
      const zone = new Zone(name);
      if (this.#zones.size < 1000) this.#zones.set(flat(name), zone);
      return zone;
    } catch {
      return undefined;
    }
  }
}

function hhmm(minutes: number): string {
  return `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
}

/** Nothing says the day. */
function isTimeOfDay({ month, day, dayOfYear }: TimeParts): boolean {
  return Number.isNaN(dayOfYear) && Number.isNaN(month) && Number.isNaN(day);
}

/** The latest day that does not put the time more than a little ahead of now: at midnight it is the evening before. */
function inferDay(onDay: (days: number) => number, zone: Zone, nowMs: number): number {
  const today = Math.floor((nowMs + zone.offsetAt(nowMs)) / DAY_MS);
  for (const day of [today + 1, today]) {
    const at = onDay(day);
    if (at <= nowMs + CLOCK_AHEAD_MS) return at;
  }
  return onDay(today - 1);
}

function dayNumber(year: number, parts: TimeParts): number | undefined {
  if (!Number.isNaN(parts.dayOfYear)) return daysFromCivil(year, 1, 1) + parts.dayOfYear - 1;
  if (parts.month < 1 || parts.month > 12 || parts.day < 1 || parts.day > daysInMonth(year, parts.month))
    return undefined;
  return daysFromCivil(year, parts.month, parts.day);
}

/** The latest year that does not put the time more than a week ahead of now; so December's lines read in January are last year's. */
function inferYear(toMs: (year: number) => number | undefined, nowMs: number): number | undefined {
  const thisYear = new Date(nowMs).getUTCFullYear();
  for (const year of [thisYear + 1, thisYear, thisYear - 1, thisYear - 2, thisYear - 3, thisYear - 4]) {
    const at = toMs(year);
    if (at !== undefined && at <= nowMs + AHEAD_MS) return at;
  }
  return undefined;
}

/** Later ones, in the year 10,000, are in another unit. */
const EPOCH_MS_MAX = 253_402_300_799_999;

/** Digits with or without a fraction, exact to the nanosecond. */
function epoch(text: string, unitMs: number): Instant | undefined {
  const match = /^(-?\d{1,20})(?:[.,](\d{1,18}))?$/.exec(text);
  if (match === null) {
    const value = Number(text);
    const ms = Math.floor(value * unitMs);
    return text === '' || !(Math.abs(ms) <= EPOCH_MS_MAX) ? undefined : { ms, nanos: 0 };
  }
  const decimals = match[2] ?? '';
  const shift = unitMs === 1e3 ? 9 : unitMs === 1 ? 6 : unitMs === 1e-3 ? 3 : 0;
  const nanos = BigInt(match[1]! + decimals.slice(0, shift).padEnd(shift, '0'));
  const ms = Number(nanos >= 0n ? nanos / 1_000_000n : -((-nanos + 999_999n) / 1_000_000n));
  return Math.abs(ms) > EPOCH_MS_MAX ? undefined : { ms, nanos: Number(nanos - BigInt(ms) * 1_000_000n) };
}

function reader(format: string): Read {
  if (format === 'iso8601' || format === 'rfc3339') return parseIso8601;
  const tokens = compileTokens(format);
  return (text, parts) => {
    let at = 0;
    for (const token of tokens) {
      at = token(text, at, parts);
      if (at < 0) return false;
    }
    return at === text.length;
  };
}
