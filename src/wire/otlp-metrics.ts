import type { SampleFamily, SamplePoint, SampleSet } from '../model/sample-set.ts';
import type { Labels } from '../model/series.ts';
import type { SamplesOfResource } from './agent-resource.ts';
import { writePlainAttributes } from './any-value.ts';
import { writeScope } from './otlp-logs.ts';
import type { Scope } from './otlp-record.ts';
import { ProtoWriter } from './protobuf.ts';

/** Scope that our own agents send with: their names are Prometheus's already and stay as they are. */
export const OWN_SCOPE = 'taffrail';

const CUMULATIVE = 2;
/** DataPointFlags.NO_RECORDED_VALUE: the stale marker. */
const NO_RECORDED_VALUE = 1;

/** Samples as OTLP MetricsData, which is on the wire the same as ExportMetricsServiceRequest. */
export function encodeMetricsRequest(
  resource: Readonly<Record<string, string>>,
  scope: Scope,
  samples: SampleSet,
): Uint8Array {
  return encodeResourceMetrics([{ resource, samples }], scope);
}

/** The same with several resources. */
export function encodeResourceMetrics(groups: readonly SamplesOfResource[], scope: Scope): Uint8Array {
  const points = groups.reduce((sum, { samples }) => sum + samples.points, 0);
  const writer = new ProtoWriter(points * 160 + 1024);
  for (const group of groups) writeResourceMetrics(writer, group, scope);
  return writer.copy();
}

function writeResourceMetrics(
  writer: ProtoWriter,
  { resource, samples }: SamplesOfResource,
  scope: Scope,
): void {
  const resourceMetrics = writer.open(1);
  const resourceStart = writer.open(1);
  writePlainAttributes(writer, 1, resource);
  writer.close(resourceStart);
  const scopeMetrics = writer.open(2);
  writeScope(writer, scope);
  for (const family of samples.families) writeMetric(writer, family);
  writer.close(scopeMetrics);
  writer.close(resourceMetrics);
}

function writeMetric(writer: ProtoWriter, family: SampleFamily): void {
  const metric = writer.open(2);
  writer.text(1, family.name);
  writer.text(2, family.help);
  if (family.unit !== '') writer.text(3, family.unit);
  const data = writer.open(family.type === 'gauge' ? 5 : family.type === 'counter' ? 7 : 9);
  for (const point of family.points) {
    if (family.type === 'histogram') writeHistogramPoint(writer, point);
    else writeNumberPoint(writer, point);
  }
  if (family.type !== 'gauge') writer.uint(2, CUMULATIVE);
  if (family.type === 'counter') writer.uint(3, 1);
  writer.close(data);
  writer.close(metric);
}

function writeNumberPoint(writer: ProtoWriter, point: SamplePoint): void {
  const start = writer.open(1);
  writer.raw(encodedLabels(point.labels, 7));
  if (point.startMs > 0) writer.nanos(2, point.startMs);
  writer.nanos(3, point.timeMs);
  if (point.stale) writer.uint(8, NO_RECORDED_VALUE);
  else writer.doubleField(4, point.value);
  writer.close(start);
}

function writeHistogramPoint(writer: ProtoWriter, point: SamplePoint): void {
  const start = writer.open(1);
  writer.raw(encodedLabels(point.labels, 9));
  if (point.startMs > 0) writer.nanos(2, point.startMs);
  writer.nanos(3, point.timeMs);
  const { bounds, counts, sum, count } = point.histogram ?? { bounds: [], counts: [0], sum: 0, count: 0 };
  writer.fixed64(4, point.stale ? 0 : count);
  if (!point.stale) writer.doubleField(5, sum);
  const countsStart = writer.open(6);
  for (const one of counts) writer.rawFixed64(point.stale ? 0 : one);
  writer.close(countsStart);
  const boundsStart = writer.open(7);
  for (const bound of bounds) writer.double(bound);
  writer.close(boundsStart);
  if (point.stale) writer.uint(10, NO_RECORDED_VALUE);
  writer.close(start);
}

/** A series keeps its labels object, so its attributes are encoded once. The field number differs by kind of point. */
const labelBytes = [new WeakMap<Labels, Uint8Array>(), new WeakMap<Labels, Uint8Array>()] as const;

function encodedLabels(labels: Labels, field: 7 | 9): Uint8Array {
  const cache = labelBytes[field === 7 ? 0 : 1];
  let bytes = cache.get(labels);
  if (bytes === undefined) {
    const writer = new ProtoWriter(256);
    writePlainAttributes(writer, field, labels);
    bytes = writer.copy();
    cache.set(labels, bytes);
  }
  return bytes;
}
