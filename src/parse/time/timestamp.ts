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

/** Text → instant, by the first of some formats that fits. Remembers the last text, for lines of the same second. */
export class TimestampParser {
  readonly #readers: readonly (Read | number)[];
  readonly #zone: Zone;
  readonly #parts = new TimeParts();
  readonly #zones = new Map<string, Zone>();
  #lastText = '';
  #last: Instant | undefined;

  /** Throws TimeFormatError for a bad format, RangeError for an unknown zone. */
  constructor(formats: readonly string[], timezone: string) {
    this.#zone = new Zone(timezone);
    this.#readers = formats.map((format) => EPOCHS[format] ?? reader(format));
  }

  /** `nowMs` gives the year where the text has none. Undefined where no format fits. */
  parse(value: FieldValue, nowMs: number): Instant | undefined {
    const text = typeof value === 'string' ? value : String(value);
    if (text === this.#lastText) return this.#last;
    this.#lastText = text;
    this.#last = this.#read(text, nowMs);
    return this.#last;
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
    const toMs = (year: number): number | undefined => {
      const days = dayNumber(year, parts, nowMs, zone);
      return days === undefined ? undefined : zone.toInstant(days * DAY_MS + timeOfDay);
    };
    const at = Number.isNaN(parts.year) ? inferYear(toMs, nowMs) : toMs(parts.year);
    return at === undefined ? undefined : { ms: at, nanos };
  }

  #zoneOf(parts: TimeParts): Zone {
    if (!Number.isNaN(parts.offsetMinutes)) {
      return this.#named(`${parts.offsetMinutes < 0 ? '-' : '+'}${hhmm(Math.abs(parts.offsetMinutes))}`);
    }
    return parts.zone === undefined ? this.#zone : this.#named(parts.zone);
  }

  #named(name: string): Zone {
    let zone = this.#zones.get(name);
    if (zone !== undefined) return zone;
    try {
      zone = new Zone(name);
    } catch {
      zone = this.#zone;
    }
    if (this.#zones.size < 1000) this.#zones.set(flat(name), zone);
    return zone;
  }
}

function hhmm(minutes: number): string {
  return `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
}

function dayNumber(year: number, parts: TimeParts, nowMs: number, zone: Zone): number | undefined {
  if (!Number.isNaN(parts.dayOfYear)) return daysFromCivil(year, 1, 1) + parts.dayOfYear - 1;
  // A time of day alone is today's.
  if (Number.isNaN(parts.month) && Number.isNaN(parts.day))
    return Math.floor((nowMs + zone.offsetAt(nowMs)) / DAY_MS);
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
