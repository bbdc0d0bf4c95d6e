import type { Labels, Queryable } from '../model/series.ts';
import type { Expr } from '../promql/ast.ts';

/** One output of a rule. A stale sample ends its series; its value does not matter. */
export interface RuleSample {
  readonly labels: Labels;
  readonly value: number;
  readonly stale: boolean;
}

/** Where rules write. What is appended is visible to the next query. */
export type AppendSamples = (timeMs: number, samples: readonly RuleSample[]) => void | Promise<void>;

export interface InstantSample {
  readonly labels: Labels;
  readonly value: number;
}

/** What rules need of the PromQL engine. */
export interface InstantEngine {
  instant(queryable: Queryable, expr: Expr, atMs: number, signal?: AbortSignal): Promise<InstantResult>;
}

export interface InstantResult {
  readonly value:
    | { readonly kind: 'scalar'; readonly value: number }
    | { readonly kind: 'vector'; readonly samples: readonly InstantSample[] }
    | { readonly kind: 'string' | 'matrix' };
}

/** What rules on lines need: a query for samples in LogQL, answered at an instant. */
export type LinesEngine = (query: string, atMs: number) => Promise<InstantResult>;

/** A vector, or a scalar as one sample without labels; anything else is no result for a rule. */
export function resultSamples({ value }: InstantResult): readonly InstantSample[] {
  switch (value.kind) {
    case 'vector':
      return value.samples;
    case 'scalar':
      return [{ labels: {}, value: value.value }];
    case 'string':
    case 'matrix':
      throw new Error('rule result is not a vector or scalar');
  }
}
