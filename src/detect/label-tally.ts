import type { Aggregator, Cell, Feed } from '../model/aggregator.ts';
import type { MetricDescriptor } from '../model/series.ts';
import { ValueFeed } from '../parse/value-feed.ts';

/** What a metric would be: its series, estimated for the whole file, and what its labels hold. */
export interface MetricEstimate {
  readonly name: string;
  readonly type: MetricDescriptor['type'];
  readonly series: number;
  /** Whether `series` was seen whole, or is an estimate from a sample. */
  readonly exact: boolean;
  readonly labels: readonly LabelEstimate[];
}

export interface LabelEstimate {
  readonly name: string;
  readonly values: number;
  /** The most frequent values with their counts. */
  readonly top: readonly (readonly [value: string, count: number])[];
}

const TOP = 5;

/** Counts label sets and label values; adds up nothing. */
export class LabelTally implements Aggregator {
  readonly #feeds: LabelFeed[] = [];

  feed(descriptor: MetricDescriptor): Feed {
    const feed = new LabelFeed(descriptor);
    this.#feeds.push(feed);
    return feed;
  }

  drain(): Uint8Array {
    return new Uint8Array(0);
  }

  reset(): void {
    for (const feed of this.#feeds) feed.reset();
  }

  /** How many events gave a metric something. */
  get fed(): number {
    return this.#feeds.reduce((sum, feed) => sum + feed.fed, 0);
  }

  /** `share`: how much of the file the sample is, up to 1. */
  estimates(share: number): readonly MetricEstimate[] {
    return this.#feeds.filter((feed) => feed.fed > 0).map((feed) => feed.estimate(share));
  }
}

class LabelFeed extends ValueFeed {
  readonly #descriptor: MetricDescriptor;
  readonly #sets = new Map<string, number>();
  readonly #values: readonly Map<string, number>[];
  fed = 0;

  constructor(descriptor: MetricDescriptor) {
    super();
    this.#descriptor = descriptor;
    this.#values = descriptor.labelNames.map(() => new Map());
  }

  reset(): void {
    this.fed = 0;
    this.#sets.clear();
    for (const values of this.#values) values.clear();
  }

  cell(values: readonly string[]): Cell {
    this.fed++;
    count(this.#sets, JSON.stringify(values));
    for (const [i, value] of values.entries()) if (value !== '') count(this.#values[i]!, value);
    return nothing;
  }

  estimate(share: number): MetricEstimate {
    const { name, type, labelNames, buckets } = this.#descriptor;
    const sets = estimateDistinct(this.#sets, share);
    // A histogram is a series for each bucket, and three more.
    const each = type === 'histogram' || type === 'pair' ? (buckets?.length ?? 0) + 3 : 1;
    return {
      name,
      type,
      series: sets * each,
      exact: share >= 1,
      labels: labelNames.map((label, i) => ({
        name: label,
        values: estimateDistinct(this.#values[i]!, share),
        top: [...this.#values[i]!].toSorted((a, b) => b[1] - a[1]).slice(0, TOP),
      })),
    };
  }
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/**
 * Chao's estimate of how many kinds there are, from how many were seen once and twice; no more than if every other line of
 * the file held as many new ones.
 */
function estimateDistinct(counts: ReadonlyMap<string, number>, share: number): number {
  const seen = counts.size;
  if (share >= 1 || seen === 0) return seen;
  let once = 0;
  let twice = 0;
  for (const times of counts.values()) {
    if (times === 1) once++;
    if (times === 2) twice++;
  }
  const unseen = (once * (once - 1)) / (2 * (twice + 1));
  return Math.round(Math.min(seen + unseen, seen / share));
}

const nothing: Cell = {
  add() {},
  set() {},
  observe() {},
  observeAll() {},
  unique() {},
  start() {},
  end() {},
};
