import type { HttpResponse } from '../platform/http-client.ts';

/** What the answers of endpoints have said of whose they are. */
export class StoreIds {
  readonly #stores = new Map<string, string>();
  /** Collectors of ours that do not name their store: of a version that does not know parts of batches either. */
  readonly #old = new Set<string>();
  /** Receivers that are no collectors of ours. */
  readonly #foreign = new Set<string>();

  learn(url: string, headers: HttpResponse['headers']): void {
    const store = headers['taffrail-store'];
    this.#foreign.delete(url);
    if (store !== undefined) {
      this.#stores.set(url, store.slice(0, STORE_ID_MAX));
      this.#old.delete(url);
    } else if (headers['taffrail-collector'] !== undefined) {
      this.#stores.delete(url);
      this.#old.add(url);
    } else if (!this.#stores.has(url) && !this.#old.has(url)) this.#foreign.add(url);
  }

  isForeign(url: string): boolean {
    return this.#foreign.has(url) || this.#old.has(url);
  }

  /** The id of the store behind an endpoint; undefined where it never gave one. */
  of(url: string): string | undefined {
    return this.#stores.get(url);
  }

  /** Whether it is a collector that takes the key of a part for a mistake. */
  isOldCollector(url: string): boolean {
    return this.#old.has(url);
  }
}

const STORE_ID_MAX = 128;

/** Where a request went. */
export interface Place {
  readonly url: string;
  /** Missing where no answer has named one. */
  readonly store?: string;
}

/** Whether two places are one store. A receiver that names none is a store of its own. */
export function isSameStore(a: Place, b: Place): boolean {
  return a.store !== undefined && b.store !== undefined ? a.store === b.store : a.url === b.url;
}
