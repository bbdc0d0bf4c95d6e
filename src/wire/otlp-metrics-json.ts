import { DecodeBudget } from './any-value.ts';
import {
  arrayField,
  asObject,
  attributesField,
  nanosField,
  numberField,
  objectField,
  objectsField,
  parseJson,
  stringField,
  toNumber,
} from './json-fields.ts';
import type { JsonObject } from './json-fields.ts';
import { readJsonScope } from './otlp-logs-json.ts';
import { PointFlattener } from './otlp-points.ts';
import type { DecodedMetrics, OtlpMetric, OtlpPoint } from './otlp-points.ts';
import { WireError } from './wire-error.ts';

/**
 * Reads an ExportMetricsServiceRequest in JSON into flat samples. A point that cannot be read is left out, and so are all
 * points of a metric, scope or resource that cannot be read. Throws WireError where it is no such request at all.
 */
export function decodeMetricsJson(bytes: Uint8Array): DecodedMetrics {
  const budget = new DecodeBudget();
  const flattener = new PointFlattener();
  for (const [resourceMetrics, path] of objectsField(parseJson(bytes), 'resourceMetrics', '')) {
    const read = attempt(flattener, resourceMetrics, () => ({
      scopes: [...objectsField(resourceMetrics, 'scopeMetrics', path)],
      resource: attributesField(
        objectField(resourceMetrics, 'resource', path),
        'attributes',
        `${path}.resource`,
        budget,
      ),
    }));
    for (const [scopeMetrics, scopePath] of read?.scopes ?? [])
      attempt(flattener, scopeMetrics, () => {
        const all = [...objectsField(scopeMetrics, 'metrics', scopePath)];
        const scope = readJsonScope(scopeMetrics, scopePath);
        const metrics = all.flatMap(
          ([metric, place]) =>
            attempt(flattener, metric, () => readMetric(metric, place, budget, flattener)) ?? [],
        );
        flattener.group(read!.resource, scope, metrics);
      });
  }
  return flattener.result();
}

/** Undefined where it cannot be read: then its points are left out, for one reason, whichever of many has it. */
function attempt<T>(flattener: PointFlattener, part: JsonObject, read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    flattener.reject(error.message.replaceAll(/\[\d+\]/g, '[]'), Math.max(1, pointsIn(part)));
    return undefined;
  }
}

/** Data points below a resource, scope or metric. */
function pointsIn(part: JsonObject): number {
  let points = 0;
  for (const name of ['scopeMetrics', 'metrics', 'dataPoints', ...KINDS.map(([kind]) => kind)]) {
    const inner = part[name];
    if (name === 'dataPoints') points += Array.isArray(inner) ? inner.length : 0;
    else
      for (const one of Array.isArray(inner) ? inner : [inner])
        if (typeof one === 'object' && one !== null) points += pointsIn(one as JsonObject);
  }
  return points;
}

const KINDS: readonly (readonly [string, OtlpMetric['kind']])[] = [
  ['gauge', 'gauge'],
  ['sum', 'sum'],
  ['histogram', 'histogram'],
  ['exponentialHistogram', 'exponential_histogram'],
  ['summary', 'summary'],
];

function readMetric(
  metric: JsonObject,
  path: string,
  budget: DecodeBudget,
  flattener: PointFlattener,
): OtlpMetric {
  const [field, kind] = KINDS.find(([name]) => metric[name] !== undefined && metric[name] !== null) ?? [
    '',
    'none',
  ];
  const data = field === '' ? {} : objectField(metric, field, path);
  const place = `${path}.${field}`;
  return {
    name: stringField(metric, 'name', path),
    description: stringField(metric, 'description', path),
    unit: stringField(metric, 'unit', path),
    kind,
    isMonotonic: data['isMonotonic'] === true,
    temporality: readTemporality(data, place),
    points: arrayField(data, 'dataPoints', place).flatMap((point, i) => {
      const at = `${place}.dataPoints[${i}]`;
      return attempt(flattener, {}, () => readPoint(asObject(point, at), at, kind, budget)) ?? [];
    }),
  };
}

/** A number by the specification; some senders write the enumeration's name. */
function readTemporality(data: JsonObject, path: string): number {
  const value = data['aggregationTemporality'];
  if (value === 'AGGREGATION_TEMPORALITY_CUMULATIVE') return 2;
  if (value === 'AGGREGATION_TEMPORALITY_DELTA') return 1;
  if (value === 'AGGREGATION_TEMPORALITY_UNSPECIFIED') return 0;
  return numberField(data, 'aggregationTemporality', path);
}

function readPoint(
  point: JsonObject,
  path: string,
  kind: OtlpMetric['kind'],
  budget: DecodeBudget,
): OtlpPoint {
  budget.spend(-1);
  const numbers = (name: string): number[] =>
    arrayField(point, name, path).map((value, i) => toNumber(value, `${path}.${name}[${i}]`));
  return {
    attributes: attributesField(point, 'attributes', path, budget),
    timeMs: nanosField(point, 'timeUnixNano', path).ms,
    startMs: nanosField(point, 'startTimeUnixNano', path).ms,
    flags: numberField(point, 'flags', path),
    value: numberField(point, point['asInt'] === undefined ? 'asDouble' : 'asInt', path),
    count: numberField(point, 'count', path),
    sum: numberField(point, 'sum', path),
    counts: kind === 'histogram' ? numbers('bucketCounts') : [],
    bounds: kind === 'histogram' ? numbers('explicitBounds') : [],
    quantiles: Array.from(objectsField(point, 'quantileValues', path), ([one, at]) => ({
      quantile: numberField(one, 'quantile', at),
      value: numberField(one, 'value', at),
    })),
  };
}
