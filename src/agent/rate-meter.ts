/** Lines a second by source, over the last few readings. */
export class RateMeter {
  readonly #readings = new Map<string, { atMs: number; total: number; rate: number }>();

  /** A reading of a running total. */
  read(key: string, total: number, nowMs: number): void {
    const before = this.#readings.get(key);
    if (before === undefined) {
      this.#readings.set(key, { atMs: nowMs, total, rate: 0 });
      return;
    }
    const seconds = (nowMs - before.atMs) / 1000;
    if (seconds < 0.5) return;
    this.#readings.set(key, { atMs: nowMs, total, rate: Math.max(0, (total - before.total) / seconds) });
  }

  rate(key: string): number {
    return this.#readings.get(key)?.rate ?? 0;
  }
}
