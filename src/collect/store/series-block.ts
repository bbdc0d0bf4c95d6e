import type { Labels, SeriesData } from '../../model/series.ts';

/**
 * Series on their way from one thread to another: the samples of all of them in one buffer each. Handing over two buffers for
 * each series takes V8 the square of their number.
 */
export interface SeriesBlock {
  readonly labels: readonly Labels[];
  /** Where the samples of the i-th series begin; one more than there are series. */
  readonly offsets: Uint32Array;
  readonly times: Float64Array;
  readonly values: Float64Array;
  /** Missing where there is no stale marker. */
  readonly stale?: Uint8Array;
}

export function packSeries(series: readonly SeriesData[]): SeriesBlock {
  const offsets = new Uint32Array(series.length + 1);
  series.forEach(({ times }, i) => (offsets[i + 1] = offsets[i]! + times.length));
  const total = offsets[series.length]!;
  const times = new Float64Array(total);
  const values = new Float64Array(total);
  const stale = series.some((one) => one.stale !== undefined) ? new Uint8Array(total) : undefined;
  for (const [i, one] of series.entries()) {
    times.set(one.times, offsets[i]);
    values.set(one.values, offsets[i]);
    if (one.stale !== undefined) stale!.set(one.stale, offsets[i]);
  }
  const labels = series.map((one) => one.labels);
  return { labels, offsets, times, values, ...(stale === undefined ? {} : { stale }) };
}

/** What is handed over with a block, and not copied. */
export function buffersOfBlock({ offsets, times, values, stale }: SeriesBlock): ArrayBuffer[] {
  const arrays = stale === undefined ? [offsets, times, values] : [offsets, times, values, stale];
  return arrays.map(({ buffer }) => buffer as ArrayBuffer);
}

export function unpackSeries({ labels, offsets, times, values, stale }: SeriesBlock): SeriesData[] {
  return labels.map((one, i): SeriesData => {
    const from = offsets[i]!;
    const to = offsets[i + 1]!;
    const samples = { labels: one, times: times.subarray(from, to), values: values.subarray(from, to) };
    const marks = stale?.subarray(from, to);
    return marks?.includes(1) === true ? { ...samples, stale: marks } : samples;
  });
}
