import type { MetricDescriptor } from '../model/series.ts';
import { DeltaDecoder, encodeDescriptor } from './delta-codec.ts';
import type { MetricDelta } from './delta-codec.ts';
import type { LiveSeries } from './live-series.ts';
import { Metric } from './metric.ts';
import { readSnapshot, writeSnapshot } from './registry-snapshot.ts';
import type { SeriesFamily, SeriesView } from './series-family.ts';

/** How often, by commit time, idle series are looked for. */
const SWEEP_MS = 10_000;
/** Ended series that wait for their stale marker; more are forgotten without one. */
const MAX_ENDED = 100_000;
const MAX_CONFLICTS = 1_000;

/** A metric that reached its limit of series. */
export interface FoldedMetric {
  readonly name: string;
  readonly source: string;
  /** Contributions that went to the series `other`. */
  readonly folded: number;
  readonly maxSeries: number;
  /** The label with the most distinct values, approximately. */
  readonly label: string;
  readonly labelValues: number;
}

/** Two sources give one name different meanings; what the later one brought is not counted. */
export interface MetricConflict {
  readonly name: string;
  readonly source: string;
  readonly message: string;
  readonly dropped: number;
}

/** What a configuration feeds. */
export interface FedLabels {
  has(descriptor: MetricDescriptor): boolean;
  /** The labels under which a metric of the same name, type and source is fed now. */
  labelsNow(descriptor: MetricDescriptor): readonly Pick<MetricDescriptor, 'constLabels' | 'labelNames'>[];
}

/** A metric that is not fed any more under the labels that it had. */
export interface UnfedMetric {
  readonly name: string;
  readonly source: string;
  /** Series that go on under other labels of the metric, since they are the same. */
  readonly kept: number;
  readonly ended: number;
}

export interface PairCounts {
  readonly name: string;
  readonly source: string;
  readonly open: number;
  readonly expired: number;
  readonly unmatched: number;
}

/**
 * All series of the agent. Its state is a function of the deltas applied, in order and with their commit times, and
 * of nothing else: applying a commit when it became durable and replaying it after a restart come to the same.
 */
export class Registry {
  readonly #decoder = new DeltaDecoder();
  /** By name, constant labels and label names: one metric of one source. */
  readonly #metrics = new Map<string, Metric>();
  /** From a descriptor's text to its metric, the common way. */
  readonly #byText = new Map<string, Metric>();
  readonly #families = new Map<string, Metric[]>();
  readonly #conflicts = new Map<string, MetricConflict>();
  #ended: LiveSeries[] = [];
  #nextSweepMs = 0;

  /** Applies what an aggregator drained. Throws RangeError, with nothing applied, on bytes that none wrote. */
  apply(deltas: Uint8Array, commitTimeMs: number): void {
    const decoded = this.#decoder.decode(deltas);
    // Further ahead than one pause: the clock was set back.
    const isAhead = this.#nextSweepMs > commitTimeMs + 2 * SWEEP_MS;
    if (commitTimeMs >= this.#nextSweepMs || isAhead) this.#sweep(commitTimeMs);
    for (const delta of decoded) this.#metricFor(delta)?.apply(delta, commitTimeMs);
  }

  #sweep(nowMs: number): void {
    this.#nextSweepMs = nowMs + SWEEP_MS;
    for (const metric of this.#metrics.values()) this.#end(metric.expire(nowMs));
  }

  #end(series: readonly LiveSeries[]): void {
    for (const one of series) if (one.sampled && this.#ended.length < MAX_ENDED) this.#ended.push(one);
  }

  #metricFor(delta: MetricDelta): Metric | undefined {
    const known = this.#byText.get(delta.descriptorText);
    if (known !== undefined) return known;
    const { descriptor } = delta;
    const slot = slotOf(descriptor);
    const before = this.#metrics.get(slot);
    if (before !== undefined && !isSameShape(before.descriptor, descriptor)) this.#remove(slot, before);
    this.#removeEmpty(descriptor);
    const clash = this.#clash(descriptor);
    if (clash !== undefined) {
      this.#countConflict(delta, clash);
      return undefined;
    }
    const metric = this.#add(slot, new Metric(descriptor, delta.descriptorText));
    if (before !== undefined && isSameShape(before.descriptor, descriptor)) metric.adopt(before);
    return metric;
  }

  #add(slot: string, metric: Metric): Metric {
    const { name } = metric.descriptor;
    const before = this.#metrics.get(slot);
    if (before !== undefined) this.#byText.delete(before.descriptorText);
    this.#metrics.set(slot, metric);
    this.#byText.set(metric.descriptorText, metric);
    const others = (this.#families.get(name) ?? []).filter((other) => other !== before);
    this.#families.set(name, [...others, metric]);
    return metric;
  }

