import type { Labels, Queryable, SeriesIndex } from '../model/series.ts';
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
  /** Fires when nobody waits for the answer any more. */
  readonly signal?: AbortSignal;
  /** Ours, for `status/buildinfo`. */
  readonly version: string;
  readonly externalLabels: Labels;
  readonly status: () => ServerStatus;
  /** What makes series many, in the shape of `status/tsdb`; missing where that is not known. */
  readonly cardinality?: (limit: number) => object;
}

/** What the routes below `/api/v1/status/` tell of the server. */
export interface ServerStatus {
  readonly startedAtMs: number;
  /** YAML, with no secrets in it. */
  readonly config: string;
  readonly loadedAtMs: number;
  readonly reloadFailed: boolean;
  /** Under the names of Prometheus's flags, such as `query.timeout`. */
  readonly flags: Readonly<Record<string, string>>;
  /** How long and how much is kept, such as `15d or 10GiB`. */
  readonly retention: string;
  /** Where alerts are sent on to. */
  readonly alertmanagers: readonly string[];
}

export interface MetricMetadata {
  readonly name: string;
  /** `counter`, `gauge` and so on, as the sender calls it. */
  readonly type: string;
  readonly help: string;
  readonly unit: string;
}
