import { ByteWriter } from '../model/byte-writer.ts';
import type { MetricDescriptor } from '../model/series.ts';
import { bucketOf } from './cells.ts';
import { readLabelValues, writeLabelValues } from './delta-codec.ts';
import type { MetricDelta, PairEvent } from './delta-codec.ts';
import { LiveSeries } from './live-series.ts';
import { PairTracker } from './pair-tracker.ts';

/** What a label is called in a series that stands for the many beyond the limit. */
export const FOLDED_LABEL = 'other';

/** One metric of one source: the series under one descriptor, and the limit on them. */
export class Metric {
  readonly descriptor: MetricDescriptor;
  readonly descriptorText: string;
  readonly series = new Map<string, LiveSeries>();
  readonly pairs: PairTracker | undefined;
  /** Contributions that went to `other` because the limit was reached. */
  folded = 0;
  /** Amounts that could not be added: negative, NaN, infinite. */
  ignored = 0;
  readonly #otherKey: string;

  constructor(descriptor: MetricDescriptor, descriptorText: string) {
    this.descriptor = descriptor;
    this.descriptorText = descriptorText;
    this.pairs = descriptor.type === 'pair' ? new PairTracker(descriptor) : undefined;
    this.#otherKey = encodeKey(descriptor.labelNames.map(() => FOLDED_LABEL));
  }

  /** Goes on with what an earlier version of this metric held: another help text, limit or expiry. */
  adopt(before: Metric): void {
    for (const series of before.series.values()) {
      series.descriptor = this.descriptor;
      this.series.set(series.key, series);
    }
    this.folded = before.folded;
    this.ignored = before.ignored;
    if (this.pairs !== undefined && before.pairs !== undefined) this.pairs.adopt(before.pairs);
  }

  /**
   * Goes on with those series of another metric that have the same labels under this one, wherever they come from: from
   * the source or from lines. Returns the others.
   */
  adoptSame(before: Metric): LiveSeries[] {
    const others: LiveSeries[] = [];
    for (const series of before.series.values()) {
      const key = this.#keyFor(before.#labelsOf(series.key));
      if (key === undefined) {
        others.push(series);
        continue;
      }
      const own = this.series.get(key) ?? new LiveSeries(this.descriptor, key, series.createdMs);
      own.takeOver(series);
      this.series.set(key, own);
    }
    return others;
  }

  /** An empty value means that the series lacks the label. */
  #labelsOf(key: string): Map<string, string> {
    const { constLabels, labelNames } = this.descriptor;
    const labels = new Map(Object.entries(constLabels));
    readLabelValues(key, labelNames.length).forEach((value, i) => labels.set(labelNames[i]!, value));
    for (const [name, value] of labels) if (value === '') labels.delete(name);
    return labels;
  }

  /** Undefined where this metric cannot have a series with these labels. */
  #keyFor(labels: ReadonlyMap<string, string>): string | undefined {
    const { constLabels, labelNames } = this.descriptor;
    const fixed = Object.entries(constLabels).filter(([name]) => !labelNames.includes(name));
    if (fixed.some(([name, value]) => (labels.get(name) ?? '') !== value)) return undefined;
    const known = new Set([...labelNames, ...fixed.map(([name]) => name)]);
    if ([...labels.keys()].some((name) => !known.has(name))) return undefined;
    return encodeKey(labelNames.map((name) => labels.get(name) ?? ''));
  }

  apply(delta: MetricDelta, timeMs: number): void {
    this.ignored += delta.ignored;
    if (this.pairs === undefined) {
      for (const cell of delta.cells) this.#seriesFor(cell.key, timeMs).apply(cell, timeMs);
    } else for (const event of delta.events) this.#pairEvent(this.pairs, delta, event, timeMs);
  }

  #pairEvent(pairs: PairTracker, delta: MetricDelta, event: PairEvent, timeMs: number): void {
    const cellKey = delta.cells[event.cell]?.key;
    if (cellKey === undefined)
      throw new RangeError(`pair event of cell ${event.cell}, of which there are ${delta.cells.length}`);
    const eventMs = event.timeMs === 0 ? timeMs : event.timeMs;
    if (event.kind === 'start') {
      pairs.start(event.key, { startMs: eventMs, openedMs: timeMs, cellKey });
      return;
    }
    const opened = pairs.end(event.key, eventMs);
    if (opened === undefined) return;
    const seconds = (eventMs - opened.startMs) / 1000;
    const parts = [bucketOf(this.descriptor.buckets ?? [], seconds), 1];
    const key = this.#joinLabels(opened.cellKey, cellKey);
    this.#seriesFor(key, timeMs).apply({ key, value: seconds, count: 1, parts }, timeMs);
  }

  /** The end line's labels, and the start line's where the end has none. */
  #joinLabels(startKey: string, endKey: string): string {
    if (startKey === endKey) return endKey;
    const count = this.descriptor.labelNames.length;
    const start = readLabelValues(startKey, count);
    return encodeKey(readLabelValues(endKey, count).map((value, i) => (value === '' ? start[i]! : value)));
  }

  #seriesFor(key: string, timeMs: number): LiveSeries {
    const known = this.series.get(key);
    if (known !== undefined) {
      if (known.isIdle(timeMs)) known.restart(timeMs);
      return known;
    }
    if (this.#isFull() && key !== this.#otherKey) {
      this.folded++;
      return this.#seriesFor(this.#otherKey, timeMs);
    }
    const born = new LiveSeries(this.descriptor, key, timeMs);
    this.series.set(key, born);
    return born;
  }

  /** `other` itself does not count towards the limit. */
  #isFull(): boolean {
    if (this.descriptor.labelNames.length === 0) return false;
    const others = this.series.has(this.#otherKey) ? 1 : 0;
    return this.series.size - others >= this.descriptor.maxSeries;
  }

  /** Lets go of series that have been idle for too long, and returns them. */
  expire(nowMs: number): LiveSeries[] {
    this.pairs?.expire(nowMs);
    if (this.descriptor.expireAfterMs === 0) return [];
    const expired: LiveSeries[] = [];
    for (const series of this.series.values()) {
      if (!series.isIdle(nowMs)) continue;
      this.series.delete(series.key);
      expired.push(series);
    }
    return expired;
  }

  /** The label with the most distinct values among the series that there are: where folding began, the one that explodes. */
  widestLabel(): { name: string; values: number } {
    const names = this.descriptor.labelNames;
    const seen = names.map(() => new Set<string>());
    for (const key of this.series.keys())
      readLabelValues(key, names.length).forEach((value, i) => seen[i]!.add(value));
    let widest = { name: '', values: 0 };
    names.forEach((name, i) => {
      if (seen[i]!.size > widest.values) widest = { name, values: seen[i]!.size };
    });
    return widest;
  }
}

function encodeKey(values: readonly string[]): string {
  const writer = new ByteWriter(64);
  writeLabelValues(writer, values);
  return writer.bytes.toString('latin1', 0, writer.length);
}
