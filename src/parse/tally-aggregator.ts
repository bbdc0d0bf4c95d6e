import type { Aggregator, Cell, Feed } from '../model/aggregator.ts';
import type { MetricDescriptor } from '../model/series.ts';
import { ValueFeed } from './value-feed.ts';

/** One series as the tally has it. */
export interface TalliedSeries {
  readonly descriptor: MetricDescriptor;
  readonly labels: readonly (readonly [name: string, value: string])[];
  /** Counter, gauge: the value. Histogram and pair: the sum. Unique: how many. */
  readonly value: number;
  /** Histogram and pair: observations. */
  readonly count: number;
}

/** Adds up in plain maps what a scanner feeds, without limits, time or encoding: for `test`, `try` and `detect`. */
export class TallyAggregator implements Aggregator {
  readonly #feeds: TallyFeed[] = [];

  feed(descriptor: MetricDescriptor): Feed {
    const feed = new TallyFeed(descriptor);
    this.#feeds.push(feed);
    return feed;
  }

  drain(): Uint8Array {
    return new Uint8Array(0);
  }

  series(): TalliedSeries[] {
    return this.#feeds.flatMap((feed) => feed.series());
  }

  /** Sorted lines of Prometheus's text format; of histograms and pairs `_count` and `_sum` only. */
  text(): string {
    return this.series().flatMap(seriesLines).toSorted().join('\n');
  }
}

class TallyFeed extends ValueFeed {
  readonly #descriptor: MetricDescriptor;
  readonly #cells = new Map<string, TallyCell>();

  constructor(descriptor: MetricDescriptor) {
    super();
    this.#descriptor = descriptor;
  }

  cell(values: readonly string[]): Cell {
    const key = JSON.stringify(values);
    let cell = this.#cells.get(key);
    if (cell === undefined) this.#cells.set(key, (cell = new TallyCell(values)));
    return cell;
  }

  series(): TalliedSeries[] {
    const descriptor = this.#descriptor;
    return [...this.#cells.values()].map((cell) => ({
      descriptor,
      labels: descriptor.labelNames
        .map((name, i) => [name, cell.labels[i] ?? ''] as const)
        .filter(([, value]) => value !== ''),
      value: descriptor.type === 'unique' ? cell.distinct.size : cell.value,
      count: cell.count,
    }));
  }
}

class TallyCell implements Cell {
  readonly labels: readonly string[];
  readonly distinct = new Set<string>();
  readonly #started = new Map<string, number>();
  value = 0;
  count = 0;

  constructor(labels: readonly string[]) {
    this.labels = labels;
  }

  add(amount: number): void {
    if (amount >= 0 && Number.isFinite(amount)) this.value += amount;
  }
  set(value: number): void {
    if (!Number.isFinite(value)) return;
    this.value = value;
  }
  observe(value: number): void {
    if (!Number.isFinite(value)) return;
    this.value += value;
    this.count++;
  }
  observeAll(counts: ArrayLike<number>, sum: number): void {
    this.value += sum;
    this.count += Array.from(counts).reduce((total, count) => total + count, 0);
  }
  unique(value: string): void {
    this.distinct.add(value);
  }
  start(key: string, timeMs: number): void {
    this.#started.set(key, timeMs);
  }
  end(key: string, timeMs: number): void {
    const started = this.#started.get(key);
    if (started === undefined) return;
    this.#started.delete(key);
    this.observe(Math.max(0, timeMs - started) / 1000);
  }
}

function seriesLines({ descriptor, labels, value, count }: TalliedSeries): string[] {
  const inner = labels
    .map(([name, text]) => `${name}="${escapeLabel(text)}"`)
    .toSorted()
    .join(',');
  const suffix = inner === '' ? '' : `{${inner}}`;
  if (descriptor.type === 'histogram' || descriptor.type === 'pair') {
    if (count === 0) return [];
    return [
      `${descriptor.name}_count${suffix} ${count}`,
      `${descriptor.name}_sum${suffix} ${sampleValue(value)}`,
    ];
  }
  return [`${descriptor.name}${suffix} ${sampleValue(value)}`];
}

/** Sums of binary fractions differ in their last digits by the order of adding; twelve digits do not. */
function sampleValue(value: number): string {
  return Number.isFinite(value)
    ? String(Number(value.toPrecision(12)))
    : value > 0
      ? '+Inf'
      : value < 0
        ? '-Inf'
        : 'NaN';
}

function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
