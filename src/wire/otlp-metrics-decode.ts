import { DecodeBudget, readAttribute } from './any-value.ts';
import type { AnyValue, Attributes } from './any-value.ts';
import { readResource, readScope } from './otlp-logs.ts';
import { PointFlattener } from './otlp-points.ts';
import type { DecodedMetrics, OtlpMetric, OtlpPoint } from './otlp-points.ts';
import type { Scope } from './otlp-record.ts';
import { BYTES, ProtoReader, readNanos } from './protobuf.ts';
import { WireError } from './wire-error.ts';

/** Most buckets or quantiles in one point. */
const MAX_BUCKETS = 2_000;

/** Reads an ExportMetricsServiceRequest or MetricsData of any sender into flat samples. Throws WireError. */
export function decodeMetricsRequest(bytes: Uint8Array): DecodedMetrics {
  const reader = new ProtoReader(bytes);
  const budget = new DecodeBudget();
  const flattener = new PointFlattener();
  while (reader.next()) {
    if (reader.field === 1) readResourceMetrics(reader, budget, flattener);
    else reader.skip();
  }
  return flattener.result();
}

function readResourceMetrics(reader: ProtoReader, budget: DecodeBudget, flattener: PointFlattener): void {
  const outer = reader.enter();
  let resource: Attributes = {};
  const scopes: { scope: Scope; metrics: OtlpMetric[] }[] = [];
  while (reader.next()) {
    if (reader.field === 1) resource = readResource(reader, budget);
    else if (reader.field === 2) scopes.push(readScopeMetrics(reader, budget));
    else reader.skip();
  }
  reader.leave(outer);
  for (const { scope, metrics } of scopes) flattener.group(resource, scope, metrics);
}

function readScopeMetrics(
  reader: ProtoReader,
  budget: DecodeBudget,
): { scope: Scope; metrics: OtlpMetric[] } {
  budget.spend(reader.at);
  const outer = reader.enter();
  let scope: Scope = { name: '', version: '' };
  const metrics: OtlpMetric[] = [];
  while (reader.next()) {
    if (reader.field === 1) scope = readScope(reader);
    else if (reader.field === 2) metrics.push(readMetric(reader, budget));
    else reader.skip();
  }
  reader.leave(outer);
  return { scope, metrics };
}

const KINDS: Readonly<Record<number, OtlpMetric['kind']>> = {
  5: 'gauge',
  7: 'sum',
  9: 'histogram',
  10: 'exponential_histogram',
  11: 'summary',
};

function readMetric(reader: ProtoReader, budget: DecodeBudget): OtlpMetric {
  budget.spend(reader.at);
  const outer = reader.enter();
  const texts = ['', '', '', ''];
  let kind: OtlpMetric['kind'] = 'none';
  let data: MetricData = { points: [], temporality: 0, isMonotonic: false };
  while (reader.next()) {
    const found = KINDS[reader.field];
    if (reader.field <= 3) texts[reader.field] = reader.string();
    else if (found !== undefined) {
      kind = found;
      data = readData(reader, found, budget);
    } else reader.skip();
  }
  reader.leave(outer);
  return { name: texts[1]!, description: texts[2]!, unit: texts[3]!, kind, ...data };
}

type MetricData = Pick<OtlpMetric, 'points' | 'temporality' | 'isMonotonic'>;

function readData(reader: ProtoReader, kind: OtlpMetric['kind'], budget: DecodeBudget): MetricData {
  const outer = reader.enter();
  const points: OtlpPoint[] = [];
  let temporality = 0;
  let isMonotonic = false;
  while (reader.next()) {
    if (reader.field === 1) points.push(readPoint(reader, kind, budget));
    else if (reader.field === 2) temporality = reader.uint();
    else if (reader.field === 3) isMonotonic = reader.uint() !== 0;
    else reader.skip();
  }
  reader.leave(outer);
  return { points, temporality, isMonotonic };
}

