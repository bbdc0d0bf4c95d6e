import type { Window } from './window.ts';

export interface RateOptions {
  /** Heal resets and never extrapolate below zero. */
  readonly counter: boolean;
  /** Divide by the length of the range. */
  readonly perSecond: boolean;
}

/**
 * rate, increase and delta: the change between the first and the last sample, extrapolated to the edges of the
 * range. An edge further from the nearest sample than 1.1 times the mean gap is taken as the end of the series, and
 * only half a gap is added there.
 */
export function extrapolatedRate(window: Window, { counter, perSecond }: RateOptions): number | undefined {
  const { times, values, lo, hi } = window;
  if (hi - lo < 2) return undefined;
  const first = values[lo]!;
  let change = values[hi - 1]! - first;
  if (counter) change += lostInResets(window);
  const sampled = (times[hi - 1]! - times[lo]!) / 1000;
  const gap = sampled / (hi - lo - 1);
  const threshold = gap * 1.1;
  let toStart = (times[lo]! - window.startMs) / 1000;
  let toEnd = (window.endMs - times[hi - 1]!) / 1000;
  if (toStart >= threshold) toStart = gap / 2;
  if (counter && change > 0 && first >= 0) toStart = Math.min(toStart, sampled * (first / change));
  if (toEnd >= threshold) toEnd = gap / 2;
  let factor = (sampled + toStart + toEnd) / sampled;
  if (perSecond) factor /= (window.endMs - window.startMs) / 1000;
  return change * factor;
}

function lostInResets({ values, lo, hi }: Window): number {
  let lost = 0;
  let previous = values[lo]!;
  for (let i = lo + 1; i < hi; i++) {
    const current = values[i]!;
    if (current < previous) lost += previous;
    previous = current;
  }
  return lost;
}

/** irate and idelta: from the last two samples alone. */
export function instantRate(
  { times, values, lo, hi }: Window,
  { counter, perSecond }: RateOptions,
): number | undefined {
  if (hi - lo < 2) return undefined;
  const last = values[hi - 1]!;
  const previous = values[hi - 2]!;
  const change = counter && last < previous ? last : last - previous;
  const seconds = (times[hi - 1]! - times[hi - 2]!) / 1000;
  if (seconds === 0) return undefined;
  return perSecond ? change / seconds : change;
}
