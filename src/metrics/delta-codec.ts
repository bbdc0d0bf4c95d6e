import { ByteReader } from '../model/byte-reader.ts';
import type { ByteWriter } from '../model/byte-writer.ts';
import type { MetricDescriptor } from '../model/series.ts';

/**
 * What a chunk adds to the metrics, as bytes. Format version 1:
 *
 *     u8 version, then for each metric touched:
 *       string descriptor (JSON), varint ignored, varint cells, cells…
 *       cell: varint size, that many bytes of label values (each a string: varint length, UTF-8), then by type
 *         counter    f64 sum
 *         gauge      f64 value
 *         histogram  f64 sum, varint count, varint n, n × (varint bucket, varint count)
 *         unique     varint n, n × varint (register * 64 + rank)
 *         pair       nothing; after all cells: varint n, n × (varint cell, u8 0 start | 1 end, varint timeMs, string key)
 */
export const DELTA_VERSION = 1;

export interface MetricDelta {
  /** The descriptor's JSON: equal text means equal descriptor. */
  readonly descriptorText: string;
  readonly descriptor: MetricDescriptor;
  /** Amounts that were not finite or, for a counter, negative. */
  readonly ignored: number;
  readonly cells: readonly CellDelta[];
  readonly events: readonly PairEvent[];
}

export interface CellDelta {
  /** The encoded label values, one character a byte: equal text means equal labels. */
  readonly key: string;
  /** Counter: the amount. Gauge: the value. Histogram: the sum. */
  readonly value: number;
  /** Histogram: observations. */
  readonly count: number;
  /** Histogram: bucket, count, bucket, count … Unique: register * 64 + rank … */
  readonly parts: readonly number[];
}

export interface PairEvent {
  readonly cell: number;
  readonly kind: 'start' | 'end';
  readonly timeMs: number;
  readonly key: string;
}

/** Field order is fixed, so that equal descriptors are equal texts. */
export function encodeDescriptor(descriptor: MetricDescriptor): string {
  const {
    name,
    type,
    help,
    unit,
    labelNames,
    buckets,
    constLabels,
    maxSeries,
    expireAfterMs,
    pairTimeoutMs,
  } = descriptor;
  const sorted = Object.fromEntries(Object.entries(constLabels).sort(([a], [b]) => (a < b ? -1 : 1)));
  return JSON.stringify({
    name,
    type,
    help,
    unit,
    labelNames,
    buckets,
    constLabels: sorted,
    maxSeries,
    expireAfterMs,
    pairTimeoutMs,
  });
}

export function writeLabelValues(writer: ByteWriter, values: readonly string[]): void {
  for (const value of values) writer.string(value);
}

export function readLabelValues(key: string, count: number): string[] {
  const reader = new ByteReader(Buffer.from(key, 'latin1'));
  return Array.from({ length: count }, () => reader.string());
}

/** The deltas of several drains as one. */
export function joinDeltas(parts: readonly Uint8Array[]): Uint8Array {
  const [first, ...rest] = parts.filter(({ length }) => length > 0);
  if (first === undefined) return new Uint8Array(0);
  // Each begins with its version.
  return Buffer.concat([first, ...rest.map((part) => part.subarray(1))]);
}

/** Decodes deltas as a whole before anything is applied. Remembers descriptors, which repeat in every commit. */
export class DeltaDecoder {
  readonly #descriptors = new Map<string, MetricDescriptor>();

  /** Throws RangeError on bytes that no aggregator wrote. */
  decode(bytes: Uint8Array): MetricDelta[] {
    if (bytes.length === 0) return [];
    const reader = new ByteReader(bytes);
    const version = reader.uint8();
    if (version !== DELTA_VERSION)
      throw new RangeError(`metric deltas of version ${version}, expected ${DELTA_VERSION}`);
    const deltas: MetricDelta[] = [];
    while (!reader.done) deltas.push(this.#metric(reader));
    return deltas;
  }

  #metric(reader: ByteReader): MetricDelta {
    const descriptorText = reader.string();
    const descriptor = this.descriptor(descriptorText);
    const ignored = reader.varint();
    const count = reader.varint();
    const cells: CellDelta[] = [];
    for (let i = 0; i < count; i++) cells.push(readCell(reader, descriptor.type));
    return {
      descriptorText,
      descriptor,
      ignored,
      cells,
      events: descriptor.type === 'pair' ? readEvents(reader) : [],
    };
  }

  descriptor(text: string): MetricDescriptor {
    let descriptor = this.#descriptors.get(text);
    if (descriptor === undefined) {
      descriptor = parseDescriptor(text);
      if (this.#descriptors.size > 10_000) this.#descriptors.clear();
      this.#descriptors.set(text, descriptor);
    }
    return descriptor;
  }
}

function parseDescriptor(text: string): MetricDescriptor {
  try {
    return JSON.parse(text) as MetricDescriptor;
  } catch (error) {
    throw new RangeError('metric deltas whose descriptor is not JSON', { cause: error });
  }
}

function readCell(reader: ByteReader, type: MetricDescriptor['type']): CellDelta {
  const size = reader.varint();
  const start = reader.take(size);
  const key = reader.bytes.toString('latin1', start, start + size);
  switch (type) {
    case 'counter':
    case 'gauge':
      return { key, value: reader.double(), count: 0, parts: NONE };
    case 'histogram': {
      const value = reader.double();
      const count = reader.varint();
      return { key, value, count, parts: readVarints(reader, reader.varint() * 2) };
    }
    case 'unique':
      return { key, value: 0, count: 0, parts: readVarints(reader, reader.varint()) };
    case 'pair':
      return { key, value: 0, count: 0, parts: NONE };
  }
}

const NONE: readonly number[] = Object.freeze([]);

function readVarints(reader: ByteReader, count: number): number[] {
  const values: number[] = [];
  for (let i = 0; i < count; i++) values.push(reader.varint());
  return values;
}

function readEvents(reader: ByteReader): PairEvent[] {
  const count = reader.varint();
  const events: PairEvent[] = [];
  for (let i = 0; i < count; i++) {
    const cell = reader.varint();
    const kind = reader.uint8() === 0 ? 'start' : 'end';
    events.push({ cell, kind, timeMs: reader.varint(), key: reader.string() });
  }
  return events;
}
