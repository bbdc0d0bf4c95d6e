import { extrapolatedRate } from '../promql/extrapolated-rate.ts';
import { KahanMean, KahanSum } from '../promql/kahan.ts';
import { quantile } from '../promql/quantile.ts';
import { add, emptyVector, type Vector } from '../promql/vector.ts';
import { Window } from '../promql/window.ts';
import type { RangeAggregation } from './ast.ts';
import type { RangeSeries } from './range-series.ts';

/** The samples of one series in order of time, ready for windows that move forward. */
interface OrderedSeries {
  readonly series: RangeSeries;
  readonly window: Window;
  readonly exactTimes: Float64Array;
}

/** What a range aggregation gives at each instant, over samples that are complete. */
export class RangeValues {
  readonly #range: RangeAggregation;
  readonly #series: readonly OrderedSeries[];

  constructor(range: RangeAggregation, series: Iterable<RangeSeries>) {
    this.#range = range;
    this.#series = Array.from(series, ordered);
  }

  /** At the instant with this number, whose time is `atMs`. */
  at(step: number, atMs: number): Vector {
    const result = emptyVector();
    for (const one of this.#series) {
      const value = one.series.sums === undefined ? this.#windowed(one, atMs) : this.#added(one.series, step);
      if (value !== undefined) add(result, one.series.metric, value);
    }
    return result;
  }

  #added({ sums, counts }: RangeSeries, step: number): number | undefined {
    if (counts![step] === 0) return undefined;
    return this.#perSecond(sums![step]!);
  }

  #perSecond(sum: number): number {
    const { fn, rangeMs } = this.#range;
    return fn === 'rate' || fn === 'bytes_rate' ? sum / (rangeMs / 1000) : sum;
  }

  #windowed({ window, exactTimes }: OrderedSeries, atMs: number): number | undefined {
    const { rangeMs, offsetMs } = this.#range;
    window.endMs = atMs - offsetMs;
    window.startMs = window.endMs - rangeMs;
    window.moveTo(window.times, window.values);
    if (window.count === 0) return undefined;
    return this.#of(window, exactTimes);
  }

  #of(window: Window, exactTimes: Float64Array): number {
    const { values, lo, hi } = window;
    const { fn, param } = this.#range;
    switch (fn) {
      case 'count_over_time':
      case 'rate':
      case 'bytes_over_time':
      case 'bytes_rate':
      case 'absent_over_time':
      case 'sum_over_time':
        return this.#perSecond(sumOf(values, lo, hi));
      case 'avg_over_time': {
        const mean = new KahanMean();
        for (let i = lo; i < hi; i++) mean.add(values[i]!);
        return mean.mean;
      }
      case 'min_over_time':
        return extreme(values, lo, hi, (value, best) => value < best);
      case 'max_over_time':
        return extreme(values, lo, hi, (value, best) => value > best);
      case 'first_over_time':
        return values[lo]!;
      case 'last_over_time':
        return values[hi - 1]!;
      case 'stdvar_over_time':
        return variance(values, lo, hi);
      case 'stddev_over_time':
        return Math.sqrt(variance(values, lo, hi));
      case 'quantile_over_time':
        return quantile(param!, Array.from(values.subarray(lo, hi)));
      case 'rate_counter':
        return counterRate(window, exactTimes);
    }
  }
}

/**
 * The increase between the first sample and the last, by the length of the range. Of the range that lies outside of them
 * only a billionth is added before the first: so it was recorded of Loki.
 */
function counterRate(window: Window, exactTimes: Float64Array): number {
  const { lo, hi } = window;
  const rangeMs = window.endMs - window.startMs;
  const around = Object.assign(new Window(), window);
  const first = exactTimes[lo]!;
  around.times = exactTimes.slice(lo, hi).map((time) => time - first);
  around.values = window.values.subarray(lo, hi);
  around.lo = 0;
  around.hi = hi - lo;
  around.startMs = -rangeMs * 1e-6;
  around.endMs = around.times[around.hi - 1]!;
  return (extrapolatedRate(around, { counter: true, perSecond: false }) ?? 0) / (rangeMs / 1000);
}

function sumOf(values: Float64Array, lo: number, hi: number): number {
  const sum = new KahanSum();
  for (let i = lo; i < hi; i++) sum.add(values[i]!);
  return sum.total;
}

/** NaN only where every value is NaN. */
function extreme(
  values: Float64Array,
  lo: number,
  hi: number,
  better: (value: number, best: number) => boolean,
): number {
  let best = values[lo]!;
  for (let i = lo + 1; i < hi; i++) if (Number.isNaN(best) || better(values[i]!, best)) best = values[i]!;
  return best;
}

/** Of the population, by Welford's method. */
function variance(values: Float64Array, lo: number, hi: number): number {
  let mean = 0;
  let squares = 0;
  for (let i = lo; i < hi; i++) {
    const delta = values[i]! - mean;
    mean += delta / (i - lo + 1);
    squares += delta * (values[i]! - mean);
  }
  return squares / (hi - lo);
}

/** Lines may come in any order; those of one time keep the order in which they came. */
function ordered(series: RangeSeries): OrderedSeries {
  const { times, exactTimes, values } = series;
  const window = new Window();
  if (isAscending(exactTimes)) {
    window.times = Float64Array.from(times);
    window.values = Float64Array.from(values);
    return { series, window, exactTimes: Float64Array.from(exactTimes) };
  }
  const order = Array.from(exactTimes.keys()).sort((a, b) => exactTimes[a]! - exactTimes[b]!);
  window.times = Float64Array.from(order, (i) => times[i]!);
  window.values = Float64Array.from(order, (i) => values[i]!);
  return { series, window, exactTimes: Float64Array.from(order, (i) => exactTimes[i]!) };
}

function isAscending(times: readonly number[]): boolean {
  for (let i = 1; i < times.length; i++) if (times[i]! < times[i - 1]!) return false;
  return true;
}
