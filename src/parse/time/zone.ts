/** Minutes are the finest step in which zones have changed their offset in the time of log files. */
const HOUR_MS = 3_600_000;

/** What is wrong with the name of a zone, if anything is. */
export function zoneProblem(name: string): string | undefined {
  try {
    new Zone(name);
    return undefined;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return `${name} is no time zone; expected a name such as Europe/Berlin, or an offset such as +02:00`;
  }
}

/** An IANA zone (or a fixed offset). Offsets are asked of Intl once an hour of log time and remembered. */
export class Zone {
  readonly name: string;
  readonly #fixedMs: number | undefined;
  readonly #format: Intl.DateTimeFormat | undefined;
  #hour = Number.NaN;
  #offsetMs = 0;

  /** Throws a RangeError for a name that nobody knows. */
  constructor(name: string) {
    this.name = name;
    this.#fixedMs = fixedOffset(name);
    if (this.#fixedMs === undefined) {
      this.#format = new Intl.DateTimeFormat('en-US', {
        timeZone: name,
        hourCycle: 'h23',
        year: 'numeric',
        month: 'numeric',
        day: 'numeric',
        hour: 'numeric',
        minute: 'numeric',
        second: 'numeric',
      });
    }
  }

  /**
   * Local wall time (as if it were UTC, in ms) to the instant. Of a time that the clock showed twice `isSecond` says, of
   * both instants, whether it is the second passage; a time that the clock skipped is read with the offset before the
   * jump.
   */
  toInstant(localMs: number, isSecond: (first: number, second: number) => boolean = () => false): number {
    if (this.#fixedMs !== undefined) return localMs - this.#fixedMs;
    const before = this.offsetAt(localMs - 24 * HOUR_MS);
    const after = this.offsetAt(localMs + 24 * HOUR_MS);
    if (before === after) return localMs - before;
    const first = localMs - before;
    const second = localMs - after;
    if (this.offsetAt(first) === before)
      return this.offsetAt(second) === after && isSecond(first, second) ? second : first;
    return this.offsetAt(second) === after ? second : first;
  }

  /** Local minus UTC at an instant, in ms. */
  offsetAt(instantMs: number): number {
    if (this.#fixedMs !== undefined) return this.#fixedMs;
    const quarter = Math.floor(instantMs / (HOUR_MS / 4));
    if (quarter === this.#hour) return this.#offsetMs;
    const known = this.#cache.get(quarter);
    const offset = known ?? this.#ask(quarter * (HOUR_MS / 4));
    if (known === undefined) {
      if (this.#cache.size > 4096) this.#cache.clear();
      this.#cache.set(quarter, offset);
    }
    this.#hour = quarter;
    this.#offsetMs = offset;
    return offset;
  }

  readonly #cache = new Map<number, number>();

  #ask(instantMs: number): number {
    const part: Record<string, number> = {};
    for (const { type, value } of this.#format!.formatToParts(instantMs)) part[type] = Number(value);
    const local = Date.UTC(
      part['year']!,
      part['month']! - 1,
      part['day']!,
      part['hour']!,
      part['minute']!,
      part['second']!,
    );
    return local - Math.floor(instantMs / 1000) * 1000;
  }
}

/** `UTC`, `Z`, `+02:00`, `-0500` in ms; undefined for other names. */
function fixedOffset(name: string): number | undefined {
  if (/^(?:utc|gmt|z)$/i.test(name)) return 0;
  const match = /^(?:UTC|GMT)?([+-])(\d{1,2}):?(\d{2})?$/.exec(name);
  if (match === null) return undefined;
  const minutes = Number(match[2]) * 60 + Number(match[3] ?? 0);
  return (match[1] === '-' ? -minutes : minutes) * 60_000;
}
