import snappy from 'snappyjs';
import type { FlatSample } from '../model/sample-set.ts';
import type { Labels, SeriesData } from '../model/series.ts';
import { KeyCache, setKey } from './any-value.ts';
import { isLabelName, isMetricName } from './metric-name.ts';
import { ProtoReader, ProtoWriter } from './protobuf.ts';
import { readMetricMetadata, type SentMetadata } from './remote-write-metadata.ts';
import { uncompressBlock } from './compression/snappy-block.ts';
import { WireError } from './wire-error.ts';

/** The stale marker's bits, 0x7ff0000000000002, are written as bytes: JavaScript may not keep a NaN's payload. */
const STALE_LOW = 0x00000002;
const STALE_HIGH = 0x7ff00000;

export interface WriteRequest {
  /** Snappy block of the protobuf WriteRequest 1.0, ready to be sent. */
  readonly body: Uint8Array;
  readonly series: number;
  readonly samples: number;
  /** Samples left out because their name or a label's name is not valid. */
  readonly invalid: number;
}

/** Encodes remote write 1.0. Keeps the encoded labels of every series that it was given, as long as their labels object lives. */
export class RemoteWriteEncoder {
  readonly #external: Labels;
  readonly #known = new WeakMap<Labels, Map<string, Uint8Array | undefined>>();

  /** External labels are added to every series that does not have them. */
  constructor(external: Labels = {}) {
    this.#external = external;
  }

  encode(samples: readonly FlatSample[]): WriteRequest {
    const groups = new Map<Uint8Array, FlatSample[]>();
    let invalid = 0;
    for (const sample of samples) {
      const labels = this.#labelBytes(sample);
      if (labels === undefined) {
        invalid++;
        continue;
      }
      const group = groups.get(labels);
      if (group === undefined) groups.set(labels, [sample]);
      else group.push(sample);
    }
    const writer = new ProtoWriter(samples.length * 200 + 64);
    for (const [labels, group] of groups) writeSeries(writer, labels, group);
    const body = snappy.compress(writer.bytes.subarray(0, writer.length));
    return { body, series: groups.size, samples: samples.length - invalid, invalid };
  }

