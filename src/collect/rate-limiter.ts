import { HttpError } from '../platform/http-error.ts';

/** Senders that are remembered; the least recently seen is forgotten first. */
const SENDERS_MAX = 10_000;

/** A token bucket for each sender: a steady rate, with a burst of two seconds of it. */
export class RateLimiter {
  readonly #perSecond: number;
  readonly #buckets = new Map<string, { tokens: number; atMs: number }>();

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  /** Throws a 429 with `Retry-After` where the sender is over its rate. */
  take(sender: string, nowMs: number): void {
    const burst = Math.max(1, this.#perSecond * 2);
    const bucket = this.#buckets.get(sender) ?? { tokens: burst, atMs: nowMs };
    this.#buckets.delete(sender);
    this.#buckets.set(sender, bucket);
    if (this.#buckets.size > SENDERS_MAX) this.#buckets.delete(this.#buckets.keys().next().value!);
    bucket.tokens = Math.min(
      burst,
      bucket.tokens + (Math.max(0, nowMs - bucket.atMs) / 1000) * this.#perSecond,
    );
    bucket.atMs = nowMs;
    if (bucket.tokens < 1) {
      throw new HttpError(429, `more than ${this.#perSecond} requests a second from one sender`, {
        'retry-after': '1',
      });
    }
    bucket.tokens--;
  }
}
