import type { MetricDescriptor } from '../model/series.ts';

/** Most starts that wait for their end, for one metric of one source. */
export const MAX_OPEN_PAIRS = 50_000;
const DEFAULT_TIMEOUT_MS = 3_600_000;

export interface OpenPair {
  /** Event time of the start. */
  readonly startMs: number;
  /** Commit time: by this clock it is given up. */
  readonly openedMs: number;
  /** Encoded label values of the start. */
  readonly cellKey: string;
}

/**
 * The open starts of one pair metric, oldest first. An end takes its start away; a start that is repeated, waits
 * longer than the time-out or is pushed out by MAX_OPEN_PAIRS younger ones counts as expired.
 */
export class PairTracker {
  readonly open = new Map<string, OpenPair>();
  expired = 0;
  /** Ends without a start, and ends that lie before their start. */
  unmatched = 0;
  readonly #timeoutMs: number;

  constructor(descriptor: MetricDescriptor) {
    this.#timeoutMs = descriptor.pairTimeoutMs ?? DEFAULT_TIMEOUT_MS;
  }

  adopt(before: PairTracker): void {
    for (const [key, pair] of before.open) this.open.set(key, pair);
    this.expired = before.expired;
    this.unmatched = before.unmatched;
  }

  start(key: string, pair: OpenPair): void {
    if (this.open.delete(key)) this.expired++;
    this.open.set(key, pair);
    if (this.open.size > MAX_OPEN_PAIRS) this.#dropOldest();
  }

  /** The start that belongs to this end, unless there is none in time. */
  end(key: string, endMs: number): OpenPair | undefined {
    const pair = this.open.get(key);
    if (pair !== undefined) this.open.delete(key);
    if (pair !== undefined && endMs - pair.startMs > this.#timeoutMs) {
      this.expired++;
      return undefined;
    }
    if (pair === undefined || endMs < pair.startMs) {
      this.unmatched++;
      return undefined;
    }
    return pair;
  }

  expire(nowMs: number): void {
    for (const [key, pair] of this.open) {
      if (nowMs - pair.openedMs < this.#timeoutMs) break;
      this.open.delete(key);
      this.expired++;
    }
  }

  #dropOldest(): void {
    const [oldest] = this.open.keys();
    this.open.delete(oldest!);
    this.expired++;
  }
}
