import { duplicateLabels } from './label-functions.ts';
import type { Metric } from './metric.ts';
import type { Vector } from './vector.ts';

export interface CollectedSeries {
  readonly metric: Metric;
  readonly times: number[];
  readonly values: number[];
}

/** Gathers the vectors of successive instants into series. Two samples of one series at one instant are an error. */
export class SeriesCollector {
  readonly #series = new Map<string, CollectedSeries>();

  add(vector: Vector, timeMs: number): void {
    for (let i = 0; i < vector.metrics.length; i++) {
      const metric = vector.metrics[i]!;
      let series = this.#series.get(metric.key);
      if (series === undefined) {
        series = { metric, times: [], values: [] };
        this.#series.set(metric.key, series);
      }
      if (series.times.at(-1) === timeMs) throw duplicateLabels();
      series.times.push(timeMs);
      series.values.push(vector.values[i]!);
    }
  }

  get series(): readonly CollectedSeries[] {
    return [...this.#series.values()];
  }
}
