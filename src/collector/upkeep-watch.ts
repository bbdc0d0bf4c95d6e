import type { CollectorMetrics } from '../collect/collector-metrics.ts';
import type { UpkeepStatus } from '../collect/store/store.ts';
import type { Log } from '../platform/log.ts';

/** Tells of the store's own work that fails: in figures, which an alert goes by, and once in the log. */
export class UpkeepWatch {
  readonly #metrics: CollectorMetrics;
  readonly #log: Log;
  readonly #told = new Set<string>();
  #status: readonly UpkeepStatus[] = [];

  constructor(metrics: CollectorMetrics, log: Log) {
    this.#metrics = metrics;
    this.#log = log;
    metrics.declare(
      'store_upkeep_failures_total',
      'counter',
      'Steps of packing, of deleting by retention and of forgetting old series that failed; each is tried again.',
      'task',
    );
    metrics.declare('store_upkeep_failing', 'gauge', '1 while the latest step of the task failed.', 'task');
  }

  /** As the store tells it now. */
  see(status: readonly UpkeepStatus[]): void {
    this.#status = status;
    for (const { job, failures, error } of status) {
      this.#metrics.set('store_upkeep_failures_total', failures, job);
      this.#metrics.set('store_upkeep_failing', error === undefined ? 0 : 1, job);
      if (error === undefined) {
        if (this.#told.delete(job)) this.#log.warn({ job }, "the store's upkeep works again");
      } else if (!this.#told.has(job)) {
        this.#told.add(job);
        this.#log.error(
          { job, error },
          "the store's upkeep fails; it is tried again, and the store grows meanwhile",
        );
      }
    }
  }

  /** What fails now, in words for an operator. */
  failing(): readonly string[] {
    return this.#status.flatMap(({ job, error }) =>
      error === undefined ? [] : [`${job} of the store fails: ${error}`],
    );
  }
}