  #remove(slot: string, metric: Metric): void {
    const { name } = metric.descriptor;
    this.#end([...metric.series.values()]);
    this.#metrics.delete(slot);
    this.#byText.delete(metric.descriptorText);
    const rest = (this.#families.get(name) ?? []).filter((other) => other !== metric);
    if (rest.length === 0) this.#families.delete(name);
    else this.#families.set(name, rest);
  }

  /** Metrics of the same name and another type stand in the way only while they have series. */
  #removeEmpty(descriptor: MetricDescriptor): void {
    const type = exposedType(descriptor);
    for (const metric of this.#families.get(descriptor.name) ?? []) {
      const isEmpty = metric.series.size === 0 && (metric.pairs?.open.size ?? 0) === 0;
      if (isEmpty && exposedType(metric.descriptor) !== type) this.#remove(slotOf(metric.descriptor), metric);
    }
  }

  /** Why this metric cannot join those that there are; undefined where it can. */
  #clash(descriptor: MetricDescriptor): string | undefined {
    const { name } = descriptor;
    const type = exposedType(descriptor);
    const sibling = this.#families.get(name)?.find((other) => exposedType(other.descriptor) !== type);
    if (sibling !== undefined) {
      const other = sibling.descriptor;
      return `metric ${name} of ${sourceOf(descriptor)} is a ${type}, but ${sourceOf(other)} feeds it as a ${exposedType(other)}: rename one of them`;
    }
    const histogram = /^(.*)_(?:bucket|sum|count)$/.exec(name)?.[1];
    const owner = histogram === undefined ? undefined : this.#families.get(histogram)?.[0]?.descriptor;
    if (owner !== undefined && exposedType(owner) === 'histogram') {
      return `metric ${name} of ${sourceOf(descriptor)} has the name of a part of the histogram ${histogram} of ${sourceOf(owner)}: rename one of them`;
    }
    const part =
      type === 'histogram'
        ? ['_bucket', '_sum', '_count'].find((suffix) => this.#families.has(name + suffix))
        : undefined;
    if (part !== undefined) {
      return `histogram ${name} of ${sourceOf(descriptor)} has a part with the name of the metric ${name + part}: rename one of them`;
    }
    return undefined;
  }

  #countConflict(delta: MetricDelta, message: string): void {
    const { name, constLabels } = delta.descriptor;
    const dropped = (this.#conflicts.get(message)?.dropped ?? 0) + delta.cells.length;
    if (this.#conflicts.size >= MAX_CONFLICTS && !this.#conflicts.has(message)) return;
    this.#conflicts.set(message, { name, source: constLabels['source'] ?? '', message, dropped });
  }

  /** The live series at an instant, families in the order of their names. Changes nothing. */
  collect(nowMs: number): readonly SeriesFamily[] {
    const names = [...this.#families.keys()].sort();
    return names.map((name) => this.#family(name, nowMs)).filter((family) => family.series.length > 0);
  }

  #family(name: string, nowMs: number): SeriesFamily {
    const metrics = this.#families.get(name)!;
    const { help, unit = '' } = metrics[0]!.descriptor;
    const series: LiveSeries[] = [];
    for (const metric of metrics)
      for (const one of metric.series.values()) if (!one.isIdle(nowMs)) series.push(one);
    return {
      name,
      type: exposedType(metrics[0]!.descriptor),
      help,
      unit,
      series: metrics.length > 1 ? unique(series) : series,
    };
  }

  /** For the sampler: every series held, idle ones too, by family. */
  *metrics(): Iterable<{ readonly name: string; readonly metrics: readonly Metric[] }> {
    for (const name of [...this.#families.keys()].sort()) yield { name, metrics: this.#families.get(name)! };
  }

  /** For the sampler: the series that ended since the last call. */
  takeEnded(): readonly LiveSeries[] {
    const ended = this.#ended;
    this.#ended = [];
    return ended;
  }

  /** A sample set of this instant is durable: what it held is no longer new. For replay; the sampler does so by itself. */
  markSampled(timeMs: number): void {
    for (const metric of this.#metrics.values()) {
      for (const series of metric.series.values()) if (series.createdMs <= timeMs) series.sampled = true;
    }
  }

  /**
   * Ends the metrics that no source feeds any more, by the configuration now in force. Where a metric of the same name,
   * type and source is fed under other labels (`fed` gives these), the series that are the same under them go on.
   */
  retain(fed: FedLabels): readonly UnfedMetric[] {
    const unfed = [...this.#metrics].filter(([, metric]) => !fed.has(metric.descriptor));
    return unfed.map(([slot, metric]) => {
      const { name, constLabels } = metric.descriptor;
      const series = metric.series.size;
      for (const labels of fed.labelsNow(metric.descriptor))
        this.#goOn({ ...metric.descriptor, ...labels }, metric);
      const ended = metric.series.size;
      this.#remove(slot, metric);
      return { name, source: constLabels['source'] ?? '', kept: series - ended, ended };
    });
  }

  #goOn(descriptor: MetricDescriptor, before: Metric): void {
    const slot = slotOf(descriptor);
    const known = this.#metrics.get(slot);
    if (known !== undefined && !isSameShape(known.descriptor, descriptor)) return;
    const metric = known ?? new Metric(descriptor, encodeDescriptor(descriptor));
    const others = metric.adoptSame(before);
    if (others.length === before.series.size) return;
    before.series.clear();
    for (const series of others) before.series.set(series.key, series);
    if (known === undefined) this.#add(slot, metric);
  }

  get seriesCount(): number {
    let count = 0;
    for (const metric of this.#metrics.values()) count += metric.series.size;
    return count;
  }

  /** Metrics that reached their limit of series. */
  folded(): readonly FoldedMetric[] {
    return [...this.#metrics.values()]
      .filter((metric) => metric.folded > 0)
      .map((metric) => {
        const { name, constLabels, maxSeries } = metric.descriptor;
        const widest = metric.widestLabel();
        const source = constLabels['source'] ?? '';
        return {
          name,
          source,
          folded: metric.folded,
          maxSeries,
          label: widest.name,
          labelValues: widest.values,
        };
      });
  }

  conflicts(): readonly MetricConflict[] {
    return [...this.#conflicts.values()];
  }

  pairs(): readonly PairCounts[] {
    return [...this.#metrics.values()].flatMap(({ descriptor, pairs }) =>
      pairs === undefined
        ? []
        : [
            {
              name: descriptor.name,
              source: descriptor.constLabels['source'] ?? '',
              open: pairs.open.size,
              expired: pairs.expired,
              unmatched: pairs.unmatched,
            },
          ],
    );
  }

  /** Amounts that lines gave and no metric can hold (NaN, infinite, negative for a counter), by metric and source. */
  ignored(): readonly { readonly name: string; readonly source: string; readonly ignored: number }[] {
    return [...this.#metrics.values()]
      .filter((metric) => metric.ignored > 0)
      .map(({ descriptor, ignored }) => ({
        name: descriptor.name,
        source: descriptor.constLabels['source'] ?? '',
        ignored,
      }));
  }

  /** The whole state as bytes. Restoring it and applying what came after gives what never stopping would have given. */
  snapshot(): Uint8Array {
    return writeSnapshot({
      nextSweepMs: this.#nextSweepMs,
      metrics: [...this.#metrics.values()],
      ended: this.#ended,
    });
  }

  /** Throws RangeError on bytes that `snapshot` did not write. */
  static restore(snapshot: Uint8Array): Registry {
    const registry = new Registry();
    const state = readSnapshot(snapshot);
    registry.#nextSweepMs = state.nextSweepMs;
    registry.#ended = [...state.ended];
    for (const metric of state.metrics) registry.#add(slotOf(metric.descriptor), metric);
    return registry;
  }
}

function slotOf({ name, constLabels, labelNames }: MetricDescriptor): string {
  const sorted = Object.entries(constLabels).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([name, sorted, labelNames]);
}

function exposedType({ type }: MetricDescriptor): SeriesFamily['type'] {
  if (type === 'pair') return 'histogram';
  return type === 'unique' ? 'gauge' : type;
}

/** Whether the values held under one descriptor can go on under the other. */
function isSameShape(a: MetricDescriptor, b: MetricDescriptor): boolean {
  return a.type === b.type && JSON.stringify(a.buckets ?? []) === JSON.stringify(b.buckets ?? []);
}

function sourceOf({ constLabels }: MetricDescriptor): string {
  return `source "${constLabels['source'] ?? ''}"`;
}

/** Two metrics of one name may come to the same label set (an empty label is none); a scrape allows each set once, so the first stays. */
function unique<T extends SeriesView>(series: readonly T[]): readonly T[] {
  const seen = new Set<string>();
  return series.filter((one) => {
    if (seen.has(one.labelText)) return false;
    seen.add(one.labelText);
    return true;
  });
}
