import type { Labels } from '../model/series.ts';

export interface ResultSample {
  readonly labels: Labels;
  readonly value: number;
  readonly timeMs: number;
}

export interface ResultSeries {
  readonly labels: Labels;
  readonly points: readonly (readonly [timeMs: number, value: number])[];
}

export type ResultValue =
  | { readonly kind: 'scalar'; readonly value: number; readonly timeMs: number }
  | { readonly kind: 'string'; readonly value: string; readonly timeMs: number }
  | { readonly kind: 'vector'; readonly samples: readonly ResultSample[] }
  | { readonly kind: 'matrix'; readonly series: readonly ResultSeries[] };

export interface QueryResult {
  readonly value: ResultValue;
  readonly warnings: readonly string[];
  readonly infos: readonly string[];
  readonly stats: QueryStats;
}

export interface QueryStats {
  readonly samplesRead: number;
  /** With those of the result. */
  readonly samplesHeld: number;
  /** Times in ms; 0 where the engine has no clock. */
  readonly readMs: number;
  readonly totalMs: number;
}
