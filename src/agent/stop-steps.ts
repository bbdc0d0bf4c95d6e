import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { within } from '../platform/within.ts';

/** Each step has at least this, also where those before it took all the time there was. */
const LEAST_MS = 250;

/** Takes the steps of an orderly stop: none of them, failing or endless, keeps those after it from being taken. */
export class StopSteps {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #endMs: number;

  /** From now on. */
  constructor(withinMs: number, clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
    this.#endMs = clock.monotonic() + withinMs;
  }

  /** A share of what is left, in ms. */
  left(share = 1): number {
    return Math.max(LEAST_MS, (this.#endMs - this.#clock.monotonic()) * share);
  }

  /** Gives a step its time; after that it is left alone. */
  async within(ms: number, name: string, step: Promise<unknown>): Promise<void> {
    if (await within(this.#clock, ms, this.run(name, step))) return;
    this.#log.warn({ step: name, seconds: ms / 1000 }, 'a step of stopping took too long');
  }

  /** To its end. */
  async run(name: string, step: Promise<unknown>): Promise<void> {
    try {
      await step;
    } catch (error) {
      this.#log.error({ step: name, error: String(error) }, 'a step of stopping failed');
    }
  }
}
