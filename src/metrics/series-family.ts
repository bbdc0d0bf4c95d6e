import type { HistogramValue } from '../model/sample-set.ts';
import type { Labels } from '../model/series.ts';

/** All live series of one metric name, as exposition and sampler see them. */
export interface SeriesFamily {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly unit: string;
  readonly series: readonly SeriesView[];
}

export interface SeriesView {
  /** Without empty values, without `__name__`. */
  readonly labels: Labels;
  /** The labels as the text formats write them between the braces, escaped; '' where there are none. */
  readonly labelText: string;
  /** When it began at zero. */
  readonly createdMs: number;
  /** Meaningless for histograms. */
  readonly value: number;
  readonly histogram: HistogramValue | undefined;
}

const NEEDS_ESCAPE = /[\\"\n]/g;

/** Label values escape alike in Prometheus text and OpenMetrics. */
export function formatLabels(labels: Labels): string {
  let text = '';
  for (const name of Object.keys(labels)) {
    const value = labels[name]!;
    const escaped = value.replace(NEEDS_ESCAPE, (char) => (char === '\n' ? '\\n' : `\\${char}`));
    text += `${text === '' ? '' : ','}${name}="${escaped}"`;
  }
  return text;
}
