import type { Labels } from '../model/series.ts';
import { labelsKey, Metric } from '../promql/metric.ts';
import type { Grouping, RangeAggregation } from './ast.ts';
import type { Line } from './line.ts';
import { LogqlError } from './logql-error.ts';
import { type MetadataInSeries, SampleExtractor } from './sample-extractor.ts';

/** The instants of a query, in ms since 1970; both ends count. */
export interface Steps {
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
}

export function stepCount({ startMs, endMs, stepMs }: Steps): number {
  return stepMs <= 0 ? 1 : Math.floor((endMs - startMs) / stepMs) + 1;
}

export interface RangeLimits {
  readonly seriesMax: number;
  readonly samplesMax: number;
}

/** Samples of one series, as they came. */
export interface RangeSeries {
  readonly metric: Metric;
  /** For functions that only add up: the sum of each window. NaN-free: a window without a line counts in `counts`. */
  readonly sums: Float64Array | undefined;
  readonly counts: Uint32Array | undefined;
  /** Ms since 1970, rounded up, so that comparing with a whole millisecond is exact. */
  readonly times: number[];
  readonly exactTimes: number[];
  readonly values: number[];
}

const ADDING = new Set([
  'count_over_time',
  'rate',
  'bytes_over_time',
  'bytes_rate',
  'sum_over_time',
  'absent_over_time',
]);
/** Windows that one sample is added to at once; where more overlap, samples are kept instead. */
const OVERLAP_MAX = 64;

/** Gathers the samples of one range aggregation over the lines that it is given, in any order. */
export class RangeCollector {
  readonly range: RangeAggregation;
  readonly #steps: Steps;
  readonly #count: number;
  readonly #extractor: SampleExtractor;
  readonly #limits: RangeLimits;
  readonly #adds: boolean;
  readonly #series = new Map<string, RangeSeries>();
  readonly #byStream = new Map<Labels, RangeSeries>();
  #samples = 0;

  constructor(
    range: RangeAggregation,
    steps: Steps,
    options: {
      readonly grouping?: Grouping;
      readonly metadataInSeries: MetadataInSeries;
      readonly limits: RangeLimits;
    },
  ) {
    this.range = range;
    this.#steps = steps;
    this.#count = stepCount(steps);
    this.#extractor = new SampleExtractor(range, options);
    this.#limits = options.limits;
    const overlap = steps.stepMs <= 0 ? 1 : range.rangeMs / steps.stepMs;
    this.#adds = ADDING.has(range.fn) && overlap <= OVERLAP_MAX;
  }

  get series(): Iterable<RangeSeries> {
    return this.#series.values();
  }

  /** The times of lines that matter: from `fromMs` (excluded) to `toMs` (included). */
  get bounds(): { readonly fromMs: number; readonly toMs: number } {
    const { startMs, endMs } = this.#steps;
    const { rangeMs, offsetMs } = this.range;
    return { fromMs: startMs - offsetMs - rangeMs, toMs: endMs - offsetMs };
  }

  add(line: Line): void {
    const { startMs, stepMs } = this.#steps;
    const { rangeMs, offsetMs } = this.range;
    const time = line.nanos > 0 ? line.ms + 1 : line.ms;
    const behind = time + offsetMs - startMs;
    const first = behind <= 0 ? 0 : stepMs <= 0 ? (behind > 0 ? 1 : 0) : Math.ceil(behind / stepMs);
    const reach = behind + rangeMs;
    if (reach <= 0 || first >= this.#count) return;
    if (stepMs > 0 && first * stepMs >= reach) return;
    if (!this.#extractor.take(line)) return;
    const series = this.#seriesOf(line);
    if (!this.#adds) return this.#keep(series, line, time);
    const { value } = this.#extractor;
    for (let k = first; k < this.#count && k * stepMs < reach; k++) {
      series.sums![k]! += value;
      series.counts![k]!++;
    }
  }

  #keep(series: RangeSeries, line: Line, time: number): void {
    if (++this.#samples > this.#limits.samplesMax) {
      throw new LogqlError(
        'limit',
        `the query takes more than ${this.#limits.samplesMax} samples; ask for less time or a longer step`,
      );
    }
    series.times.push(time);
    series.exactTimes.push(line.ms + line.nanos / 1e6);
    series.values.push(this.#extractor.value);
  }

  #seriesOf(line: Line): RangeSeries {
    const extractor = this.#extractor;
    const simple = extractor.dependsOnStreamAlone;
    const known = simple ? this.#byStream.get(line.stream) : undefined;
    if (known !== undefined) return known;
    const labels = extractor.seriesLabels();
    const key = labelsKey(labels);
    let series = this.#series.get(key);
    if (series === undefined) {
      if (this.#series.size >= this.#limits.seriesMax * 20)
        throw tooManySeries(this.#limits.seriesMax, this.#series.values());
      series = this.#newSeries(labels);
      this.#series.set(key, series);
    }
    if (simple) this.#byStream.set(line.stream, series);
    return series;
  }

  #newSeries(labels: Labels): RangeSeries {
    return {
      metric: Metric.of(labels),
      sums: this.#adds ? new Float64Array(this.#count) : undefined,
      counts: this.#adds ? new Uint32Array(this.#count) : undefined,
      times: [],
      exactTimes: [],
      values: [],
    };
  }
}

/** Names the label with the most values: to leave it out is the remedy. */
export function tooManySeries(most: number, series: Iterable<{ readonly metric: Metric }>): LogqlError {
  const values = new Map<string, Set<string>>();
  for (const { metric } of series) {
    for (const [name, value] of Object.entries(metric.labels)) {
      let seen = values.get(name);
      if (seen === undefined) values.set(name, (seen = new Set()));
      seen.add(value);
    }
  }
  const [worst] = [...values].sort(([, a], [, b]) => b.size - a.size);
  const advice =
    worst === undefined
      ? ''
      : `; the label ${worst[0]} has ${worst[1].size} values: leave it out, as with sum by (…)`;
  return new LogqlError('limit', `maximum of series (${most}) reached for a single query${advice}`);
}
