const MINUTE_MS = 60_000;

/** A token bucket: so many a minute, and a minute's worth at once after a quiet time. */
export class RateLimit {
  readonly #perMinute: number;
  #tokens: number;
  #atMs: number;

  constructor(perMinute: number, nowMs: number) {
    this.#perMinute = perMinute;
    this.#tokens = perMinute;
    this.#atMs = nowMs;
  }

  /** 0 when one may be taken now. */
  waitMs(nowMs: number): number {
    this.#refill(nowMs);
    return this.#tokens >= 1 ? 0 : Math.ceil(((1 - this.#tokens) * MINUTE_MS) / this.#perMinute);
  }

  take(nowMs: number): void {
    this.#refill(nowMs);
    this.#tokens -= 1;
  }

  #refill(nowMs: number): void {
    this.#tokens = Math.min(
      this.#perMinute,
      this.#tokens + ((nowMs - this.#atMs) * this.#perMinute) / MINUTE_MS,
    );
    this.#atMs = nowMs;
  }
}
