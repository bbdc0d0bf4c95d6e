import type { Labels, Matcher } from '../../model/series.ts';
import { labelMatcher } from './label-matcher.ts';
import { labelsOfKey } from './sample-batch.ts';
import type { Database } from './sqlite.ts';

export interface CatalogEntry {
  readonly sid: number;
  readonly labels: Labels;
  readonly firstMs: number;
}

/**
 * All series with their labels, in memory of the reading thread, and by each label value those that have it. New ones
 * are read from the store before each query; what retention removed is noticed by the count.
 */
export class SeriesCatalog {
  readonly #onForgotten: () => void;
  readonly #newer;
  readonly #count;
  readonly #entries = new Map<number, CatalogEntry>();
  readonly #values = new Map<string, Map<string, Set<number>>>();
  #last = 0;
  #youngestMs = -Infinity;

  /** `onForgotten` is called when series are gone, and so all of them are read anew. */
  constructor(db: Database, onForgotten: () => void) {
    this.#onForgotten = onForgotten;
    this.#newer = db.prepare('SELECT sid, labels, first_ms FROM series WHERE sid > ? ORDER BY sid');
    this.#count = db.prepare('SELECT COUNT(*) AS count FROM series');
  }

  refresh(): void {
    this.#readNewer();
    const { count } = this.#count.get() as { count: number };
    if (count === this.#entries.size) return;
    this.#onForgotten();
    this.#entries.clear();
    this.#values.clear();
    this.#last = 0;
    this.#youngestMs = -Infinity;
    this.#readNewer();
  }

  #readNewer(): void {
    for (const row of this.#newer.iterate(this.#last)) {
      const { sid, labels, first_ms: firstMs } = row as { sid: number; labels: string; first_ms: number };
      this.#add({ sid, labels: labelsOfKey(labels), firstMs });
      this.#last = sid;
    }
  }

  #add(entry: CatalogEntry): void {
    this.#entries.set(entry.sid, entry);
    this.#youngestMs = Math.max(this.#youngestMs, entry.firstMs);
    for (const name in entry.labels) {
      const values = getOrAdd(this.#values, name, () => new Map<string, Set<number>>());
      getOrAdd(values, entry.labels[name]!, () => new Set<number>()).add(entry.sid);
    }
  }

  get size(): number {
    return this.#entries.size;
  }

  /** When the series that came last began; all have begun then. */
  get youngestMs(): number {
    return this.#youngestMs;
  }

  /** Series that fit every matcher. */
  match(matchers: readonly Matcher[]): CatalogEntry[] {
    const tests = matchers.map((matcher) => ({ name: matcher.name, test: labelMatcher(matcher) }));
    const candidates = this.#candidates(matchers);
    const found: CatalogEntry[] = [];
    for (const sid of candidates) {
      const entry = this.#entries.get(sid)!;
      if (tests.every(({ name, test }) => test(entry.labels[name] ?? ''))) found.push(entry);
    }
    return found;
  }

  /** The smallest set that an equality matcher names; without one, all. */
  #candidates(matchers: readonly Matcher[]): Iterable<number> {
    let smallest: ReadonlySet<number> | undefined;
    for (const { name, kind, value } of matchers) {
      if (kind !== '=' || value === '') continue;
      const fitting = this.#values.get(name)?.get(value) ?? new Set<number>();
      if (smallest === undefined || fitting.size < smallest.size) smallest = fitting;
    }
    return smallest ?? this.#entries.keys();
  }

  labelNames(): string[] {
    return [...this.#values.keys()].sort();
  }

  labelValues(name: string): string[] {
    return [...(this.#values.get(name)?.keys() ?? [])].sort();
  }
}

function getOrAdd<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
