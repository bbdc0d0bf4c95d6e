import type { Labels, Matcher, MetricType, Queryable, SeriesData } from '../model/series.ts';
import { compileMatchers } from './matcher.ts';
import { Metric } from './metric.ts';

export interface RingStoreOptions {
  /** How many ticks are kept; with a tick of 15 s, 241 keep an hour. */
  readonly ticks: number;
  /** Beyond it new series are refused and counted. */
  readonly maxSeries: number;
}

export interface RingSample {
  readonly labels: Labels;
  readonly value: number;
  /** A counter that was created just now gets a 0 one tick earlier, so that increase() sees its first event. */
  readonly type?: MetricType;
  /** Whether the series began with this tick; if not said, being new to the store does not make it so. */
  readonly born?: boolean;
}

export interface AppendResult {
  readonly stored: number;
  /** Samples of series that found no room. */
  readonly refused: number;
}

interface Row {
  readonly labels: Labels;
  readonly key: string;
  readonly index: number;
  /** The columns of the first and the last sample, markers included. */
  first: number;
  last: number;
  /** Samples and markers between them, both included; fewer than columns means gaps. */
  filled: number;
  /** The row holds at least one stale marker. */
  marked: boolean;
}

const GAP = 0;
const VALUE = 1;
const STALE = 2;

const MIN_ROWS = 64;

/**
 * Recent history of this host's own series, all sampled at the same ticks, so that the times are kept once.
 *
 * One slab of values has a row for each series and a column for each tick; a side array says for each cell whether
 * it is a gap, a value or a stale marker. Columns are only ever written once, from left to right. When the last
 * column is used, what is still within `ticks` moves to a new slab: views that a running query holds into the old
 * one stay as they were.
 */
export class RingStore implements Queryable {
  readonly #ticks: number;
  readonly #maxSeries: number;
  /** A quarter more than is kept, so that the slab is renewed only that often. */
  readonly #columns: number;
  readonly #rows = new Map<string, Row>();
  readonly #byName = new Map<string, Set<Row>>();
  #freeIndexes: number[] = [];
  #usedIndexes = 0;
  #rowCapacity = MIN_ROWS;
  #times: Float64Array<ArrayBuffer>;
  #values: Float64Array<ArrayBuffer>;
  #states: Uint8Array<ArrayBuffer>;
  /** Columns in use. */
  #width = 0;
  #refusedTotal = 0;

  constructor({ ticks, maxSeries }: RingStoreOptions) {
    if (!(ticks >= 2) || !Number.isSafeInteger(ticks))
      throw new RangeError(`ticks must be a whole number from 2, got ${ticks}`);
    if (!(maxSeries >= 1)) throw new RangeError(`maxSeries must be at least 1, got ${maxSeries}`);
    this.#ticks = ticks;
    this.#maxSeries = maxSeries;
    this.#columns = ticks + Math.max(4, Math.ceil(ticks / 4));
    this.#times = new Float64Array(this.#columns);
    this.#values = new Float64Array(this.#rowCapacity * this.#columns);
    this.#states = new Uint8Array(this.#rowCapacity * this.#columns);
  }

  get seriesCount(): number {
    return this.#rows.size;
  }

  /** Samples refused for want of room since the store was made. */
  get refusedTotal(): number {
    return this.#refusedTotal;
  }

  /** From the oldest tick kept to the newest; 0 before there are two. */
  get retentionMs(): number {
    const oldest = this.#oldestColumn();
    return this.#width < 2 ? 0 : this.#times[this.#width - 1]! - this.#times[oldest]!;
  }

  /**
   * Adds one tick, later than any before. Callers that pass the same labels object at each tick spare the work of
   * recognising the series. Series that had a sample at the last tick and are not among these get a
   * stale marker.
   */
  append(timeMs: number, samples: Iterable<RingSample>): AppendResult {
    if (this.#width > 0 && timeMs <= this.#times[this.#width - 1]!) {
      throw new RangeError(`tick ${timeMs} is not after the last one, ${this.#times[this.#width - 1]!}`);
    }
    if (this.#width === this.#columns) this.#renew(this.#rowCapacity);
    const column = this.#width++;
    this.#times[column] = timeMs;
    let stored = 0;
    let refused = 0;
    for (const sample of samples) {
      if (this.#store(sample, column)) stored++;
      else refused++;
    }
    this.#refusedTotal += refused;
    this.#markVanished(column);
    return { stored, refused };
  }

  /** Forgets everything: for a clock that was set back, after which no tick would be later than the last. */
  clear(): void {
    this.#rows.clear();
    this.#byName.clear();
    this.#freeIndexes = [];
    this.#usedIndexes = 0;
    this.#width = 0;
    this.#rowCapacity = MIN_ROWS;
    // Running queries hold views into the old ones.
    this.#times = new Float64Array(this.#columns);
    this.#values = new Float64Array(this.#rowCapacity * this.#columns);
    this.#states = new Uint8Array(this.#rowCapacity * this.#columns);
  }

  /** Fills one tick's sample; a second one of the same series at the same tick is ignored. */
  #store(sample: RingSample, column: number): boolean {
    const { key } = Metric.of(sample.labels);
    let row = this.#rows.get(key);
    if (row === undefined) {
      row = this.#create(key, sample.labels, column);
      if (row === undefined) return false;
    }
    const returned = row.filled === 0 || this.#states[this.#cell(row, row.last)] === STALE;
    if (returned && sample.type === 'counter' && sample.born === true) this.#writeZeroBefore(row, column);
    if (row.last !== column || row.filled === 0) this.#write(row, column, VALUE, sample.value);
    return true;
  }

  #writeZeroBefore(row: Row, column: number): void {
    const before = column - 1;
    if (before < 0 || (row.filled > 0 && row.last >= before)) return;
    this.#write(row, before, VALUE, 0);
  }

