import { ByteReader } from '../model/byte-reader.ts';
import { ByteWriter } from '../model/byte-writer.ts';
import { DeltaDecoder } from './delta-codec.ts';
import { LiveSeries } from './live-series.ts';
import { Metric } from './metric.ts';

/**
 * The registry as bytes: u8 version, f64 next sweep, varint metrics, metrics, varint ended, ended.
 * A metric is its descriptor, counts, open pairs and series; an ended series has its descriptor before it.
 */
export interface RegistryState {
  readonly nextSweepMs: number;
  readonly metrics: readonly Metric[];
  readonly ended: readonly LiveSeries[];
}

const SNAPSHOT_VERSION = 1;

export function writeSnapshot(state: RegistryState): Uint8Array {
  const out = new ByteWriter(64 * 1024);
  out.uint8(SNAPSHOT_VERSION);
  out.double(state.nextSweepMs);
  out.varint(state.metrics.length);
  for (const metric of state.metrics) writeMetric(out, metric);
  out.varint(state.ended.length);
  for (const series of state.ended) {
    out.string(JSON.stringify(series.descriptor));
    writeSeries(out, series);
  }
  return out.copy();
}

export function readSnapshot(bytes: Uint8Array): RegistryState {
  const reader = new ByteReader(bytes);
  const version = reader.uint8();
  if (version !== SNAPSHOT_VERSION) {
    throw new RangeError(`registry snapshot of version ${version}, expected ${SNAPSHOT_VERSION}`);
  }
  const decoder = new DeltaDecoder();
  const nextSweepMs = reader.double();
  const metrics = times(reader.varint(), () => readMetric(reader, decoder));
  const ended = times(reader.varint(), () => readSeries(reader, decoder.descriptor(reader.string())));
  return { nextSweepMs, metrics, ended };
}

function times<T>(count: number, make: () => T): T[] {
  const made: T[] = [];
  for (let i = 0; i < count; i++) made.push(make());
  return made;
}

function writeMetric(out: ByteWriter, metric: Metric): void {
  out.string(metric.descriptorText);
  out.varint(metric.folded);
  out.varint(metric.ignored);
  if (metric.pairs !== undefined) {
    out.varint(metric.pairs.expired);
    out.varint(metric.pairs.unmatched);
    out.varint(metric.pairs.open.size);
    for (const [key, pair] of metric.pairs.open) {
      out.string(key);
      out.double(pair.startMs);
      out.double(pair.openedMs);
      writeKey(out, pair.cellKey);
    }
  }
  out.varint(metric.series.size);
  for (const series of metric.series.values()) writeSeries(out, series);
}

function readMetric(reader: ByteReader, decoder: DeltaDecoder): Metric {
  const text = reader.string();
  const metric = new Metric(decoder.descriptor(text), text);
  metric.folded = reader.varint();
  metric.ignored = reader.varint();
  if (metric.pairs !== undefined) {
    metric.pairs.expired = reader.varint();
    metric.pairs.unmatched = reader.varint();
    const open = reader.varint();
    for (let i = 0; i < open; i++) {
      const key = reader.string();
      const startMs = reader.double();
      const openedMs = reader.double();
      metric.pairs.open.set(key, { startMs, openedMs, cellKey: readKey(reader) });
    }
  }
  const count = reader.varint();
  for (let i = 0; i < count; i++) {
    const series = readSeries(reader, metric.descriptor);
    metric.series.set(series.key, series);
  }
  return metric;
}

function writeSeries(out: ByteWriter, series: LiveSeries): void {
  writeKey(out, series.key);
  out.double(series.createdMs);
  out.double(series.lastMs);
  out.uint8(series.sampled ? 1 : 0);
  out.double(series.total);
  if (series.counts !== undefined) {
    out.varint(series.count);
    for (const count of series.counts) out.varint(count);
  }
  if (series.registers !== undefined) out.raw(series.registers);
}

function readSeries(reader: ByteReader, descriptor: LiveSeries['descriptor']): LiveSeries {
  const series = new LiveSeries(descriptor, readKey(reader), 0);
  series.createdMs = reader.double();
  series.lastMs = reader.double();
  series.sampled = reader.uint8() === 1;
  series.total = reader.double();
  if (series.counts !== undefined) {
    series.count = reader.varint();
    series.counts = series.counts.map(() => reader.varint());
  }
  if (series.registers !== undefined) {
    const start = reader.take(series.registers.length);
    series.registers.set(reader.bytes.subarray(start, reader.at));
  }
  return series;
}

/** Keys hold one byte a character. */
function writeKey(out: ByteWriter, key: string): void {
  out.varint(key.length);
  out.reserve(key.length);
  out.length += out.bytes.write(key, out.length, key.length, 'latin1');
}

function readKey(reader: ByteReader): string {
  const start = reader.take(reader.varint());
  return reader.bytes.toString('latin1', start, reader.at);
}
