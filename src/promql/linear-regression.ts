import { KahanSum } from './kahan.ts';
import type { Window } from './window.ts';

/** Least squares over a window; x is seconds from `originMs`. A constant series gives slope 0 and its exact value. */
export function linearRegression(
  window: Window,
  originMs: number,
): { readonly slope: number; readonly intercept: number } {
  const { times, values, lo, hi } = window;
  const sumX = new KahanSum();
  const sumY = new KahanSum();
  const sumXY = new KahanSum();
  const sumXX = new KahanSum();
  const first = values[lo]!;
  let constant = true;
  for (let i = lo; i < hi; i++) {
    const x = (times[i]! - originMs) / 1000;
    const y = values[i]!;
    if (y !== first) constant = false;
    sumX.add(x);
    sumY.add(y);
    sumXY.add(x * y);
    sumXX.add(x * x);
  }
  if (constant) {
    return Number.isFinite(first)
      ? { slope: 0, intercept: first }
      : { slope: Number.NaN, intercept: Number.NaN };
  }
  const n = hi - lo;
  const x = sumX.sum + sumX.compensation;
  const y = sumY.sum + sumY.compensation;
  const covariance = sumXY.sum + sumXY.compensation - (x * y) / n;
  const variance = sumXX.sum + sumXX.compensation - (x * x) / n;
  const slope = covariance / variance;
  return { slope, intercept: y / n - (slope * x) / n };
}
