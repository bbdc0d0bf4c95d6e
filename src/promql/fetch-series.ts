import type { Queryable, SeriesData } from '../model/series.ts';
import { childrenOf, type Expr, type VectorSelector } from './ast.ts';
import { Metric } from './metric.ts';
import { referenceTime, type Scope, subqueryScope } from './scope.ts';

/** A series as the evaluator reads it. Where `stale` is set, that sample is a marker. */
export interface InputSeries {
  readonly metric: Metric;
  readonly times: Float64Array;
  readonly values: Float64Array;
  readonly stale?: Uint8Array;
}

export interface FetchOptions {
  readonly lookbackMs: number;
  readonly subqueryStepMs: number;
}

interface Fetch {
  readonly selector: VectorSelector;
  readonly fromMs: number;
  readonly toMs: number;
  /** Ranges do not see stale markers, instant selectors do. */
  readonly withoutStale: boolean;
}

export type FetchedSeries = ReadonlyMap<VectorSelector, readonly InputSeries[]>;

/** Reads, before evaluation begins, what every selector of the expression will want in this scope. */
export async function fetchSeries(
  queryable: Queryable,
  expr: Expr,
  scope: Scope,
  options: FetchOptions,
  count: (samples: number) => void,
): Promise<FetchedSeries> {
  const fetched = new Map<VectorSelector, readonly InputSeries[]>();
  for (const fetch of planFetches(expr, scope, options)) {
    const series = await queryable.select(fetch.selector.matchers, fetch.fromMs, fetch.toMs);
    fetched.set(
      fetch.selector,
      series.map((data) => {
        count(data.times.length);
        return inputSeries(data, fetch.withoutStale);
      }),
    );
  }
  return fetched;
}

function planFetches(expr: Expr, scope: Scope, options: FetchOptions): readonly Fetch[] {
  switch (expr.kind) {
    case 'selector':
      return [planFetch(expr, options.lookbackMs, scope, false)];
    case 'range':
      return [planFetch(expr.selector, expr.rangeMs, scope, true)];
    case 'subquery':
      return planFetches(expr.expr, subqueryScope(expr, scope, options.subqueryStepMs), options);
    case 'number':
    case 'string':
    case 'call':
    case 'aggregate':
    case 'binary':
    case 'unary':
    case 'paren':
      return childrenOf(expr).flatMap((child) => planFetches(child, scope, options));
  }
}

function planFetch(selector: VectorSelector, backMs: number, scope: Scope, withoutStale: boolean): Fetch {
  const fromMs = referenceTime(selector, scope.startMs, scope) - backMs;
  return { selector, fromMs, toMs: referenceTime(selector, scope.endMs, scope), withoutStale };
}

function inputSeries(data: SeriesData, withoutStale: boolean): InputSeries {
  const metric = Metric.of(data.labels);
  const { times, values, stale } = data;
  if (stale === undefined || !stale.includes(1)) return { metric, times, values };
  if (!withoutStale) return { metric, times, values, stale };
  const isReal = (_: number, index: number): boolean => stale[index] !== 1;
  return { metric, times: times.filter(isReal), values: values.filter(isReal) };
}
