import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';

export type FullReason = 'limit' | 'disk';

const DROPPING_OVER_MS = 60_000;

/** Says once when the buffer stops taking entries and once when it takes them again. */
export class FullState {
  readonly #log: Log;
  readonly #clock: Clock;
  #reason: FullReason | undefined;
  #sinceMs = 0;
  #droppedAtMs = -Infinity;

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  get reason(): FullReason | undefined {
    return this.#reason;
  }

  enter(reason: FullReason, detail: string): void {
    if (this.#reason === reason) return;
    this.#reason = reason;
    this.#sinceMs = this.#clock.monotonic();
    if (reason === 'disk') {
      this.#log.error(
        { detail },
        'buffer cannot be written; reading waits and the write is repeated until it succeeds',
      );
    } else {
      this.#log.warn({ detail }, 'buffer is full; reading waits until sinks have delivered');
    }
  }

  /** True if that was the state. */
  leave(reason: FullReason): boolean {
    if (this.#reason !== reason) return false;
    this.#reason = undefined;
    this.#log.info(
      { seconds: Math.round((this.#clock.monotonic() - this.#sinceMs) / 1000) },
      'buffer takes entries again',
    );
    return true;
  }

  /** Said once for a time of dropping: it is over when nothing was dropped for a minute. */
  dropping(segment: string): void {
    const now = this.#clock.monotonic();
    if (now - this.#droppedAtMs > DROPPING_OVER_MS)
      this.#log.error(
        { segment },
        'buffer is full; the oldest undelivered records are dropped and counted as buffer_full',
      );
    this.#droppedAtMs = now;
  }
}
