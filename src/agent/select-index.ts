import type { Labels, Matcher, Queryable, SeriesIndex } from '../model/series.ts';

/** Label look-ups over a store small enough to answer them from its series. */
export class SelectIndex implements SeriesIndex {
  readonly #store: Queryable;

  constructor(store: Queryable) {
    this.#store = store;
  }

  async labelNames(matchers: readonly Matcher[], fromMs: number, toMs: number): Promise<readonly string[]> {
    const series = await this.series(matchers, fromMs, toMs);
    return [...new Set(series.flatMap((labels) => Object.keys(labels)))].sort();
  }

  async labelValues(
    name: string,
    matchers: readonly Matcher[],
    fromMs: number,
    toMs: number,
  ): Promise<readonly string[]> {
    const series = await this.series(matchers, fromMs, toMs);
    return [...new Set(series.flatMap((labels) => labels[name] ?? []))].sort();
  }

  async series(matchers: readonly Matcher[], fromMs: number, toMs: number): Promise<readonly Labels[]> {
    const found = await this.#store.select(matchers, fromMs, toMs);
    return found.map(({ labels }) => labels);
  }
}
