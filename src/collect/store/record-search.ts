import type { Attributes } from '../../wire/any-value.ts';
import { decodeRecordBlock } from '../../wire/otlp-logs.ts';
import { type BlockContent, BlockContents } from './block-contents.ts';
import { BLOCK_SPAN_MS } from './record-block.ts';
import { filterForStream, textFits } from './record-filter.ts';
import { type Candidate, RecordPeek } from './record-peek.ts';
import {
  formatPlace,
  newestFirst,
  parsePlace,
  type Place,
  type RecordFilter,
  type RecordPage,
  type RecordQuery,
  type StoredRecord,
} from './record-query.ts';
import type { Database } from './sqlite.ts';

interface BlockRow {
  readonly number: number;
  readonly stream: number;
  readonly min_ms: number;
  readonly max_ms: number;
  readonly records: number;
}

interface Found {
  readonly place: Place;
  readonly record: StoredRecord;
}

interface Searched {
  readonly candidates: Candidate[];
  readonly content: BlockContent | undefined;
  readonly resource: Attributes;
}

/** Enough for most pages; the last of them are decoded in vain. */
const DECODED_AT_ONCE = 200;

/** Finds records. Blocks are visited from the newest; most are passed over by time, stream or a look at their bytes. */
export class RecordSearch {
  readonly #byTime;
  readonly #after;
  readonly #contents: BlockContents;
  readonly #stream;
  readonly #newest;
  readonly #resources = new Map<number, Attributes>();

