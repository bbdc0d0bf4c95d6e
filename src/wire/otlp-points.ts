import { flattenPoint, formatBound } from '../model/sample-set.ts';
import type { FlatSample } from '../model/sample-set.ts';
import type { Labels, MetricType } from '../model/series.ts';
import type { Attributes } from './any-value.ts';
import { attributeLabels, prometheusName, resourceLabels, validMetricName } from './metric-name.ts';
import { OWN_SCOPE } from './otlp-metrics.ts';
import type { Scope } from './otlp-record.ts';

/** A metric as it stands in a request, in protobuf or JSON, before it is made flat. */
export interface OtlpMetric {
  readonly name: string;
  readonly description: string;
  readonly unit: string;
  readonly kind: 'gauge' | 'sum' | 'histogram' | 'exponential_histogram' | 'summary' | 'none';
  readonly isMonotonic: boolean;
  /** 1 delta, 2 cumulative, 0 unspecified. */
  readonly temporality: number;
  readonly points: readonly OtlpPoint[];
}

export interface OtlpPoint {
  readonly attributes: Attributes;
  readonly timeMs: number;
  readonly startMs: number;
  readonly flags: number;
  readonly value: number;
  readonly count: number;
  readonly sum: number;
  readonly counts: readonly number[];
  readonly bounds: readonly number[];
  readonly quantiles: readonly { readonly quantile: number; readonly value: number }[];
}

export interface MetricMetadata {
  /** Prometheus's name of the family. */
  readonly name: string;
  readonly type: MetricType;
  readonly help: string;
  readonly unit: string;
}

/** Samples that came under one resource and scope; `job` and `instance` are among their labels where the resource tells them. */
export interface DecodedSampleGroup {
  readonly resource: Attributes;
  readonly scope: Scope;
  readonly samples: readonly FlatSample[];
  readonly metadata: readonly MetricMetadata[];
}

export interface DecodedMetrics {
  readonly groups: readonly DecodedSampleGroup[];
  /** OTLP data points that became samples. */
  readonly points: number;
  /** Data points that did not, by the reason. */
  readonly rejected: ReadonlyMap<string, number>;
}

/** Collects the groups of one request. */
export class PointFlattener {
  readonly #groups: DecodedSampleGroup[] = [];
  readonly #rejected = new Map<string, number>();
  #points = 0;

  group(resource: Attributes, scope: Scope, metrics: readonly OtlpMetric[]): void {
    const shared = resourceLabels(resource);
    const samples: FlatSample[] = [];
    const metadata: MetricMetadata[] = [];
    for (const metric of metrics) {
      const type = metricType(metric);
      const name = familyName(metric, type, scope);
      const problem = name === '' ? 'metric without a name' : metricProblem(metric);
      if (problem !== undefined) {
        this.reject(problem, Math.max(1, metric.points.length));
        continue;
      }
      metadata.push({ name, type, help: metric.description, unit: metric.unit });
      for (const point of metric.points) this.#point(samples, { name, type }, metric, point, shared);
    }
    this.#groups.push({ resource, scope, samples, metadata });
  }

  #point(
    samples: FlatSample[],
    family: { name: string; type: MetricType },
    metric: OtlpMetric,
    point: OtlpPoint,
    shared: Labels,
  ): void {
    const problem = pointProblem(metric, point);
    if (problem !== undefined) {
      this.reject(problem, 1);
      return;
    }
    this.#points++;
    const labels = attributeLabels(point.attributes, shared);
    const { timeMs, startMs, value, count, sum, counts, bounds } = point;
    const stale = (point.flags & 1) === 1;
    if (metric.kind === 'summary') {
      samples.push(...flattenSummary(family, labels, point, stale));
      return;
    }
    const histogram = metric.kind === 'histogram' ? { histogram: { bounds, counts, sum, count } } : {};
    samples.push(...flattenPoint(family, { labels, timeMs, startMs, value, stale, ...histogram }));
  }

  reject(reason: string, points: number): void {
    this.#rejected.set(reason, (this.#rejected.get(reason) ?? 0) + points);
  }

  result(): DecodedMetrics {
    return { groups: this.#groups, points: this.#points, rejected: this.#rejected };
  }
}

function metricType({ kind, isMonotonic }: OtlpMetric): MetricType {
  if (kind === 'sum') return isMonotonic ? 'counter' : 'gauge';
  return kind === 'exponential_histogram' ? 'histogram' : kind === 'none' ? 'unknown' : kind;
}

/** Our own agents' names are Prometheus's already. */
function familyName(metric: OtlpMetric, type: MetricType, scope: Scope): string {
  if (scope.name === OWN_SCOPE) return validMetricName(metric.name);
  return prometheusName({ name: metric.name, unit: metric.unit, kind: type });
}

function metricProblem({ kind, temporality }: OtlpMetric): string | undefined {
  if (kind === 'none') return 'metric without data';
  if (kind === 'exponential_histogram') return 'exponential histograms are not supported';
  const isCumulative = kind === 'gauge' || kind === 'summary' || temporality === 2;
  return isCumulative ? undefined : 'only cumulative temporality is supported';
}

function pointProblem({ kind }: OtlpMetric, { timeMs, counts, bounds }: OtlpPoint): string | undefined {
  if (timeMs === 0) return 'data point without a time stamp';
  if (kind !== 'histogram' || (counts.length === 0 && bounds.length === 0)) return undefined;
  if (counts.length !== bounds.length + 1) return 'histogram whose counts do not fit its bounds';
  return bounds.every((bound, i) => i === 0 || bound > bounds[i - 1]!)
    ? undefined
    : 'histogram whose bounds do not ascend';
}

function flattenSummary(
  family: { name: string; type: MetricType },
  labels: Labels,
  point: OtlpPoint,
  stale: boolean,
): FlatSample[] {
  const { name, type } = family;
  const { timeMs } = point;
  const quantiles = point.quantiles.map(({ quantile, value }) => ({
    name,
    type,
    labels: { ...labels, quantile: formatBound(quantile) },
    timeMs,
    value: stale ? NaN : value,
    stale,
  }));
  const rest = { type, labels, timeMs, stale };
  return [
    ...quantiles,
    { ...rest, name: `${name}_sum`, value: stale ? NaN : point.sum },
    { ...rest, name: `${name}_count`, value: stale ? NaN : point.count },
  ];
}
