import { CHUNK_SPAN_MS } from './packer.ts';
import type { CatalogEntry } from './series-catalog.ts';
import type { Database } from './sqlite.ts';

/** Which series have a sample between two times, without reading the samples. */
export class SeriesPresence {
  readonly #chunk;
  readonly #recent;

  constructor(db: Database) {
    this.#chunk = db.prepare(
      'SELECT 1 FROM chunk WHERE sid = ? AND start_ms BETWEEN ? AND ? AND end_ms >= ? LIMIT 1',
    );
    this.#recent = db.prepare('SELECT DISTINCT sid FROM sample WHERE ts BETWEEN ? AND ?');
  }

  /** Exact for what is not packed yet; a chunk counts whole, and none spans more than CHUNK_SPAN_MS. */
  within(entries: readonly CatalogEntry[], fromMs: number, toMs: number): readonly CatalogEntry[] {
    if (fromMs <= 0) return entries.filter(({ firstMs }) => firstMs <= toMs);
    const from = Math.ceil(fromMs);
    const to = Math.floor(toMs);
    const recent = new Set<number>();
    for (const row of this.#recent.iterate(from, to)) recent.add((row as { sid: number }).sid);
    return entries.filter(
      ({ sid }) => recent.has(sid) || this.#chunk.get(sid, from - CHUNK_SPAN_MS, to, from) !== undefined,
    );
  }
}
