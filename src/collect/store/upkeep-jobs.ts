import type { UpkeepStatus } from './store.ts';

export type UpkeepJob = UpkeepStatus['job'];

/** What a store does of itself, in steps. A job that fails is told of and tried again; it keeps no other from its turn. */
export class UpkeepJobs {
  readonly #failures = new Map<UpkeepJob, number>();
  readonly #failing = new Map<UpkeepJob, { readonly error: string; readonly sinceMs: number }>();

  constructor(jobs: readonly UpkeepJob[]) {
    for (const job of jobs) this.#failures.set(job, 0);
  }

  /** Whether there is more to do at once: not so where the step failed. */
  step(job: UpkeepJob, nowMs: number, step: () => boolean): boolean {
    try {
      const more = step();
      this.#failing.delete(job);
      return more;
    } catch (error) {
      return this.#failed(job, nowMs, error as Error);
    }
  }

  /** The same, for a step that waits for its files. */
  async asyncStep(job: UpkeepJob, nowMs: number, step: () => Promise<boolean>): Promise<boolean> {
    try {
      const more = await step();
      this.#failing.delete(job);
      return more;
    } catch (error) {
      return this.#failed(job, nowMs, error as Error);
    }
  }

  #failed(job: UpkeepJob, nowMs: number, { message }: Error): false {
    this.#failures.set(job, (this.#failures.get(job) ?? 0) + 1);
    const sinceMs = this.#failing.get(job)?.sinceMs ?? nowMs;
    this.#failing.set(job, { error: message, sinceMs });
    return false;
  }

  status(): readonly UpkeepStatus[] {
    return [...this.#failures].map(([job, failures]) => ({ job, failures, ...this.#failing.get(job) }));
  }
}