  constructor(db: Database) {
    this.#byTime = db.prepare(
      `SELECT number, stream, min_ms, max_ms, records FROM block INDEXED BY block_time
       WHERE max_ms >= ? AND max_ms < ? AND min_ms <= ? ORDER BY max_ms DESC, number DESC`,
    );
    this.#after = db.prepare(
      'SELECT number, stream, min_ms, max_ms, records FROM block WHERE number > ? ORDER BY number',
    );
    this.#contents = new BlockContents(db);
    this.#stream = db.prepare('SELECT attributes FROM stream WHERE id = ?');
    this.#newest = db.prepare('SELECT MAX(number) AS number FROM block');
  }

  page(query: RecordQuery): RecordPage {
    const before = query.before === undefined ? undefined : parsePlace(query.before);
    const upper = Math.min(query.toMs, before?.ms ?? query.toMs);
    const deadline = performance.now() + query.budgetMs;
    let bound = before?.ms;
    let found: Found[] = [];
    for (const row of this.#byTime.iterate(query.fromMs, upper + BLOCK_SPAN_MS, upper)) {
      const block = row as BlockRow;
      // One more than the page, so that it is known whether there is a next one.
      const full = found.length > query.limit;
      if (full && found[query.limit - 1]!.place.ms > block.max_ms) break;
      // The next page must begin earlier than this one did, or a reader in a hurry would never get on.
      bound ??= block.max_ms + 1;
      if (block.max_ms + 1 < bound && performance.now() > deadline)
        return partPage(found, block.max_ms, query.limit);
      const fits = (place: Place): boolean =>
        place.ms >= query.fromMs &&
        place.ms <= query.toMs &&
        (before === undefined || newestFirst(before, place) < 0);
      const added = this.#search(block, query, fits, query.limit + 1);
      if (added.length > 0)
        found = [...found, ...added].sort((a, b) => newestFirst(a.place, b.place)).slice(0, query.limit + 1);
    }
    const page = found.slice(0, query.limit);
    const records = page.map(({ record }) => record);
    if (found.length <= query.limit) return { records, searchedToMs: query.fromMs };
    const last = page[page.length - 1]!.place;
    return { records, next: formatPlace(last), searchedToMs: last.ms };
  }

  /** Records in the order of arrival, after a block; for a live view. */
  after(
    number: number,
    filter: RecordFilter,
    limit: number,
  ): { readonly records: readonly StoredRecord[]; readonly through: number } {
    const records: StoredRecord[] = [];
    let through = number;
    for (const row of this.#after.iterate(number)) {
      const block = row as BlockRow;
      records.push(...this.#search(block, filter, () => true).map(({ record }) => record));
      through = block.number;
      if (records.length >= limit) break;
    }
    return { records, through };
  }

  newestBlock(): number {
    return (this.#newest.get() as { number: number | null }).number ?? 0;
  }

  /** How many records fit; blocks that lie wholly inside are not opened unless a filter needs it. */
  count(query: Pick<RecordQuery, 'fromMs' | 'toMs' | 'labels' | 'text'>): number {
    let count = 0;
    for (const row of this.#byTime.iterate(query.fromMs, query.toMs + BLOCK_SPAN_MS, query.toMs)) {
      const block = row as BlockRow;
      const filter = filterForStream(query, this.#resource(block.stream));
      if (filter.never) continue;
      const inside = block.min_ms >= query.fromMs && block.max_ms <= query.toMs;
      if (inside && query.text === '' && filter.labels.length === 0) count += block.records;
      else count += this.#countIn(block, query);
    }
    return count;
  }

  #countIn(block: BlockRow, query: Pick<RecordQuery, 'fromMs' | 'toMs' | 'labels' | 'text'>): number {
    const fits = ({ ms }: Place): boolean => ms >= query.fromMs && ms <= query.toMs;
    if (query.text !== '') return this.#search(block, query, fits).length;
    return this.#candidates(block, query, fits).candidates.length;
  }

  /** Records by slot of time, for a chart: those of a block are taken as spread evenly over its span. */
  volume(fromMs: number, toMs: number, slots: number, filter: RecordFilter): number[] {
    const counts = Array.from({ length: slots }, () => 0);
    const slotMs = (toMs - fromMs) / slots;
    for (const row of this.#byTime.iterate(fromMs, toMs + BLOCK_SPAN_MS, toMs)) {
      const block = row as BlockRow;
      if (filterForStream(filter, this.#resource(block.stream)).never) continue;
      spread(counts, (block.min_ms - fromMs) / slotMs, (block.max_ms - fromMs) / slotMs, block.records);
    }
    return counts.map((count) => Math.round(count * 100) / 100);
  }

  /** At most so many records of a block, the newest first; all of them, in their order, where there is no such limit. */
  #search(block: BlockRow, filter: RecordFilter, fits: (place: Place) => boolean, most = Infinity): Found[] {
    const { candidates, content, resource } = this.#candidates(block, filter, fits);
    if (content === undefined) return [];
    if (most < candidates.length) candidates.sort((a, b) => newestFirst(a.place, b.place));
    const found: Found[] = [];
    for (let i = 0; i < candidates.length && found.length < most; i += DECODED_AT_ONCE) {
      const some = candidates.slice(i, i + DECODED_AT_ONCE);
      found.push(...decode(some, content, resource).filter(({ record }) => textFits(record, filter.text)));
    }
    return found;
  }

  #candidates(block: BlockRow, filter: RecordFilter, fits: (place: Place) => boolean): Searched {
    const resource = this.#resource(block.stream);
    const streamFilter = filterForStream(filter, resource);
    const content = streamFilter.never ? undefined : this.#contents.read(block.number);
    if (content === undefined) return { candidates: [], content, resource };
    const peek = new RecordPeek({ ...content, number: block.number }, streamFilter);
    return { candidates: peek.candidates(filter.text, fits), content, resource };
  }

  #resource(stream: number): Attributes {
    let resource = this.#resources.get(stream);
    if (resource === undefined) {
      const row = this.#stream.get(stream) as { attributes: string } | undefined;
      resource = JSON.parse(row?.attributes ?? '{}') as Attributes;
      if (this.#resources.size > 10_000) this.#resources.clear();
      this.#resources.set(stream, resource);
    }
    return resource;
  }
}

/** The search ran out of time at a block: what is newer than it is complete, and the next page begins there. */
function partPage(found: readonly Found[], maxMs: number, limit: number): RecordPage {
  const complete = found.filter(({ place }) => place.ms > maxMs).slice(0, limit);
  return {
    records: complete.map(({ record }) => record),
    next: formatPlace({ ms: maxMs + 1, nanos: 0, block: 0, index: 0 }),
    searchedToMs: maxMs,
  };
}

function decode(candidates: readonly Candidate[], content: BlockContent, resource: Attributes): Found[] {
  const bytes = Buffer.concat(candidates.map(({ start, end }) => content.bytes.subarray(start, end)));
  return decodeRecordBlock(bytes).map((decoded, i) => {
    const { place } = candidates[i]!;
    const { observedMs, severity, severityText, body, attributes, traceId, spanId } = decoded;
    const record = {
      id: formatPlace(place),
      timeMs: place.ms,
      timeNanos: place.nanos,
      observedMs,
      receivedMs: content.receivedMs,
      severity,
      severityText,
      body,
      attributes,
      resource,
      traceId,
      spanId,
    };
    return { place, record };
  });
}

function spread(counts: number[], from: number, to: number, amount: number): void {
  const first = Math.max(0, Math.floor(from));
  const last = Math.min(counts.length - 1, Math.floor(to));
  const width = to - from;
  for (let slot = first; slot <= last; slot++) {
    const share = width <= 0 ? 1 : (Math.min(slot + 1, to) - Math.max(slot, from)) / width;
    counts[slot]! += amount * share;
  }
}
