import type { MetricType, Queryable, SeriesIndex } from '../model/series.ts';
import type { Engine } from '../promql/engine.ts';
import type { RuleGroupStatus } from '../rules/rule-status.ts';

/** What the query API answers from. */
export interface QueryApiDeps {
  readonly queryable: Queryable;
  readonly engine: Engine;
  readonly index: SeriesIndex;
  readonly metadata: () => readonly MetricMetadata[];
  readonly rules: () => readonly RuleGroupStatus[];
  /** Wall clock, ms since 1970. */
  readonly now: () => number;
  /** Most time for one query; 2 minutes by default. */
  readonly timeoutMs?: number;
  /** Ours, for `status/buildinfo`. */
  readonly version: string;
}

export interface MetricMetadata {
  readonly name: string;
  readonly type: MetricType;
  readonly help: string;
  readonly unit: string;
}
