import { bucketOf } from '../../metrics/cells.ts';
import { REGISTERS, distinctHash, estimateDistinct } from '../../metrics/distinct.ts';
import type { Aggregator, Cell, Feed } from '../../model/aggregator.ts';
import type { MetricDescriptor } from '../../model/series.ts';
import { ValueFeed } from '../../parse/value-feed.ts';

/** What one series gained in one step. */
interface Gain {
  value: number;
  count: number;
  readonly buckets: Map<number, number>;
  readonly ranks: Map<number, number>;
}

/** A series with its value as of the last step that was taken. */
export interface HistorySeries {
  readonly descriptor: MetricDescriptor;
  readonly labels: readonly string[];
  value: number;
  count: number;
  readonly buckets: number[];
  readonly registers: Uint8Array;
  /** The step of the last sample written, for the writer; -1 before the first. */
  writtenStep: number;
}

/** The step of what came before the first time stamp; it joins the first step that has one. */
const UNDATED = -1;
const PAIR_STARTS_MAX = 100_000;

/**
 * Keeps what lines give by the step of their time, until all files have passed that step. Lines that come after
 * their step was taken count in the first that was not.
 */
export class HistoryAggregator implements Aggregator {
  readonly #stepMs: number;
  readonly #feeds = new Map<string, HistoryFeed>();
  readonly #pending = new Map<number, Map<HistorySeries, Gain>>();
  #taken = -Infinity;
  late = 0;
  /** Where lines without a readable time go: the time of the line before. */
  fallbackMs = 0;

  constructor(stepMs: number) {
    this.#stepMs = stepMs;
  }

  /** One for all files: a metric goes on from one to the next. */
  feed(descriptor: MetricDescriptor): Feed {
    let feed = this.#feeds.get(descriptor.name);
    if (feed === undefined) this.#feeds.set(descriptor.name, (feed = new HistoryFeed(descriptor, this)));
    return feed;
  }

  drain(): Uint8Array {
    return new Uint8Array(0);
  }

