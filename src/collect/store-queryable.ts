import type { Labels, Matcher, Queryable, SeriesData, SeriesIndex } from '../model/series.ts';
import type { Store } from './store/store.ts';

/** The store as PromQL and the query API read it. */
export class StoreQueryable implements Queryable, SeriesIndex {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  select(matchers: readonly Matcher[], fromMs: number, toMs: number): Promise<readonly SeriesData[]> {
    return this.#store.select(matchers, fromMs, toMs);
  }

  labelNames(matchers: readonly Matcher[], fromMs: number, toMs: number): Promise<readonly string[]> {
    return this.#store.labelNames(matchers, fromMs, toMs);
  }

  labelValues(
    name: string,
    matchers: readonly Matcher[],
    fromMs: number,
    toMs: number,
  ): Promise<readonly string[]> {
    return this.#store.labelValues(name, matchers, fromMs, toMs);
  }

  series(matchers: readonly Matcher[], fromMs: number, toMs: number): Promise<readonly Labels[]> {
    return this.#store.series(matchers, fromMs, toMs);
  }
}
