import type { StoreIds } from './store-ids.ts';

/** What a person should know of a sink whose endpoints do not lead to one store. */
export function storeNotes(
  urls: readonly string[],
  ids: StoreIds,
  inDoubt: 'wait' | 'move',
): readonly string[] {
  const stores = new Map(urls.map((url) => [url, ids.of(url)] as const));
  const named = [...stores.values()].filter((id) => id !== undefined);
  const answered = named.length + urls.filter((url) => ids.isForeign(url)).length;
  if (urls.length < 2 || answered < 2) return [];
  const distinct = new Set(named).size + urls.filter((url) => ids.isForeign(url)).length;
  if (distinct < 2) return [];
  const what =
    inDoubt === 'wait'
      ? 'a batch whose answer was lost waits for the one that may have it'
      : 'a batch whose answer was lost goes to another one, and is counted as possibly_twice';
  return [`the endpoints are ${distinct} different stores: each has a part of the records, and ${what}`];
}
