import type { Annotations } from './annotations.ts';
import { type Bucket, bucketFraction, bucketQuantile } from './classic-histogram.ts';
import { Metric, Projection } from './metric.ts';
import type { TextRange } from './promql-error.ts';
import { add, emptyVector, type Vector } from './vector.ts';
import { dropName, type NameRules } from './vector-matching.ts';

const WITHOUT_BOUND = Projection.dropping(['le']);

interface BucketGroup {
  metric: Metric;
  readonly buckets: Bucket[];
}

/** The series of each classic histogram brought together: all that differ in `le` alone. */
function groupBuckets(vector: Vector, annotations: Annotations, position: TextRange): Iterable<BucketGroup> {
  const groups = new Map<string, BucketGroup>();
  for (let i = 0; i < vector.metrics.length; i++) {
    const metric = vector.metrics[i]!;
    const upperBound = parseBound(metric.labels['le']);
    if (upperBound === undefined) {
      annotations.badBucketLabel(metric.name, metric.labels['le'] ?? '', position);
      continue;
    }
    const projected = metric.project(WITHOUT_BOUND);
    let group = groups.get(projected.key);
    if (group === undefined) {
      group = { metric: projected, buckets: [] };
      groups.set(projected.key, group);
    }
    group.buckets.push({ upperBound, count: vector.values[i]! });
  }
  return groups.values();
}

/** What Go's ParseFloat reads, so far as it appears in `le`. */
function parseBound(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\+?inf(inity)?$/i.test(text)) return Number.POSITIVE_INFINITY;
  if (/^-inf(inity)?$/i.test(text)) return Number.NEGATIVE_INFINITY;
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined;
}

export interface HistogramCall {
  readonly vector: Vector;
  /** Of the vector argument, for annotations. */
  readonly position: TextRange;
  readonly annotations: Annotations;
  readonly rules: NameRules;
}

export function histogramQuantile(
  q: number,
  { vector, position, annotations, rules }: HistogramCall,
): Vector {
  const result = emptyVector();
  for (const { metric, buckets } of groupBuckets(vector, annotations, position)) {
    const { value, forced } = bucketQuantile(q, buckets);
    if (forced) annotations.forcedMonotonicity(metric.name, position);
    add(result, dropName(metric, rules), value);
  }
  return result;
}

export function histogramFraction(lower: number, upper: number, call: HistogramCall): Vector {
  const { vector, position, annotations, rules } = call;
  const result = emptyVector();
  for (const { metric, buckets } of groupBuckets(vector, annotations, position)) {
    add(result, dropName(metric, rules), bucketFraction(lower, upper, buckets));
  }
  return result;
}
