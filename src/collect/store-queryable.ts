import type { Labels, Matcher, Queryable, SeriesData, SeriesIndex } from '../model/series.ts';
import { PromqlError } from '../promql/promql-error.ts';
import { StoreError } from './store/store-error.ts';
import type { SampleStore } from './store/store.ts';

/** The store as PromQL and the query API read it: what it refuses is a refusal of the query. */
export class StoreQueryable implements Queryable, SeriesIndex {
  readonly #store: Queryable & SeriesIndex;

  constructor(store: Omit<SampleStore, 'metadata'>) {
    this.#store = store;
  }

  select(matchers: readonly Matcher[], fromMs: number, toMs: number): Promise<readonly SeriesData[]> {
    return this.#store.select(matchers, fromMs, toMs).catch(asPromqlError);
  }

  labelNames(matchers: readonly Matcher[], fromMs: number, toMs: number): Promise<readonly string[]> {
    return this.#store.labelNames(matchers, fromMs, toMs).catch(asPromqlError);
  }

  labelValues(
    name: string,
    matchers: readonly Matcher[],
    fromMs: number,
    toMs: number,
  ): Promise<readonly string[]> {
    return this.#store.labelValues(name, matchers, fromMs, toMs).catch(asPromqlError);
  }

  series(matchers: readonly Matcher[], fromMs: number, toMs: number): Promise<readonly Labels[]> {
    return this.#store.series(matchers, fromMs, toMs).catch(asPromqlError);
  }
}

function asPromqlError(error: unknown): never {
  if (!(error instanceof StoreError) || error.kind === 'failed') throw error;
  const kinds = { timeout: 'timeout', too_many_samples: 'limit', bad_query: 'parse' } as const;
  throw new PromqlError(kinds[error.kind], error.message);
}
