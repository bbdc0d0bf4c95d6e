import { DecodeBudget } from './any-value.ts';
import {
  arrayField,
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

/** Reads an ExportMetricsServiceRequest in JSON into flat samples. Throws WireError with the path of what is wrong. */
export function decodeMetricsJson(bytes: Uint8Array): DecodedMetrics {
  const budget = new DecodeBudget();
  const flattener = new PointFlattener();
  for (const [resourceMetrics, path] of objectsField(parseJson(bytes), 'resourceMetrics', '')) {
    const resource = attributesField(
      objectField(resourceMetrics, 'resource', path),
      'attributes',
      `${path}.resource`,
      budget,
    );
    for (const [scopeMetrics, scopePath] of objectsField(resourceMetrics, 'scopeMetrics', path)) {
      const metrics = Array.from(objectsField(scopeMetrics, 'metrics', scopePath), ([metric, place]) =>
        readMetric(metric, place, budget),
      );
      flattener.group(resource, readJsonScope(scopeMetrics, scopePath), metrics);
    }
  }
  return flattener.result();
}

const KINDS: readonly (readonly [string, OtlpMetric['kind']])[] = [
  ['gauge', 'gauge'],
  ['sum', 'sum'],
  ['histogram', 'histogram'],
  ['exponentialHistogram', 'exponential_histogram'],
  ['summary', 'summary'],
];

function readMetric(metric: JsonObject, path: string, budget: DecodeBudget): OtlpMetric {
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
    points: Array.from(objectsField(data, 'dataPoints', place), ([point, at]) =>
      readPoint(point, at, kind, budget),
    ),
  };
}

/** A number by the specification; some senders write the enumeration's name. */
function readTemporality(data: JsonObject, path: string): number {
  const value = data['aggregationTemporality'];
  if (value === 'AGGREGATION_TEMPORALITY_CUMULATIVE') return 2;
  if (value === 'AGGREGATION_TEMPORALITY_DELTA') return 1;
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
