/** Label names to values; `__name__` is the metric's name where a whole series is meant. */
export type Labels = Readonly<Record<string, string>>;

export type MetricType = 'counter' | 'gauge' | 'histogram' | 'summary' | 'unknown';

/**
 * Samples of one series in time order. `stale[i]` is 1 where sample i is a stale marker (its value is NaN);
 * a flag and not a NaN payload, because JavaScript may not keep payloads.
 */
export interface SeriesData {
  readonly labels: Labels;
  /** Milliseconds since 1970, ascending. */
  readonly times: Float64Array;
  readonly values: Float64Array;
  readonly stale?: Uint8Array;
}

export type MatchKind = '=' | '!=' | '=~' | '!~';

export interface Matcher {
  readonly name: string;
  readonly kind: MatchKind;
  readonly value: string;
}

/** Where PromQL reads samples from: the agent's ring in memory, or the collector's store. */
export interface Queryable {
  /** All series that fit every matcher and have a sample in [fromMs, toMs], with just those samples. */
  select(matchers: readonly Matcher[], fromMs: number, toMs: number): Promise<readonly SeriesData[]>;
}

/** What a scanner knows of a metric that it feeds; travels with the deltas, so that a replay needs no configuration. */
export interface MetricDescriptor {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram' | 'unique' | 'pair';
  readonly help: string;
  readonly unit?: string;
  readonly labelNames: readonly string[];
  /** Upper bounds without +Inf, ascending; for histograms and pairs. */
  readonly buckets?: readonly number[];
  /** Labels that all its series carry: `source` and the labels of the source. */
  readonly constLabels: Labels;
  /** Most series that this metric may have; beyond it they fold into one with every label `other`. */
  readonly maxSeries: number;
  /** Series idle for this long end with a stale marker; 0 never. */
  readonly expireAfterMs: number;
  /** Pairs: a start without its end is given up after this long; an hour where left out. */
  readonly pairTimeoutMs?: number;
}

/** Which series and labels there are between two times, for pickers in user interfaces. An empty matcher list means all. */
export interface SeriesIndex {
  labelNames(matchers: readonly Matcher[], fromMs: number, toMs: number): Promise<readonly string[]>;
  labelValues(
    name: string,
    matchers: readonly Matcher[],
    fromMs: number,
    toMs: number,
  ): Promise<readonly string[]>;
  series(matchers: readonly Matcher[], fromMs: number, toMs: number): Promise<readonly Labels[]>;
}