  #write(row: Row, column: number, state: number, value: number): void {
    const cell = this.#cell(row, column);
    this.#states[cell] = state;
    this.#values[cell] = value;
    if (row.filled === 0) row.first = column;
    row.last = column;
    row.filled++;
    if (state === STALE) row.marked = true;
  }

  #markVanished(column: number): void {
    const oldest = this.#oldestColumn();
    for (const row of this.#rows.values()) {
      if (row.last === column - 1 && this.#states[this.#cell(row, row.last)] === VALUE) {
        this.#write(row, column, STALE, Number.NaN);
      } else if (row.last < oldest) {
        this.#forget(row);
      }
    }
  }

  #create(key: string, labels: Labels, column: number): Row | undefined {
    if (this.#rows.size >= this.#maxSeries) return undefined;
    const index = this.#freeIndexes.pop() ?? this.#usedIndexes++;
    if (index >= this.#rowCapacity)
      this.#renew(Math.min(this.#maxSeries, this.#rowCapacity * 2), this.#width);
    const row: Row = { labels, key, index, first: column, last: column, filled: 0, marked: false };
    this.#rows.set(key, row);
    const name = labels['__name__'] ?? '';
    const named = this.#byName.get(name);
    if (named === undefined) this.#byName.set(name, new Set([row]));
    else named.add(row);
    return row;
  }

  #forget(row: Row): void {
    this.#rows.delete(row.key);
    const name = row.labels['__name__'] ?? '';
    const named = this.#byName.get(name)!;
    named.delete(row);
    if (named.size === 0) this.#byName.delete(name);
    const start = this.#cell(row, 0);
    this.#states.fill(GAP, start, start + this.#columns);
    this.#freeIndexes.push(row.index);
  }

  #cell(row: Row, column: number): number {
    return row.index * this.#columns + column;
  }

  #oldestColumn(): number {
    return Math.max(0, this.#width - this.#ticks);
  }

  /** Moves the newest columns to the left of a new slab with room for so many rows. */
  #renew(rowCapacity: number, keep = this.#ticks - 1): void {
    const from = Math.max(0, this.#width - keep);
    const values = new Float64Array(rowCapacity * this.#columns);
    const states = new Uint8Array(rowCapacity * this.#columns);
    for (const row of this.#rows.values()) {
      const source = this.#cell(row, from);
      const length = this.#width - from;
      values.set(this.#values.subarray(source, source + length), this.#cell(row, 0));
      states.set(this.#states.subarray(source, source + length), this.#cell(row, 0));
      this.#shift(row, from, states);
    }
    const times = new Float64Array(this.#columns);
    times.set(this.#times.subarray(from, this.#width));
    this.#rowCapacity = rowCapacity;
    this.#times = times;
    this.#values = values;
    this.#states = states;
    this.#width -= from;
  }

  #shift(row: Row, by: number, states: Uint8Array): void {
    if (by === 0) return;
    row.last -= by;
    row.first = Math.max(0, row.first - by);
    const start = this.#cell(row, 0);
    const kept = states.subarray(start, start + row.last + 1);
    row.filled = 0;
    row.marked = false;
    for (const state of kept) {
      if (state !== GAP) row.filled++;
      if (state === STALE) row.marked = true;
    }
    while (row.first < row.last && kept[row.first] === GAP) row.first++;
  }

  select(matchers: readonly Matcher[], fromMs: number, toMs: number): Promise<readonly SeriesData[]> {
    const fits = compileMatchers(matchers.filter((matcher) => !isExactName(matcher)));
    const name = matchers.find(isExactName);
    const rows = name === undefined ? this.#rows.values() : (this.#byName.get(name.value) ?? []);
    const otherNames = matchers.filter(isExactName).some((matcher) => matcher.value !== name?.value);
    const from = Math.max(this.#oldestColumn(), this.#columnAtOrAfter(fromMs));
    const to = this.#columnAtOrAfter(toMs + 1);
    const found: SeriesData[] = [];
    if (!otherNames && from < to) {
      for (const row of rows) {
        if (row.filled === 0 || row.last < from || row.first >= to || !fits(row.labels)) continue;
        const data = this.#read(row, Math.max(from, row.first), Math.min(to, row.last + 1));
        if (data !== undefined) found.push(data);
      }
    }
    return Promise.resolve(found);
  }

  /** Views into the slab where the row has neither gaps nor markers, else copies. */
  #read(row: Row, from: number, to: number): SeriesData | undefined {
    const { labels } = row;
    const start = this.#cell(row, from);
    const values = this.#values.subarray(start, start + to - from);
    const times = this.#times.subarray(from, to);
    const whole = !row.marked && row.filled === row.last - row.first + 1;
    if (whole) return { labels, times, values };
    const states = this.#states.subarray(start, start + to - from);
    const present = (_: number, i: number): boolean => states[i] !== GAP;
    const kept = states.filter((state) => state !== GAP);
    if (kept.length === 0) return undefined;
    const stale = kept.map((state) => (state === STALE ? 1 : 0));
    return { labels, times: times.filter(present), values: values.filter(present), stale };
  }

  #columnAtOrAfter(timeMs: number): number {
    let low = 0;
    let high = this.#width;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#times[middle]! < timeMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function isExactName(matcher: Matcher): boolean {
  return matcher.name === '__name__' && matcher.kind === '=';
}
