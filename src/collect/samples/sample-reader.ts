import type { Matcher, Queryable, SeriesData, SeriesIndex } from '../../model/series.ts';
import { decodeEntry } from '../../samples/block-codec.ts';
import { DamagedBytes } from '../../samples/byte-source.ts';
import { type Cardinality, cardinalityOf } from '../../samples/cardinality.ts';
import { Catalog } from '../../samples/catalog.ts';
import { decodeSamples } from '../../samples/chunk-codec.ts';
import { type HeadBuffers, HeadView } from '../../samples/head-columns.ts';
import { cutToRange, HeadReader } from '../../samples/head-reader.ts';
import { orderSamples } from '../../samples/order-samples.ts';
import { sampleColumns, type SampleColumns, widenColumns } from '../../samples/sample-columns.ts';
import { compileMatcher } from '../../promql/matcher.ts';
import { StoreError } from '../store/store-error.ts';
import type { BlockFile } from './block-file.ts';
import { BlockSet } from './block-set.ts';

/** Bytes of a block that are read at once. */
const READ_BYTES = 4 << 20;
/** Series between two looks at the clock. */
const SERIES_A_LOOK = 64;
const SLICE_MS = 8;

/** What a reading may cost, and how others get their turn. */
export interface ReadTerms {
  readonly samplesMax: number;
  /** Throws when the reading is to end. */
  readonly check: () => void;
  readonly giveWay: () => Promise<void>;
}

/** Where the bytes of a series in a block are. */
interface Entry {
  readonly file: BlockFile;
  readonly bytes: Uint8Array;
  readonly at: number;
  readonly length: number;
}

/** Series as a reading thread sees them: those of the head's memory, and of the block files. */
export class SampleReader {
  readonly catalog: Catalog;
  readonly #view: HeadView;
  readonly #head: HeadReader;
  readonly #blocks: BlockSet;

  constructor(buffers: HeadBuffers, folder: string) {
    this.#view = new HeadView(buffers);
    this.#head = new HeadReader(this.#view);
    this.catalog = new Catalog(this.#view, compiled);
    this.#blocks = new BlockSet(folder);
  }

  /** Queries under some terms. */
  under(terms: ReadTerms): Queryable & SeriesIndex {
    return {
      select: (matchers, fromMs, toMs) => this.#select(matchers, fromMs, toMs, terms),
      series: async (matchers, fromMs, toMs) =>
        Array.from(this.#matching(matchers, fromMs, toMs), (sid) => this.catalog.labels(sid)),
      labelNames: async (matchers, fromMs, toMs) => this.#labelNames(matchers, fromMs, toMs),
      labelValues: async (name, matchers, fromMs, toMs) => this.#labelValues(name, matchers, fromMs, toMs),
    };
  }

  /** What makes series many: the first `limit` of each list. */
  cardinality(limit: number): Cardinality {
    this.catalog.refresh();
    const { firstTime, lastTime } = this.#view.columns;
    const head = { chunkCount: 0, minTime: Infinity, maxTime: -Infinity };
    for (const sid of this.catalog.all) {
      head.chunkCount += this.#head.chunks(sid);
      head.minTime = Math.min(head.minTime, firstTime[sid]!);
      head.maxTime = Math.max(head.maxTime, lastTime[sid]!);
    }
    return cardinalityOf(this.catalog, head, limit);
  }

  /** Series that fit and that had their first sample before the end of the time, and their last after its beginning. */
  #matching(matchers: readonly Matcher[], fromMs: number, toMs: number): Uint32Array {
    this.catalog.refresh();
    const { firstTime, lastTime } = this.#view.columns;
    return this.catalog.match(matchers).filter((sid) => firstTime[sid]! <= toMs && lastTime[sid]! >= fromMs);
  }

  #labelNames(matchers: readonly Matcher[], fromMs: number, toMs: number): string[] {
    const names = new Set<string>();
    for (const sid of this.#matching(matchers, fromMs, toMs))
      for (const name in this.catalog.labels(sid)) names.add(name);
    return [...names].sort();
  }

  #labelValues(name: string, matchers: readonly Matcher[], fromMs: number, toMs: number): string[] {
    this.catalog.refresh();
    const { firstTime, lastTime } = this.#view.columns;
    const chosen = matchers.length === 0 ? undefined : this.#marked(this.catalog.match(matchers));
    const counts = (sid: number): boolean =>
      firstTime[sid]! <= toMs && lastTime[sid]! >= fromMs && (chosen === undefined || chosen[sid] === 1);
    const values: string[] = [];
    for (const { value, sids } of this.catalog.valuesOf(name)) if (sids.some(counts)) values.push(value);
    return values.sort();
  }

