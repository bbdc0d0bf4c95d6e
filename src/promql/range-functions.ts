import { extrapolatedRate, instantRate } from './extrapolated-rate.ts';
import { KahanMean, KahanSum } from './kahan.ts';
import { linearRegression } from './linear-regression.ts';
import { quantile } from './quantile.ts';
import type { Window } from './window.ts';

/**
 * Turns the samples of one series in a range into one value; undefined for none. `scalar` is the function's scalar
 * argument where it has one, `timeMs` the instant of evaluation. The window has at least one sample.
 */
export type RangeFunction = (window: Window, scalar: number, timeMs: number) => number | undefined;

export const RANGE_FUNCTIONS: Readonly<Record<string, RangeFunction>> = {
  rate: (window) => extrapolatedRate(window, { counter: true, perSecond: true }),
  increase: (window) => extrapolatedRate(window, { counter: true, perSecond: false }),
  delta: (window) => extrapolatedRate(window, { counter: false, perSecond: false }),
  irate: (window) => instantRate(window, { counter: true, perSecond: true }),
  idelta: (window) => instantRate(window, { counter: false, perSecond: false }),
  count_over_time: (window) => window.count,
  present_over_time: () => 1,
  first_over_time: ({ values, lo }) => values[lo],
  last_over_time: ({ values, hi }) => values[hi - 1],
  sum_over_time: sum,
  avg_over_time: average,
  min_over_time: (window) => extreme(window, (value, best) => value < best),
  max_over_time: (window) => extreme(window, (value, best) => value > best),
  stdvar_over_time: variance,
  stddev_over_time: (window) => Math.sqrt(variance(window)),
  quantile_over_time: ({ values, lo, hi }, q) => quantile(q, [...values.subarray(lo, hi)]),
  changes: (window) =>
    countSteps(window, (now, before) => now !== before && !(Number.isNaN(now) && Number.isNaN(before))),
  resets: (window) => countSteps(window, (now, before) => now < before),
  deriv: (window) =>
    window.count < 2 ? undefined : linearRegression(window, window.times[window.lo]!).slope,
  predict_linear: (window, seconds, timeMs) => {
    if (window.count < 2) return undefined;
    const { slope, intercept } = linearRegression(window, timeMs);
    return slope * seconds + intercept;
  },
};

/** These keep the metric's name: their answer is a sample of the series itself. */
export const NAME_KEEPING_RANGE_FUNCTIONS: ReadonlySet<string> = new Set([
  'last_over_time',
  'first_over_time',
]);

function sum({ values, lo, hi }: Window): number {
  const total = new KahanSum();
  for (let i = lo; i < hi; i++) total.add(values[i]!);
  return total.total;
}

function average({ values, lo, hi }: Window): number {
  const mean = new KahanMean();
  for (let i = lo; i < hi; i++) mean.add(values[i]!);
  return mean.mean;
}

function extreme({ values, lo, hi }: Window, better: (value: number, best: number) => boolean): number {
  let best = values[lo]!;
  for (let i = lo + 1; i < hi; i++) {
    if (better(values[i]!, best) || Number.isNaN(best)) best = values[i]!;
  }
  return best;
}

function variance({ values, lo, hi }: Window): number {
  const mean = new KahanSum();
  const squares = new KahanSum();
  for (let i = lo; i < hi; i++) {
    const value = values[i]!;
    const delta = value - (mean.sum + mean.compensation);
    mean.add(delta / (i - lo + 1));
    squares.add(delta * (value - (mean.sum + mean.compensation)));
  }
  return (squares.sum + squares.compensation) / (hi - lo);
}

function countSteps({ values, lo, hi }: Window, counts: (now: number, before: number) => boolean): number {
  let count = 0;
  for (let i = lo + 1; i < hi; i++) if (counts(values[i]!, values[i - 1]!)) count++;
  return count;
}
