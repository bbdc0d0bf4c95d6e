import type { HistogramValue, SamplePoint } from '../model/sample-set.ts';
import type { Labels, MetricDescriptor } from '../model/series.ts';
import { readLabelValues } from './delta-codec.ts';
import type { CellDelta } from './delta-codec.ts';
import { REGISTERS, estimateDistinct } from './distinct.ts';
import { formatLabels } from './series-family.ts';
import type { SeriesView } from './series-family.ts';

/** One series that the registry keeps. Its value changes only by `apply`, so that a replay comes to the same. */
export class LiveSeries implements SeriesView {
  /** Replaced only by one under which the value goes on. */
  descriptor: MetricDescriptor;
  /** The encoded label values. */
  readonly key: string;
  createdMs: number;
  /** Commit time of the last change. */
  lastMs: number;
  /** Was part of a sample set since it was created; before that, a zero is due. */
  sampled = false;
  /** Counts changes, for the sampler; not kept over a restart. */
  version = 0;
  /** The version that the last sample set held. */
  sampledVersion = -1;
  /** Counter and gauge: the value. Histogram: the sum. */
  total = 0;
  count = 0;
  counts: number[] | undefined;
  registers: Uint8Array | undefined;
  #labels: Labels | undefined;
  #labelText: string | undefined;
  #estimate = -1;

  constructor(descriptor: MetricDescriptor, key: string, createdMs: number) {
    this.descriptor = descriptor;
    this.key = key;
    this.createdMs = createdMs;
    this.lastMs = createdMs;
    this.clear();
  }

  clear(): void {
    const { type, buckets = [] } = this.descriptor;
    this.total = 0;
    this.count = 0;
    this.#estimate = -1;
    if (type === 'histogram' || type === 'pair')
      this.counts = Array.from({ length: buckets.length + 1 }, () => 0);
    if (type === 'unique') this.registers = new Uint8Array(REGISTERS);
  }

  /** Takes over what the same series held under another descriptor of the same shape; adds it where it has begun already. */
  takeOver(before: LiveSeries): void {
    const isNew = this.version === 0;
    const isLater = isNew || before.lastMs >= this.lastMs;
    if (this.descriptor.type !== 'gauge') this.total += before.total;
    else if (isLater) this.total = before.total;
    this.count += before.count;
    const { counts, registers } = this;
    before.counts?.forEach((count, i) => (counts![i] = counts![i]! + count));
    before.registers?.forEach((value, i) => (registers![i] = Math.max(registers![i]!, value)));
    this.#estimate = -1;
    this.createdMs = Math.min(this.createdMs, before.createdMs);
    this.lastMs = isNew ? before.lastMs : Math.max(this.lastMs, before.lastMs);
    this.sampled ||= before.sampled;
    this.version += before.version + 1;
  }

  /** Begins again at zero, as a series that ended and came back. */
  restart(timeMs: number): void {
    this.clear();
    this.createdMs = timeMs;
    this.lastMs = timeMs;
    this.sampled = false;
  }

  apply(cell: CellDelta, timeMs: number): void {
    const { type } = this.descriptor;
    if (type === 'gauge') this.total = cell.value;
    else this.total += cell.value;
    if (this.counts !== undefined) this.#addBuckets(cell, this.counts);
    if (this.registers !== undefined) this.#mergeRegisters(cell.parts, this.registers);
    this.touch(timeMs);
  }

  #addBuckets(cell: CellDelta, counts: number[]): void {
    this.count += cell.count;
    for (let i = 0; i + 1 < cell.parts.length; i += 2) {
      const bucket = Math.min(cell.parts[i]!, counts.length - 1);
      counts[bucket] = counts[bucket]! + cell.parts[i + 1]!;
    }
  }

  #mergeRegisters(parts: readonly number[], registers: Uint8Array): void {
    for (const part of parts) {
      const register = Math.floor(part / 64) % REGISTERS;
      registers[register] = Math.max(registers[register]!, part % 64);
    }
    this.#estimate = -1;
  }

  touch(timeMs: number): void {
    this.version++;
    if (timeMs > this.lastMs) this.lastMs = timeMs;
  }

  isIdle(nowMs: number): boolean {
    const { expireAfterMs } = this.descriptor;
    return expireAfterMs > 0 && nowMs - this.lastMs >= expireAfterMs;
  }

  get value(): number {
    if (this.registers === undefined) return this.total;
    if (this.#estimate < 0) this.#estimate = estimateDistinct(this.registers);
    return this.#estimate;
  }

  get histogram(): HistogramValue | undefined {
    if (this.counts === undefined) return undefined;
    return { bounds: this.descriptor.buckets ?? [], counts: this.counts, sum: this.total, count: this.count };
  }

  get labels(): Labels {
    return (this.#labels ??= seriesLabels(this.descriptor, this.key));
  }

  get labelText(): string {
    return (this.#labelText ??= formatLabels(this.labels));
  }

  /** Counters and histograms have a beginning; gauges and distinct counts do not. */
  get startMs(): number {
    const { type } = this.descriptor;
    return type === 'gauge' || type === 'unique' ? 0 : this.createdMs;
  }

  point(timeMs: number): SamplePoint {
    const { labels, startMs } = this;
    if (this.counts === undefined) return { labels, timeMs, startMs, value: this.value, stale: false };
    const histogram = { ...this.histogram!, counts: [...this.counts] };
    return { labels, timeMs, startMs, value: NaN, stale: false, histogram };
  }

  zeroPoint(timeMs: number): SamplePoint {
    const { labels } = this;
    const point = { labels, timeMs, startMs: timeMs, stale: false };
    if (this.counts === undefined) return { ...point, value: 0 };
    const bounds = this.descriptor.buckets ?? [];
    return {
      ...point,
      value: NaN,
      histogram: { bounds, counts: this.counts.map(() => 0), sum: 0, count: 0 },
    };
  }

  stalePoint(timeMs: number): SamplePoint {
    return { ...this.zeroPoint(timeMs), startMs: this.startMs, value: NaN, stale: true };
  }
}

/**
 * In the order of their names, so that equal sets look equal. An empty value means that the series lacks the label, as in
 * Prometheus; and as there, a label that would clash with the `le` of buckets becomes `exported_le`.
 */
function seriesLabels(descriptor: MetricDescriptor, key: string): Labels {
  const values = readLabelValues(key, descriptor.labelNames.length);
  const labels = new Map(Object.entries(descriptor.constLabels));
  descriptor.labelNames.forEach((name, i) => values[i] !== '' && labels.set(name, values[i]!));
  const le = labels.get('le');
  if (le !== undefined && (descriptor.type === 'histogram' || descriptor.type === 'pair')) {
    labels.delete('le');
    labels.set('exported_le', le);
  }
  const present = [...labels].filter(([, value]) => value !== '');
  return Object.fromEntries(present.sort(([a], [b]) => (a < b ? -1 : 1)));
}