  /** 1 at each of the numbers. */
  #marked(sids: Uint32Array): Uint8Array {
    const marks = new Uint8Array(this.#view.state('next'));
    for (const sid of sids) marks[sid] = 1;
    return marks;
  }

  async #select(
    matchers: readonly Matcher[],
    fromMs: number,
    toMs: number,
    terms: ReadTerms,
  ): Promise<SeriesData[]> {
    for (;;) {
      const generation = this.#view.state('blocks');
      this.#blocks.refresh(generation);
      const sids = this.#matching(matchers, fromMs, toMs);
      const found = await this.#read(sids, Math.ceil(fromMs), Math.floor(toMs), terms);
      // A block was written meanwhile: what is in it may have left the memory before it was read.
      if (this.#view.state('blocks') === generation) return found;
    }
  }

  async #read(sids: Uint32Array, fromMs: number, toMs: number, terms: ReadTerms): Promise<SeriesData[]> {
    const entries = await this.#entries(sids, fromMs, toMs, terms);
    const gathered: SampleColumns = sampleColumns(1024);
    const found: {
      readonly sid: number;
      readonly start: number;
      readonly end: number;
      readonly stale: boolean;
    }[] = [];
    let length = 0;
    let sliceEnd = performance.now() + SLICE_MS;
    for (let i = 0; i < sids.length; i++) {
      const sid = sids[i]!;
      const start = length;
      for (const entry of entries.get(sid) ?? []) length = readEntry(entry, fromMs, toMs, gathered, length);
      const fromBlocks = length - start;
      length = this.#head.read(sid, fromMs, toMs, gathered, length);
      if (fromBlocks > 0) length = orderSamples(gathered, start, length);
      if (length > terms.samplesMax)
        throw new StoreError(
          'too_many_samples',
          `query reads more than ${terms.samplesMax} samples; choose fewer series or a shorter time`,
        );
      if (length > start)
        found.push({ sid, start, end: length, stale: hasStale(gathered.stale, start, length) });
      if (i % SERIES_A_LOOK !== 0 || performance.now() < sliceEnd) continue;
      await terms.giveWay();
      terms.check();
      sliceEnd = performance.now() + SLICE_MS;
    }
    const { times, values, stale } = gathered;
    return found.map((one) => {
      const { start, end } = one;
      const data = {
        labels: this.catalog.labels(one.sid),
        times: times.subarray(start, end),
        values: values.subarray(start, end),
      };
      return one.stale ? { ...data, stale: stale.subarray(start, end) } : data;
    });
  }

  /** The parts of blocks that the series have in the time, in the order in which they were written. */
  async #entries(
    sids: Uint32Array,
    fromMs: number,
    toMs: number,
    { check, giveWay }: ReadTerms,
  ): Promise<ReadonlyMap<number, Entry[]>> {
    const entries = new Map<number, Entry[]>();
    for (const file of this.#blocks.within(fromMs, toMs)) {
      file.read(sids, READ_BYTES, (sid, bytes, at, length) => {
        const known = entries.get(sid);
        if (known === undefined) entries.set(sid, [{ file, bytes, at, length }]);
        else known.push({ file, bytes, at, length });
      });
      await giveWay();
      check();
    }
    return entries;
  }

  close(): void {
    this.#blocks.close();
  }
}

/** A part that is damaged is left out. */
function readEntry(
  { file, bytes, at, length }: Entry,
  fromMs: number,
  toMs: number,
  into: SampleColumns,
  end: number,
): number {
  try {
    for (const chunk of decodeEntry(bytes, at, length, file.footer.fromMs)) {
      const { firstMs, lastMs, count } = chunk;
      if (firstMs > toMs || lastMs < fromMs) continue;
      widenColumns(into, end + count);
      decodeSamples(chunk.bytes, 0, count, firstMs, into, end);
      end = cutToRange({ fromMs, toMs, firstMs, lastMs }, into, end, end + count);
    }
  } catch (error) {
    if (!(error instanceof DamagedBytes)) throw error;
  }
  return end;
}

function hasStale(stale: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (stale[i] === 1) return true;
  return false;
}

function compiled(matcher: Matcher): (value: string) => boolean {
  try {
    const test = compileMatcher(matcher);
    return (value) => test.matches(value);
  } catch (error) {
    throw new StoreError('bad_query', (error as Error).message);
  }
}