  #labelBytes({ name, labels }: FlatSample): Uint8Array | undefined {
    let byName = this.#known.get(labels);
    if (byName === undefined) this.#known.set(labels, (byName = new Map()));
    if (!byName.has(name)) byName.set(name, encodeLabels({ ...this.#external, ...labels, __name__: name }));
    return byName.get(name);
  }
}

/** Labels sorted by name, without empty values; undefined where a name is not valid. */
function encodeLabels(labels: Labels): Uint8Array | undefined {
  const present = Object.entries(labels).filter(([, value]) => value !== '');
  present.sort(([a], [b]) => (a < b ? -1 : 1));
  if (!isMetricName(labels['__name__'] ?? '') || !present.every(([name]) => isLabelName(name)))
    return undefined;
  const writer = new ProtoWriter(256);
  for (const [name, value] of present) {
    const label = writer.open(1);
    writer.text(1, name);
    writer.text(2, value);
    writer.close(label);
  }
  return writer.copy();
}

function writeSeries(writer: ProtoWriter, labels: Uint8Array, samples: FlatSample[]): void {
  const series = writer.open(1);
  writer.raw(labels);
  if (samples.length > 1) samples.sort((a, b) => a.timeMs - b.timeMs);
  for (const sample of samples) {
    const start = writer.open(2);
    if (sample.stale) writeStale(writer);
    else writer.doubleField(1, sample.value);
    writer.int64(2, sample.timeMs);
    writer.close(start);
  }
  writer.close(series);
}

function writeStale(writer: ProtoWriter): void {
  writer.tag(1, 1);
  writer.reserve(8);
  writer.bytes.writeUInt32LE(STALE_LOW, writer.length);
  writer.bytes.writeUInt32LE(STALE_HIGH, writer.length + 4);
  writer.length += 8;
}

export interface WriteRequestLimits {
  readonly maxBytes: number;
  readonly maxSamples: number;
}

const DEFAULT_LIMITS: WriteRequestLimits = { maxBytes: 64 * 1024 * 1024, maxSamples: 500_000 };
const MAX_LABELS = 200;

/**
 * Reads a request of remote write 1.0: labels with `__name__`, checked as the protocol demands. Metadata, which Prometheus
 * sends in requests of their own, go to `onMetadata`. Throws WireError.
 */
export function decodeWriteRequest(
  body: Uint8Array,
  limits: WriteRequestLimits = DEFAULT_LIMITS,
  onMetadata?: (metadata: SentMetadata) => void,
): SeriesData[] {
  const reader = new ProtoReader(uncompressBlock(body, limits.maxBytes));
  const keys = new KeyCache();
  const series: SeriesData[] = [];
  let samples = 0;
  while (reader.next()) {
    if (reader.field === 3 && onMetadata !== undefined) {
      onMetadata(readMetricMetadata(reader));
      continue;
    }
    if (reader.field !== 1) {
      reader.skip();
      continue;
    }
    const one = readSeries(reader, keys);
    samples += Math.max(1, one.times.length);
    if (samples > limits.maxSamples)
      throw new WireError(`request holds more than ${limits.maxSamples} samples`, reader.at);
    series.push(one);
  }
  return series;
}

function readSeries(reader: ProtoReader, keys: KeyCache): SeriesData {
  const start = reader.at;
  const outer = reader.enter();
  const pairs: [string, string][] = [];
  const samples: ReadSample[] = [];
  while (reader.next()) {
    if (reader.field === 1) pairs.push(readLabel(reader, keys));
    else if (reader.field === 2) samples.push(readSample(reader));
    else reader.skip();
  }
  reader.leave(outer);
  checkLabels(pairs, start);
  const labels: Record<string, string> = {};
  for (const [name, value] of pairs) setKey(labels, name, value);
  return { labels, ...columns(samples) };
}

function columns(samples: readonly ReadSample[]): Omit<SeriesData, 'labels'> {
  const times = new Float64Array(samples.length);
  const values = new Float64Array(samples.length);
  let stale: Uint8Array | undefined;
  for (let i = 0; i < samples.length; i++) {
    const sample = samples[i]!;
    times[i] = sample.timeMs;
    values[i] = sample.value;
    if (sample.stale) (stale ??= new Uint8Array(samples.length))[i] = 1;
  }
  return stale === undefined ? { times, values } : { times, values, stale };
}

function checkLabels(pairs: readonly (readonly [string, string])[], at: number): void {
  if (pairs.length > MAX_LABELS) throw new WireError(`series with more than ${MAX_LABELS} labels`, at);
  let before = '';
  let name = '';
  for (const [label, value] of pairs) {
    if (!isLabelName(label)) throw new WireError(`label name ${JSON.stringify(label)} is not valid`, at);
    if (value === '') throw new WireError(`label ${label} is empty`, at);
    if (label <= before)
      throw new WireError(`labels must be sorted and unique: ${label} comes after ${before}`, at);
    if (label === '__name__') name = value;
    before = label;
  }
  if (!isMetricName(name)) throw new WireError(`metric name ${JSON.stringify(name)} is not valid`, at);
}

const labelNames = new KeyCache();

/** Names and values in turn of the labels that stand one after another, as in a series that begins at `at`. Throws WireError. */
export function readLabelRun(run: Uint8Array, at: number): string[] {
  const reader = new ProtoReader(run);
  const pairs: [string, string][] = [];
  while (reader.next()) pairs.push(readLabel(reader, labelNames));
  checkLabels(pairs, at);
  return pairs.flat();
}

function readLabel(reader: ProtoReader, keys: KeyCache): [string, string] {
  const outer = reader.enter();
  let name = '';
  let value = '';
  while (reader.next()) {
    if (reader.field === 1) name = keys.read(reader);
    else if (reader.field === 2) value = reader.string();
    else reader.skip();
  }
  reader.leave(outer);
  return [name, value];
}

interface ReadSample {
  readonly timeMs: number;
  readonly value: number;
  readonly stale: boolean;
}

function readSample(reader: ProtoReader): ReadSample {
  const outer = reader.enter();
  let timeMs = 0;
  let value = 0;
  let stale = false;
  while (reader.next()) {
    if (reader.field === 1) {
      const at = reader.eight();
      value = reader.bytes.readDoubleLE(at);
      stale = reader.bytes.readUInt32LE(at) === STALE_LOW && reader.bytes.readUInt32LE(at + 4) === STALE_HIGH;
    } else if (reader.field === 2) timeMs = Number(reader.int64());
    else reader.skip();
  }
  reader.leave(outer);
  return { timeMs, value, stale };
}
