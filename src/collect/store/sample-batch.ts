import type { Labels } from '../../model/series.ts';
import type { Speaker } from './speaker.ts';

/** The samples of one request, named by their series; made by the decoders, inserted by the writer. */
export interface SampleBatch {
  readonly samples: number;
  readonly series: readonly SeriesSamples[];
  readonly metadata: readonly MetricMetadata[];
  /** In whose names it speaks. */
  readonly speakers: readonly Speaker[];
  /** Points that were understood but cannot be kept, and why. */
  readonly rejected: number;
  readonly message: string;
}

export interface SeriesSamples {
  /** Canonical labels, see `seriesKey`. */
  readonly key: string;
  readonly times: readonly number[];
  /** `null` is a stale marker. */
  readonly values: readonly (number | null)[];
}

export interface MetricMetadata {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly unit: string;
}

/** The one way to write a label set: JSON pairs in the order of names, without empty values. */
export function seriesKey(labels: Labels): string {
  const names = Object.keys(labels).filter((name) => labels[name] !== '');
  names.sort();
  return JSON.stringify(names.map((name) => [name, labels[name]]));
}

export function labelsOfKey(key: string): Labels {
  return Object.fromEntries(JSON.parse(key) as [string, string][]);
}
