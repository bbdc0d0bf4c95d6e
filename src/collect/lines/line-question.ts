import type { DetectedField } from '../../logql/detected-fields.ts';
import type { ResultLine, ResultStream } from '../../logql/log-collector.ts';
import type { LogqlError, QueryPlace } from '../../logql/logql-error.ts';
import type { LinePattern } from '../../logql/pattern-miner.ts';
import type { LogRun, MetricResult, QueryStats } from '../../logql/run-query.ts';
import type { Steps } from '../../logql/range-series.ts';
import type { MetadataInSeries } from '../../logql/sample-extractor.ts';
import type { Instant } from '../../logql/line-reader.ts';
import type { Labels, Matcher } from '../../model/series.ts';

/** A time from which (included) and to which (excluded) lines are meant. */
export interface TimeRange {
  readonly from: Instant;
  readonly to: Instant;
}

/** What may be asked about lines. All of it is plain data, which may cross threads. */
export type LineQuestion =
  | { readonly kind: 'logs'; readonly query: string; readonly run: LogRun }
  | {
      readonly kind: 'instant';
      readonly query: string;
      readonly timeMs: number;
      readonly metadataInSeries: MetadataInSeries;
    }
  | {
      readonly kind: 'range';
      readonly query: string;
      readonly steps: Steps;
      readonly metadataInSeries: MetadataInSeries;
    }
  | {
      readonly kind: 'labels';
      readonly selectors: readonly (readonly Matcher[])[];
      readonly range: TimeRange;
    }
  | {
      readonly kind: 'volume';
      readonly matchers: readonly Matcher[];
      readonly range: TimeRange;
      /** Parts of the range; 0 is one. */
      readonly stepMs: number;
    }
  /** The neighbours of a line in its stream, by its place. */
  | { readonly kind: 'around'; readonly place: string; readonly before: number; readonly after: number }
  | { readonly kind: 'fields'; readonly query: string; readonly range: TimeRange; readonly lineLimit: number }
  | {
      readonly kind: 'patterns';
      readonly query: string;
      readonly range: TimeRange;
      readonly stepMs: number;
      readonly lineLimit: number;
    };

/** Lines of a stream, in parts of a time. */
export interface StreamVolume {
  readonly labels: Labels;
  readonly entries: number;
  readonly bytes: number;
  /** Bytes by the number of the part. */
  readonly parts: Readonly<Record<number, number>>;
}

export type LineAnswer =
  | {
      readonly kind: 'streams';
      readonly streams: readonly ResultStream[];
      /** Where the next page begins. */
      readonly next?: string;
      readonly stats: QueryStats;
    }
  | { readonly kind: 'metric'; readonly result: MetricResult; readonly stats: QueryStats }
  | { readonly kind: 'around'; readonly labels: Labels; readonly lines: readonly ResultLine[] }
  | { readonly kind: 'labels'; readonly sets: readonly Labels[] }
  | { readonly kind: 'volume'; readonly volumes: readonly StreamVolume[] }
  | { readonly kind: 'fields'; readonly fields: readonly DetectedField[]; readonly lines: number }
  | { readonly kind: 'patterns'; readonly patterns: readonly LinePattern[] }
  | {
      readonly kind: 'refused';
      readonly why: LogqlError['kind'];
      readonly message: string;
      readonly place?: QueryPlace;
    };

export interface QuestionLimits {
  readonly timeoutMs: number;
  readonly seriesMax: number;
  readonly samplesMax: number;
}

/** Lines that were stored after a place, and the place after them. */
export interface NewLines {
  readonly place: string;
  readonly streams: readonly ResultStream[];
  /** Lines that fit and were left out, since there were too many. */
  readonly dropped: number;
}
