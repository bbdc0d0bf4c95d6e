import type { SeriesFamily, SeriesView } from '../metrics/series-family.ts';
import { formatBound } from '../model/sample-set.ts';
import type { Labels } from '../model/series.ts';
import type { RingSample } from '../promql/ring-store.ts';

/** Labels of a histogram's flat series, in the order of its values. */
interface Flat {
  readonly labels: readonly Labels[];
  seenAt: number;
}

/**
 * Families as samples of flat series for the ring that rules query. The label objects are kept from tick to tick, so
 * that the ring recognises a series by its object.
 */
export class RingFeed {
  readonly #flat = new Map<string, Flat>();
  #tick = 0;

  *samples(families: readonly SeriesFamily[], external: Labels, bornSinceMs: number): Generator<RingSample> {
    this.#tick++;
    for (const family of families) {
      for (const series of family.series) {
        const { isNew, labels: flat } = this.#labels(family, series, external);
        // Own metrics do not know when each label set began; one that was not there at the last tick began now.
        const born = series.createdMs > bornSinceMs || (isNew && this.#tick > 1);
        yield* family.type === 'histogram'
          ? histogramSamples(series, flat, born)
          : [plainSample(family, series, flat, born)];
      }
    }
    for (const [key, flat] of this.#flat) if (flat.seenAt < this.#tick) this.#flat.delete(key);
  }

  #labels(
    family: SeriesFamily,
    series: SeriesView,
    external: Labels,
  ): { readonly labels: readonly Labels[]; readonly isNew: boolean } {
    const key = `${family.name}{${series.labelText}}`;
    let flat = this.#flat.get(key);
    const isNew = flat === undefined;
    if (flat === undefined) {
      flat = { labels: flatLabels(family, series, external), seenAt: 0 };
      this.#flat.set(key, flat);
    }
    flat.seenAt = this.#tick;
    return { labels: flat.labels, isNew };
  }
}

function flatLabels({ name, type }: SeriesFamily, series: SeriesView, external: Labels): Labels[] {
  const labels = { ...external, ...series.labels };
  if (type !== 'histogram' || series.histogram === undefined) return [{ ...labels, __name__: name }];
  const bounds = [...series.histogram.bounds, Infinity];
  return [
    ...bounds.map((bound) => ({ ...labels, __name__: `${name}_bucket`, le: formatBound(bound) })),
    { ...labels, __name__: `${name}_sum` },
    { ...labels, __name__: `${name}_count` },
  ];
}

function plainSample(
  { type }: SeriesFamily,
  series: SeriesView,
  [labels]: readonly Labels[],
  born: boolean,
): RingSample {
  return { labels: labels!, value: series.value, type, born };
}

function histogramSamples({ histogram }: SeriesView, labels: readonly Labels[], born: boolean): RingSample[] {
  if (histogram === undefined) return [];
  let cumulative = 0;
  const values = histogram.counts.map((count) => (cumulative += count));
  return [...values, histogram.sum, histogram.count].map((value, at) => ({
    labels: labels[at]!,
    value,
    type: 'counter',
    born,
  }));
}
