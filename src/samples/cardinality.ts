import type { Catalog } from './catalog.ts';

/** How many there are of something, by name. */
interface Count {
  readonly name: string;
  readonly value: number;
}

/** In the shape of Prometheus's `status/tsdb`. */
export interface Cardinality {
  readonly headStats: HeadStats & { readonly numSeries: number; readonly numLabelPairs: number };
  readonly seriesCountByMetricName: readonly Count[];
  readonly labelValueCountByLabelName: readonly Count[];
  readonly memoryInBytesByLabelName: readonly Count[];
  readonly seriesCountByLabelValuePair: readonly Count[];
}

/** Of recent samples, in memory; times in ms. */
export interface HeadStats {
  readonly chunkCount: number;
  readonly minTime: number;
  readonly maxTime: number;
}

/** Which names, labels and values make series many: the first `limit` of each. */
export function cardinalityOf(catalog: Catalog, head: HeadStats, limit: number): Cardinality {
  const metrics: Count[] = [];
  const pairs: Count[] = [];
  const values = new Map<string, number>();
  const bytes = new Map<string, number>();
  for (const { name, value, series } of catalog.pairs()) {
    if (name === '__name__') metrics.push({ name: value, value: series });
    pairs.push({ name: `${name}=${value}`, value: series });
    values.set(name, (values.get(name) ?? 0) + 1);
    bytes.set(name, (bytes.get(name) ?? 0) + Buffer.byteLength(value));
  }
  const counted = (counts: ReadonlyMap<string, number>): Count[] =>
    Array.from(counts, ([name, value]) => ({ name, value }));
  return {
    headStats: { ...head, numSeries: catalog.all.length, numLabelPairs: pairs.length },
    seriesCountByMetricName: largest(metrics, limit),
    labelValueCountByLabelName: largest(counted(values), limit),
    memoryInBytesByLabelName: largest(counted(bytes), limit),
    seriesCountByLabelValuePair: largest(pairs, limit),
  };
}

function largest(counts: Count[], limit: number): readonly Count[] {
  return counts.sort((a, b) => b.value - a.value || (a.name < b.name ? -1 : 1)).slice(0, limit);
}
