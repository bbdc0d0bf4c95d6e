import type { Matcher, Queryable, SeriesData } from '../model/series.ts';

/** Several stores as one; a series must not be in two of them. */
export class UnionQueryable implements Queryable {
  readonly #stores: readonly Queryable[];

  constructor(stores: readonly Queryable[]) {
    this.#stores = stores;
  }

  async select(matchers: readonly Matcher[], fromMs: number, toMs: number): Promise<readonly SeriesData[]> {
    const found = await Promise.all(this.#stores.map(async (store) => store.select(matchers, fromMs, toMs)));
    return found.flat();
  }
}
