import type { Clock } from '../platform/clock.ts';
import { hangAt } from '../platform/fault.ts';
import type { Log } from '../platform/log.ts';
import type { DeliveryStatus } from './delivery-status.ts';
import { fullJitter } from './full-jitter.ts';
import { sleep } from './sleep.ts';

const BACKOFF = { initialMs: 200, maxMs: 10_000 };

export type Step = 'taking an entry' | 'planning an entry' | 'a task' | 'the outcome' | 'settling';

export interface StepGuardOptions {
  readonly sink: string;
  readonly status: DeliveryStatus;
  readonly clock: Clock;
  readonly log: Log;
  readonly random?: (() => number) | undefined;
}

/** Repeats a step that throws, which is a bug or a disk that fails: it must end neither the process nor other sinks. */
export class StepGuard {
  readonly #o: StepGuardOptions;
  readonly #logged = new Set<Step>();

  constructor(options: StepGuardOptions) {
    this.#o = options;
  }

  /** `stopped` only once `giveUp` is aborted. */
  async run<T>(step: Step, giveUp: AbortSignal, action: () => T | Promise<T>): Promise<T | 'stopped'> {
    const { status, clock, random = Math.random } = this.#o;
    for (let attempt = 1; ; attempt++) {
      try {
        await hangAt('sink.step');
        const result = await action();
        if (attempt > 1) this.#recovered(step);
        return result;
      } catch (error) {
        this.#failed(step, error);
        await sleep(clock, fullJitter(attempt, BACKOFF, random), giveUp);
        if (giveUp.aborted) return 'stopped';
        status.retries++;
      }
    }
  }

  #recovered(step: Step): void {
    const { status, log, sink } = this.#o;
    this.#logged.delete(step);
    if (status.succeeded()) log.info({ sink, step }, 'sink goes on');
  }

  #failed(step: Step, error: unknown): void {
    const { status, log, sink } = this.#o;
    status.failed(`${step} failed: ${String(error)}`);
    if (this.#logged.has(step)) return;
    this.#logged.add(step);
    log.error({ sink, step, error: String(error) }, 'a sink failed by itself; it tries again until it can');
  }
}
