import type { Labels, MetricType } from './series.ts';

/** Values of series at one instant, as the agent's sampler takes them: what goes to OTLP, remote write and rules. */
export interface SampleSet {
  readonly timeMs: number;
  readonly families: readonly SampleFamily[];
  /** Points in all families together. */
  readonly points: number;
}

/** All series of one metric name. Names are Prometheus's, suffix included: a counter is called `x_total` here. */
export interface SampleFamily {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly unit: string;
  readonly points: readonly SamplePoint[];
}

export interface SamplePoint {
  /** Without `__name__`. */
  readonly labels: Labels;
  readonly timeMs: number;
  /** When a counter or histogram began at zero; 0 for gauges. */
  readonly startMs: number;
  /** NaN for histograms and stale points. */
  readonly value: number;
  /** The series ended: `value` and `histogram` say nothing. */
  readonly stale: boolean;
  readonly histogram?: HistogramValue;
}

export interface HistogramValue {
  /** Upper bounds without +Inf, ascending. */
  readonly bounds: readonly number[];
  /** Observations in each bucket, not cumulative; one longer than `bounds`. */
  readonly counts: readonly number[];
  readonly sum: number;
  readonly count: number;
}

/** One sample of one flat series, as Prometheus knows it. */
export interface FlatSample {
  /** With `_bucket`, `_sum`, `_count` where it came from a histogram. */
  readonly name: string;
  /** Of the family that it belongs to. */
  readonly type: MetricType;
  /** Without `__name__`. */
  readonly labels: Labels;
  readonly timeMs: number;
  readonly value: number;
  readonly stale: boolean;
}

/** How a bound is written as `le`, and a quantile as `quantile`. */
export function formatBound(bound: number): string {
  if (bound === Infinity) return '+Inf';
  return bound === -Infinity ? '-Inf' : String(bound);
}

/** The flat series of a point: histograms become `_bucket` (cumulative), `_sum` and `_count`. */
export function flattenPoint(
  family: { readonly name: string; readonly type: MetricType },
  point: SamplePoint,
): FlatSample[] {
  const { labels, timeMs, stale, histogram } = point;
  const { name, type } = family;
  if (histogram === undefined)
    return [{ name, type, labels, timeMs, value: stale ? NaN : point.value, stale }];
  const { bounds, counts, sum, count } = histogram;
  const flat = (suffix: string, value: number, own: Labels): FlatSample => ({
    name: name + suffix,
    type,
    labels: own,
    timeMs,
    value: stale ? NaN : value,
    stale,
  });
  let cumulative = 0;
  const samples = bucketLabels(labels, bounds).map((own, i) => {
    cumulative += counts[i] ?? 0;
    return flat('_bucket', i < bounds.length ? cumulative : count, own);
  });
  samples.push(flat('_sum', sum, labels), flat('_count', count, labels));
  return samples;
}

/** A series keeps its labels object, so the labels of its buckets are made once; encoders know them by identity. */
const knownBucketLabels = new WeakMap<
  Labels,
  { readonly bounds: readonly number[]; readonly labels: readonly Labels[] }
>();

function bucketLabels(labels: Labels, bounds: readonly number[]): readonly Labels[] {
  const known = knownBucketLabels.get(labels);
  if (known?.bounds === bounds) return known.labels;
  const made = [...bounds, Infinity].map((bound) => ({ ...labels, le: formatBound(bound) }));
  knownBucketLabels.set(labels, { bounds, labels: made });
  return made;
}
