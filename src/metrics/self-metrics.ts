import type { Labels } from '../model/series.ts';
import { formatLabels } from './series-family.ts';
import type { SeriesFamily, SeriesView } from './series-family.ts';

export interface SelfCounter {
  add(amount?: number, labels?: Labels): void;
}

/** Values that are read when they are asked for. */
export type ReadValues = () => number | Iterable<readonly [Labels, number]>;

interface SelfMetric {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly read: ReadValues;
}

/** Metrics about ourselves, all with names that begin with `taffrail_`. Not durable: they begin at zero with the process. */
export class SelfMetrics {
  readonly #metrics = new Map<string, SelfMetric>();
  readonly #startedMs: number;

  constructor(startedMs: number) {
    this.#startedMs = startedMs;
  }

  /** A counter that we add to. Without labels it is there, at zero, from the beginning. */
  counter(name: string, help: string): SelfCounter {
    const cells = new Map<string, { labels: Labels; value: number }>();
    let plain: number | undefined;
    this.#define({
      name,
      type: 'counter',
      help,
      read: () => (cells.size === 0 ? (plain ?? 0) : withPlain(cells, plain)),
    });
    return {
      add(amount = 1, labels) {
        if (labels === undefined) {
          plain = (plain ?? 0) + amount;
          return;
        }
        const key = formatLabels(labels);
        const cell = cells.get(key);
        if (cell === undefined) cells.set(key, { labels, value: amount });
        else cell.value += amount;
      },
    };
  }

  /** A counter that someone else keeps. */
  counterFrom(name: string, help: string, read: ReadValues): void {
    this.#define({ name, type: 'counter', help, read });
  }

  gauge(name: string, help: string, read: ReadValues): void {
    this.#define({ name, type: 'gauge', help, read });
  }

  #define(metric: SelfMetric): void {
    if (!metric.name.startsWith('taffrail_'))
      throw new Error(`bug: own metric ${metric.name} must begin with taffrail_`);
    if ((metric.type === 'counter') !== metric.name.endsWith('_total')) {
      throw new Error(
        `bug: own metric ${metric.name} is a ${metric.type}; counters and only they end in _total`,
      );
    }
    if (this.#metrics.has(metric.name)) throw new Error(`bug: own metric ${metric.name} is defined twice`);
    this.#metrics.set(metric.name, metric);
  }

  /** In the order of their names. */
  collect(): readonly SeriesFamily[] {
    const metrics = [...this.#metrics.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    return metrics
      .map(({ name, type, help, read }) => ({ name, type, help, unit: '', series: this.#views(read()) }))
      .filter((family) => family.series.length > 0);
  }

  #views(values: ReturnType<ReadValues>): SeriesView[] {
    const pairs: Iterable<readonly [Labels, number]> = typeof values === 'number' ? [[{}, values]] : values;
    return Array.from(pairs, ([labels, value]) => ({
      labels,
      labelText: formatLabels(labels),
      createdMs: this.#startedMs,
      value,
      histogram: undefined,
    }));
  }
}

function withPlain(
  cells: ReadonlyMap<string, { readonly labels: Labels; readonly value: number }>,
  plain: number | undefined,
): [Labels, number][] {
  const values = Array.from(cells.values(), ({ labels, value }): [Labels, number] => [labels, value]);
  return plain === undefined ? values : [[{}, plain], ...values];
}
