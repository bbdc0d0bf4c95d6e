import type { Labels, Matcher, Queryable, SeriesIndex } from '../model/series.ts';

/** An index for a store that has none of its own and is small enough to be asked for whole series: the agent's ring. */
export function indexOfQueryable(queryable: Queryable): SeriesIndex {
  const series = async (
    matchers: readonly Matcher[],
    fromMs: number,
    toMs: number,
  ): Promise<readonly Labels[]> => {
    const found = await queryable.select(matchers, fromMs, toMs);
    return found.map(({ labels }) => labels);
  };
  return {
    series,
    async labelNames(matchers, fromMs, toMs) {
      const names = new Set((await series(matchers, fromMs, toMs)).flatMap((labels) => Object.keys(labels)));
      return [...names];
    },
    async labelValues(name, matchers, fromMs, toMs) {
      const values = new Set<string>();
      for (const labels of await series(matchers, fromMs, toMs)) {
        const value = labels[name];
        if (value !== undefined && value !== '') values.add(value);
      }
      return [...values];
    },
  };
}