  gain(series: HistorySeries, timeMs: number): Gain {
    // A whole number is the time of a line; the clock that was given has a fraction (see run-backfill.ts).
    if (Number.isInteger(timeMs) && timeMs > 0) this.fallbackMs = timeMs;
    let step = this.fallbackMs === 0 ? UNDATED : Math.floor(this.fallbackMs / this.#stepMs) + 1;
    if (step !== UNDATED && step <= this.#taken) {
      this.late++;
      step = this.#taken + 1;
    }
    let gains = this.#pending.get(step);
    if (gains === undefined) this.#pending.set(step, (gains = new Map()));
    let gain = gains.get(series);
    if (gain === undefined)
      gains.set(
        series,
        (gain = {
          value: series.descriptor.type === 'gauge' ? Number.NaN : 0,
          count: 0,
          buckets: new Map(),
          ranks: new Map(),
        }),
      );
    return gain;
  }

  /** The steps up to `untilMs`, in order, each with the series that changed in it. */
  *take(untilMs: number): Generator<{
    readonly step: number;
    readonly changed: readonly HistorySeries[];
    readonly before: ReadonlyMap<HistorySeries, HistorySeries>;
  }> {
    const until = untilMs === Infinity ? Infinity : Math.floor(untilMs / this.#stepMs);
    const steps = [...this.#pending.keys()]
      .filter((step) => step <= until && step !== UNDATED)
      .toSorted((a, b) => a - b);
    if (steps[0] !== undefined) this.#dateUndated(steps[0]);
    for (const step of steps) {
      const gains = this.#pending.get(step)!;
      this.#pending.delete(step);
      this.#taken = step;
      const before = new Map<HistorySeries, HistorySeries>();
      for (const [series, gain] of gains) {
        before.set(series, { ...series, buckets: [...series.buckets] });
        apply(series, gain);
      }
      yield { step, changed: [...gains.keys()], before };
    }
  }

  #dateUndated(step: number): void {
    const undated = this.#pending.get(UNDATED);
    if (undated === undefined) return;
    this.#pending.delete(UNDATED);
    const gains = this.#pending.get(step)!;
    for (const [series, gain] of undated) {
      const dated = gains.get(series);
      if (dated === undefined) gains.set(series, gain);
      // A gauge keeps what came later.
      else if (series.descriptor.type !== 'gauge') merge(dated, gain);
    }
  }
}

function merge(into: Gain, gain: Gain): void {
  into.value += gain.value;
  into.count += gain.count;
  for (const [bucket, count] of gain.buckets)
    into.buckets.set(bucket, (into.buckets.get(bucket) ?? 0) + count);
  for (const [register, rank] of gain.ranks)
    into.ranks.set(register, Math.max(into.ranks.get(register) ?? 0, rank));
}

function apply(series: HistorySeries, gain: Gain): void {
  const { type } = series.descriptor;
  if (type === 'gauge') series.value = gain.value;
  else if (type === 'unique') {
    for (const [register, rank] of gain.ranks)
      series.registers[register] = Math.max(series.registers[register]!, rank);
    series.value = estimateDistinct(series.registers);
  } else series.value += gain.value;
  series.count += gain.count;
  for (const [bucket, count] of gain.buckets) series.buckets[bucket]! += count;
}

class HistoryFeed extends ValueFeed {
  readonly #descriptor: MetricDescriptor;
  readonly #aggregator: HistoryAggregator;
  readonly #cells = new Map<string, HistoryCell>();
  readonly #started = new Map<string, number>();

  constructor(descriptor: MetricDescriptor, aggregator: HistoryAggregator) {
    super();
    this.#descriptor = descriptor;
    this.#aggregator = aggregator;
  }

  cell(values: readonly string[]): Cell {
    const key = JSON.stringify(values);
    const known = this.#cells.get(key);
    if (known !== undefined) return known;
    const { labelNames, maxSeries } = this.#descriptor;
    const isFull = this.#cells.size >= maxSeries && labelNames.length > 0;
    if (isFull && values.some((value) => value !== 'other')) return this.cell(labelNames.map(() => 'other'));
    // A label is a slice of a block of the file, which it would keep in memory.
    const labels = values.map((value) => Buffer.from(value).toString());
    const cell = new HistoryCell(newSeries(this.#descriptor, labels), this.#aggregator, this.#started);
    this.#cells.set(JSON.stringify(labels), cell);
    return cell;
  }
}

function newSeries(descriptor: MetricDescriptor, labels: readonly string[]): HistorySeries {
  return {
    descriptor,
    labels,
    value: 0,
    count: 0,
    buckets: Array.from({ length: (descriptor.buckets?.length ?? 0) + 1 }, () => 0),
    registers: new Uint8Array(descriptor.type === 'unique' ? REGISTERS : 0),
    writtenStep: -1,
  };
}

class HistoryCell implements Cell {
  readonly #series: HistorySeries;
  readonly #aggregator: HistoryAggregator;
  readonly #started: Map<string, number>;

  constructor(series: HistorySeries, aggregator: HistoryAggregator, started: Map<string, number>) {
    this.#series = series;
    this.#aggregator = aggregator;
    this.#started = started;
  }

  add(amount: number, timeMs: number): void {
    if (amount >= 0 && Number.isFinite(amount)) this.#aggregator.gain(this.#series, timeMs).value += amount;
  }
  set(value: number, timeMs: number): void {
    this.#aggregator.gain(this.#series, timeMs).value = value;
  }
  observe(value: number, timeMs: number): void {
    if (!Number.isFinite(value)) return;
    const gain = this.#aggregator.gain(this.#series, timeMs);
    const bucket = bucketOf(this.#series.descriptor.buckets ?? [], value);
    gain.value += value;
    gain.count++;
    gain.buckets.set(bucket, (gain.buckets.get(bucket) ?? 0) + 1);
  }
  observeAll(counts: ArrayLike<number>, sum: number, timeMs: number): void {
    const gain = this.#aggregator.gain(this.#series, timeMs);
    gain.value += sum;
    for (let bucket = 0; bucket < counts.length; bucket++) {
      gain.count += counts[bucket]!;
      gain.buckets.set(bucket, (gain.buckets.get(bucket) ?? 0) + counts[bucket]!);
    }
  }
  unique(value: string): void {
    const hash = distinctHash(value);
    const { ranks } = this.#aggregator.gain(this.#series, 0);
    ranks.set(hash >>> 6, Math.max(ranks.get(hash >>> 6) ?? 0, hash & 63));
  }
  start(key: string, timeMs: number): void {
    this.#started.delete(key);
    this.#started.set(Buffer.from(key).toString(), timeMs);
    if (this.#started.size > PAIR_STARTS_MAX) this.#started.delete(this.#started.keys().next().value!);
  }
  end(key: string, timeMs: number): void {
    const started = this.#started.get(key);
    if (started === undefined) return;
    this.#started.delete(key);
    this.observe(Math.max(0, timeMs - started) / 1000, timeMs);
  }
}
