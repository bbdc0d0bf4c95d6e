import type { Metric } from './metric.ts';

/** An instant vector: the i-th value belongs to the i-th metric. No object per sample. */
export interface Vector {
  readonly kind: 'vector';
  readonly metrics: Metric[];
  readonly values: number[];
}

export type Value =
  | Vector
  | { readonly kind: 'scalar'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string };

export function emptyVector(): Vector {
  return { kind: 'vector', metrics: [], values: [] };
}

export function add(vector: Vector, metric: Metric, value: number): void {
  vector.metrics.push(metric);
  vector.values.push(value);
}
