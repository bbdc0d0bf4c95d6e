import type { Clock } from '../platform/clock.ts';

/** Limits are raised: after this long a large request is tried as it is again. */
const REMEMBERED_MS = 10 * 60_000;

/** What a receiver found too large. What is at least as large in both measures need not be sent to be refused again. */
export class SizeLimit {
  readonly #clock: Clock;
  #refused: Refused | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * A piece was found too large. One record may be the cause of that; where both halves are too large it is the size.
   * `seen`: the pieces of one request that were refused, by part.
   */
  refusedPiece(seen: Map<number, Size>, part: number, size: Size): void {
    seen.set(part, size);
    const other = part > 1 ? seen.get(part % 2 === 0 ? part + 1 : part - 1) : undefined;
    if (other !== undefined)
      this.#learn(Math.max(size.bytes, other.bytes), Math.max(size.records, other.records));
  }

  #learn(bytes: number, records: number): void {
    const before = this.#known();
    if (before !== undefined && (bytes > before.bytes || records > before.records)) return;
    this.#refused = { bytes, records, atMs: before?.atMs ?? this.#clock.monotonic() };
  }

  isTooLarge(bytes: number, records: number): boolean {
    const known = this.#known();
    return known !== undefined && bytes >= known.bytes && records >= known.records;
  }

  #known(): Refused | undefined {
    const refused = this.#refused;
    return refused === undefined || this.#clock.monotonic() - refused.atMs > REMEMBERED_MS
      ? undefined
      : refused;
  }
}

export interface Size {
  readonly bytes: number;
  /** Records or points. */
  readonly records: number;
}

interface Refused extends Size {
  readonly atMs: number;
}