type Draft = { -readonly [K in keyof OtlpPoint]: OtlpPoint[K] } & {
  attributes: Record<string, AnyValue>;
  counts: number[];
  bounds: number[];
  quantiles: { quantile: number; value: number }[];
};

function emptyPoint(): Draft {
  return {
    attributes: {},
    timeMs: 0,
    startMs: 0,
    flags: 0,
    value: 0,
    count: 0,
    sum: 0,
    counts: [],
    bounds: [],
    quantiles: [],
  };
}

function readPoint(reader: ProtoReader, kind: OtlpMetric['kind'], budget: DecodeBudget): OtlpPoint {
  budget.spend(reader.at);
  const outer = reader.enter();
  const point = emptyPoint();
  while (reader.next()) {
    if (reader.field === 2 && kind !== 'exponential_histogram')
      point.startMs = readNanos(reader.bytes, reader.eight()).ms;
    else if (reader.field === 3 && kind !== 'exponential_histogram')
      point.timeMs = readNanos(reader.bytes, reader.eight()).ms;
    else if (kind === 'gauge' || kind === 'sum') readNumberField(reader, point, budget);
    else if (kind === 'histogram') readHistogramField(reader, point, budget);
    else if (kind === 'summary') readSummaryField(reader, point, budget);
    else reader.skip();
  }
  reader.leave(outer);
  return point;
}

function readNumberField(reader: ProtoReader, point: Draft, budget: DecodeBudget): void {
  if (reader.field === 4) point.value = reader.double();
  else if (reader.field === 6) point.value = Number(reader.bytes.readBigInt64LE(reader.eight()));
  else if (reader.field === 7) readAttribute(reader, point.attributes, budget);
  else if (reader.field === 8) point.flags = reader.uint();
  else reader.skip();
}

function readHistogramField(reader: ProtoReader, point: Draft, budget: DecodeBudget): void {
  if (reader.field === 4) point.count = fixed64(reader.bytes, reader.eight());
  else if (reader.field === 5) point.sum = reader.double();
  else if (reader.field === 6) readEights(reader, point.counts, fixed64);
  else if (reader.field === 7) readEights(reader, point.bounds, (bytes, at) => bytes.readDoubleLE(at));
  else if (reader.field === 9) readAttribute(reader, point.attributes, budget);
  else if (reader.field === 10) point.flags = reader.uint();
  else reader.skip();
}

function readSummaryField(reader: ProtoReader, point: Draft, budget: DecodeBudget): void {
  if (reader.field === 4) point.count = fixed64(reader.bytes, reader.eight());
  else if (reader.field === 5) point.sum = reader.double();
  else if (reader.field === 6) readQuantile(reader, point);
  else if (reader.field === 7) readAttribute(reader, point.attributes, budget);
  else if (reader.field === 8) point.flags = reader.uint();
  else reader.skip();
}

function readQuantile(reader: ProtoReader, point: Draft): void {
  if (point.quantiles.length >= MAX_BUCKETS)
    throw new WireError(`summary with more than ${MAX_BUCKETS} quantiles`, reader.at);
  const outer = reader.enter();
  let quantile = 0;
  let value = 0;
  while (reader.next()) {
    if (reader.field === 1) quantile = reader.double();
    else if (reader.field === 2) value = reader.double();
    else reader.skip();
  }
  reader.leave(outer);
  point.quantiles.push({ quantile, value });
}

/** A repeated 64-bit field, packed or not. */
function readEights(reader: ProtoReader, into: number[], read: (bytes: Buffer, at: number) => number): void {
  const start = reader.wireType === BYTES ? reader.blobStart() : reader.eight();
  const size = reader.at - start;
  if (size % 8 !== 0) throw new WireError(`packed 64-bit values of ${size} bytes`, start);
  if (into.length + size / 8 > MAX_BUCKETS)
    throw new WireError(`histogram with more than ${MAX_BUCKETS} buckets`, start);
  for (let at = start; at < reader.at; at += 8) into.push(read(reader.bytes, at));
}

function fixed64(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 4294967296;
}
