import type { ByteWriter } from '../model/byte-writer.ts';
import type { Cell } from '../model/aggregator.ts';
import { writeLabelValues } from './delta-codec.ts';
import { distinctHash } from './distinct.ts';

/** What a cell tells its feed. */
export interface CellOwner {
  /** Cells written to since the last drain. */
  readonly dirty: AggregatorCell[];
  /** Amounts that cannot be added. */
  ignored: number;
  event(cell: AggregatorCell, kind: 0 | 1, key: string, timeMs: number): void;
}

/** One label set of one metric: collects until the next drain. Calling a method of another metric type is a bug. */
export abstract class AggregatorCell implements Cell {
  protected readonly owner: CellOwner;
  dirty = false;
  readonly #values: readonly string[];
  /** The label values as they go into deltas; kept from the second time on, because in an explosion of label sets there is none. */
  #labelBytes: Uint8Array | undefined;
  #wasWritten = false;

  constructor(owner: CellOwner, values: readonly string[]) {
    this.owner = owner;
    this.#values = values;
  }

  /** `more`: values of the labels behind its own. */
  writeLabels(writer: ByteWriter, more: readonly string[]): void {
    if (more.length > 0) {
      const start = writer.beginSized();
      writeLabelValues(writer, this.#values);
      writeLabelValues(writer, more);
      writer.endSized(start);
      return;
    }
    if (this.#labelBytes !== undefined) {
      writer.raw(this.#labelBytes);
      return;
    }
    const from = writer.length;
    const start = writer.beginSized();
    writeLabelValues(writer, this.#values);
    writer.endSized(start);
    if (this.#wasWritten)
      this.#labelBytes = Uint8Array.prototype.slice.call(writer.bytes, from, writer.length);
    this.#wasWritten = true;
  }

  /** Writes what came since the last drain, and forgets it. */
  abstract flush(writer: ByteWriter): void;

  protected touch(): void {
    if (this.dirty) return;
    this.dirty = true;
    this.owner.dirty.push(this);
  }

  add(_amount: number, _timeMs: number): void {
    throw new Error('bug: only a counter can add');
  }
  set(_value: number, _timeMs: number): void {
    throw new Error('bug: only a gauge can be set');
  }
  observe(_value: number, _timeMs: number): void {
    throw new Error('bug: only a histogram observes');
  }
  observeAll(_counts: ArrayLike<number>, _sum: number, _timeMs: number): void {
    throw new Error('bug: only a histogram observes');
  }
  unique(_value: string): void {
    throw new Error('bug: only a unique metric counts distinct values');
  }
  start(_key: string, _timeMs: number): void {
    throw new Error('bug: only a pair starts');
  }
  end(_key: string, _timeMs: number): void {
    throw new Error('bug: only a pair ends');
  }
}

export class CounterCell extends AggregatorCell {
  #sum = 0;

  override add(amount: number): void {
    if (amount >= 0 && amount < Infinity) {
      this.#sum += amount;
      if (!this.dirty) this.touch();
    } else this.owner.ignored++;
  }

  flush(writer: ByteWriter): void {
    writer.double(this.#sum);
    this.#sum = 0;
  }
}

export class GaugeCell extends AggregatorCell {
  #value = 0;

  /** What is no number, or beyond the largest (`Infinity`, `1e309`), is ignored and counted. */
  override set(value: number): void {
    if (!Number.isFinite(value)) {
      this.owner.ignored++;
      return;
    }
    this.#value = value;
    this.touch();
  }

  flush(writer: ByteWriter): void {
    writer.double(this.#value);
  }
}

export class HistogramCell extends AggregatorCell {
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;
  #count = 0;

  constructor(owner: CellOwner, values: readonly string[], bounds: readonly number[]) {
    super(owner, values);
    this.#bounds = bounds;
    this.#counts = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  override observe(value: number): void {
    if (!Number.isFinite(value)) {
      this.owner.ignored++;
      return;
    }
    const bucket = bucketOf(this.#bounds, value);
    this.#counts[bucket] = this.#counts[bucket]! + 1;
    this.#sum += value;
    this.#count++;
    if (!this.dirty) this.touch();
  }

  override observeAll(counts: ArrayLike<number>, sum: number): void {
    for (let i = 0; i < this.#counts.length; i++) {
      this.#counts[i] = this.#counts[i]! + counts[i]!;
      this.#count += counts[i]!;
    }
    this.#sum += sum;
    if (!this.dirty) this.touch();
  }

  flush(writer: ByteWriter): void {
    const counts = this.#counts;
    writer.double(this.#sum);
    writer.varint(this.#count);
    writer.varint(counts.reduce((filled, count) => (count > 0 ? filled + 1 : filled), 0));
    for (let i = 0; i < counts.length; i++) {
      if (counts[i] === 0) continue;
      writer.varint(i);
      writer.varint(counts[i]!);
    }
    counts.fill(0);
    this.#sum = 0;
    this.#count = 0;
  }
}

/** The first bucket whose upper bound is at least the value; one past the last for +Inf. */
export function bucketOf(bounds: readonly number[], value: number): number {
  let low = 0;
  let high = bounds.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (value <= bounds[middle]!) high = middle;
    else low = middle + 1;
  }
  return low;
}

export class UniqueCell extends AggregatorCell {
  /** Register to the highest rank seen. */
  readonly #ranks = new Map<number, number>();

  override unique(value: string): void {
    const hash = distinctHash(value);
    const register = hash >>> 6;
    const rank = hash & 63;
    if ((this.#ranks.get(register) ?? 0) < rank) this.#ranks.set(register, rank);
    this.touch();
  }

  flush(writer: ByteWriter): void {
    writer.varint(this.#ranks.size);
    for (const [register, rank] of this.#ranks) writer.varint(register * 64 + rank);
    this.#ranks.clear();
  }
}

export class PairCell extends AggregatorCell {
  /** Place among the cells of the drain under way. */
  index = 0;

  override start(key: string, timeMs: number): void {
    this.touch();
    this.owner.event(this, 0, key, timeMs);
  }

  override end(key: string, timeMs: number): void {
    this.touch();
    this.owner.event(this, 1, key, timeMs);
  }

  flush(): void {
    // Its events keep their order across cells, so the feed writes them.
  }
}
