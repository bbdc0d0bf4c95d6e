/**
 * The samples of one series in a range `(startMs, endMs]`, as a view: indexes `lo` (inclusive) to `hi` (exclusive)
 * into shared arrays. One window is moved from series to series, so that none is allocated per series.
 */
export class Window {
  times: Float64Array = new Float64Array(0);
  values: Float64Array = this.times;
  lo = 0;
  hi = 0;
  startMs = 0;
  endMs = 0;

  get count(): number {
    return this.hi - this.lo;
  }

  moveTo(times: Float64Array, values: Float64Array): void {
    this.times = times;
    this.values = values;
    this.hi = countUpTo(times, this.endMs);
    this.lo = countUpTo(times, this.startMs, this.hi);
  }
}

/** How many of the ascending times (of the first `length`) are at or before the instant. */
export function countUpTo(times: Float64Array, timeMs: number, length = times.length): number {
  let low = 0;
  let high = length;
  if (high > 0 && times[high - 1]! <= timeMs) return high;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (times[middle]! <= timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}
