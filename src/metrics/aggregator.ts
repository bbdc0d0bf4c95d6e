import type { Aggregator, Cell, Feed } from '../model/aggregator.ts';
import { ByteWriter } from '../model/byte-writer.ts';
import type { Labels, MetricDescriptor } from '../model/series.ts';
import { CounterCell, GaugeCell, HistogramCell, PairCell, UniqueCell } from './cells.ts';
import type { AggregatorCell, CellOwner } from './cells.ts';
import { DELTA_VERSION, encodeDescriptor } from './delta-codec.ts';

/** Interned label sets beyond this many are forgotten at the next drain; they come back as they are needed. */
const MAX_CELLS = 50_000;
/** A pair's key is kept while it is open, so a hostile line must not make it large. */
const MAX_PAIR_KEY = 256;

export function createAggregator(): Aggregator {
  return new DeltaAggregator();
}

class DeltaAggregator implements Aggregator {
  readonly #feeds: MetricFeed[] = [];
  readonly #out = new ByteWriter(16 * 1024);

  feed(descriptor: MetricDescriptor, shared: readonly string[] = []): Feed {
    const feed = new MetricFeed(withAscendingBuckets(descriptor), shared);
    this.#feeds.push(feed);
    return feed;
  }

  drain(shared: Labels = {}): Uint8Array {
    const out = this.#out;
    out.length = 0;
    let cells = 0;
    for (const feed of this.#feeds) {
      feed.flush(out, shared);
      cells += feed.cells;
    }
    if (cells > MAX_CELLS) for (const feed of this.#feeds) feed.forget();
    return out.copy();
  }
}

/** Bounds in any order, or twice, mean the same buckets; +Inf is always there and is not listed. */
function withAscendingBuckets(descriptor: MetricDescriptor): MetricDescriptor {
  if (descriptor.buckets === undefined) return descriptor;
  const buckets = [...new Set(descriptor.buckets.filter(Number.isFinite))].sort((a, b) => a - b);
  return { ...descriptor, buckets };
}

type Level = Map<string, AggregatorCell | Level>;

class MetricFeed implements Feed, CellOwner {
  readonly dirty: AggregatorCell[] = [];
  ignored = 0;
  cells = 0;
  readonly #descriptor: MetricDescriptor;
  readonly #descriptorText: string;
  /** Names of the last labels, whose values come with a flush. */
  readonly #shared: readonly string[];
  /** A map per label, in the order of the labels; the last one holds cells. */
  readonly #root: Level = new Map();
  #single: AggregatorCell | undefined;
  #events: { cell: PairCell; kind: 0 | 1; key: string; timeMs: number }[] = [];

  constructor(descriptor: MetricDescriptor, shared: readonly string[]) {
    this.#descriptor = descriptor;
    this.#shared = shared;
    this.#descriptorText = encodeDescriptor(descriptor);
  }

  cell0(): Cell {
    return (this.#single ??= this.#create([]));
  }

  cell1(a: string): Cell {
    return (this.#root.get(a) as AggregatorCell | undefined) ?? this.#intern([a]);
  }

  cell2(a: string, b: string): Cell {
    const level = this.#root.get(a) as Level | undefined;
    return (level?.get(b) as AggregatorCell | undefined) ?? this.#intern([a, b]);
  }

  cell3(a: string, b: string, c: string): Cell {
    const first = this.#root.get(a) as Level | undefined;
    if (first !== undefined) {
      const second = first.get(b) as Level | undefined;
      if (second !== undefined) {
        const cell = second.get(c) as AggregatorCell | undefined;
        if (cell !== undefined) return cell;
      }
    }
    return this.#intern([a, b, c]);
  }

  cell(values: readonly string[]): Cell {
    if (values.length === 0) return this.cell0();
    let node: AggregatorCell | Level | undefined = this.#root;
    for (const value of values) {
      node = (node as Level).get(value);
      if (node === undefined) return this.#intern(values);
    }
    return node as AggregatorCell;
  }

  /** The way of a label set that is new here. */
  #intern(values: readonly string[]): AggregatorCell {
    const own = values.map(unshared);
    let level = this.#root;
    for (const value of own.slice(0, -1)) {
      let next = level.get(value) as Level | undefined;
      if (next === undefined) level.set(value, (next = new Map()));
      level = next;
    }
    const last = own[own.length - 1]!;
    let cell = level.get(last) as AggregatorCell | undefined;
    if (cell === undefined) level.set(last, (cell = this.#create(own)));
    return cell;
  }

  #create(values: readonly string[]): AggregatorCell {
    const { type, labelNames, buckets, name } = this.#descriptor;
    const own = labelNames.length - this.#shared.length;
    if (values.length !== own) {
      throw new Error(`bug: metric ${name} has ${own} labels, fed with ${values.length}`);
    }
    this.cells++;
    switch (type) {
      case 'counter':
        return new CounterCell(this, values);
      case 'gauge':
        return new GaugeCell(this, values);
      case 'histogram':
        return new HistogramCell(this, values, buckets ?? []);
      case 'unique':
        return new UniqueCell(this, values);
      case 'pair':
        return new PairCell(this, values);
    }
  }

  event(cell: AggregatorCell, kind: 0 | 1, key: string, timeMs: number): void {
    const short = unshared(key.length > MAX_PAIR_KEY ? key.slice(0, MAX_PAIR_KEY) : key);
    const time = timeMs > 0 && timeMs <= Number.MAX_SAFE_INTEGER ? Math.floor(timeMs) : 0;
    this.#events.push({ cell: cell as PairCell, kind, key: short, timeMs: time });
  }

  flush(out: ByteWriter, labels: Labels): void {
    if (this.dirty.length === 0 && this.ignored === 0) return;
    if (out.length === 0) out.uint8(DELTA_VERSION);
    out.string(this.#descriptorText);
    out.varint(this.ignored);
    out.varint(this.dirty.length);
    const shared = this.#shared.map((name) => labels[name] ?? '');
    for (let i = 0; i < this.dirty.length; i++) {
      const cell = this.dirty[i]!;
      cell.writeLabels(out, shared);
      cell.flush(out);
      cell.dirty = false;
      if (cell instanceof PairCell) cell.index = i;
    }
    if (this.#descriptor.type === 'pair') this.#flushEvents(out);
    this.dirty.length = 0;
    this.ignored = 0;
  }

  #flushEvents(out: ByteWriter): void {
    out.varint(this.#events.length);
    for (const { cell, kind, key, timeMs } of this.#events) {
      out.varint(cell.index);
      out.uint8(kind);
      out.varint(timeMs);
      out.string(key);
    }
    this.#events = [];
  }

  forget(): void {
    this.#root.clear();
    this.#single = undefined;
    this.cells = 0;
  }
}

/** Values are cut from a chunk, and V8 keeps the whole chunk alive for a slice of 13 characters or more: make it a copy. */
function unshared(value: string): string {
  return value.length < 13 ? value : Buffer.from(value).toString();
}
