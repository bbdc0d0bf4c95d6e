import {
  ProtobufLogsSerializer,
  JsonLogsSerializer,
  JsonMetricsSerializer,
  ProtobufMetricsSerializer,
} from '@opentelemetry/otlp-transformer';
import { expect, test } from 'vitest';
import { decodeLogsJson } from '../../src/wire/otlp-logs-json.ts';
import { decodeLogsRequest } from '../../src/wire/otlp-logs.ts';
import { decodeMetricsRequest } from '../../src/wire/otlp-metrics-decode.ts';
import { decodeMetricsJson } from '../../src/wire/otlp-metrics-json.ts';

/** What OpenTelemetry's own encoder writes, we must read: the reference for both decoders. */
const resource = {
  attributes: { 'service.name': 'shop', 'service.namespace': 'prod', 'host.name': 'h1' },
  asyncAttributesPending: false,
  getRawAttributes: () => [],
  merge: () => resource,
};
const instrumentationScope = { name: 'lib', version: '1.2.3' };

type LogRecords = Parameters<typeof ProtobufLogsSerializer.serializeRequest>[0];
const record = (more: object): object => ({
  hrTime: [1_700_000_000, 123_456_789],
  hrTimeObserved: [1_700_000_001, 0],
  resource,
  instrumentationScope,
  attributes: {},
  droppedAttributesCount: 0,
  ...more,
});

const records = [
  record({ body: 'plain', severityNumber: 17, severityText: 'ERROR', eventName: 'order.failed' }),
  record({
    body: { nested: { list: [1, -2, 0.5, 'x', true, null] } },
    attributes: {
      text: 'naïve 🚢',
      int: 42,
      negative: -7,
      double: 1.5,
      yes: true,
      list: ['a', 'b'],
      map: { k: 'v' },
    },
    spanContext: { traceId: '0123456789abcdef0123456789abcdef', spanId: 'fedcba9876543210', traceFlags: 1 },
  }),
] as unknown as LogRecords;

const expectedRecords = [
  {
    timeMs: 1_700_000_000_123,
    timeNanos: 456_789,
    observedMs: 1_700_000_001_000,
    severity: 17,
    severityText: 'ERROR',
    body: 'plain',
    attributes: {},
    traceId: '',
    spanId: '',
    flags: 0,
    eventName: 'order.failed',
  },
  {
    timeMs: 1_700_000_000_123,
    timeNanos: 456_789,
    observedMs: 1_700_000_001_000,
    severity: 0,
    severityText: '',
    body: { nested: { list: [1, -2, 0.5, 'x', true, null] } },
    attributes: {
      text: 'naïve 🚢',
      int: 42,
      negative: -7,
      double: 1.5,
      yes: true,
      list: ['a', 'b'],
      map: { k: 'v' },
    },
    traceId: '0123456789abcdef0123456789abcdef',
    spanId: 'fedcba9876543210',
    flags: 1,
    eventName: '',
  },
];

test('log records of the reference encoder are read alike from protobuf and JSON', () => {
  const expected = [{ resource: resource.attributes, scope: instrumentationScope, records: expectedRecords }];
  expect(decodeLogsRequest(ProtobufLogsSerializer.serializeRequest(records)!)).toEqual(expected);
  expect(decodeLogsJson(JsonLogsSerializer.serializeRequest(records)!)).toEqual(expected);
});

type ResourceMetrics = Parameters<typeof ProtobufMetricsSerializer.serializeRequest>[0];
const times = { startTime: [1_700_000_000, 0], endTime: [1_700_000_010, 500_000_000] };
const descriptor = (name: string, unit: string): object => ({
  name,
  unit,
  description: `About ${name}.`,
  valueType: 1,
});
const CUMULATIVE = 1;
const DELTA = 0;

const metrics = {
  resource,
  scopeMetrics: [
    {
      scope: instrumentationScope,
      metrics: [
        {
          descriptor: descriptor('http.server.requests', '{request}'),
          aggregationTemporality: CUMULATIVE,
          dataPointType: 3,
          isMonotonic: true,
          dataPoints: [{ ...times, attributes: { 'http.method': 'GET', code: 200 }, value: 12 }],
        },
        {
          descriptor: descriptor('queue.depth', '1'),
          aggregationTemporality: CUMULATIVE,
          dataPointType: 2,
          dataPoints: [{ ...times, attributes: {}, value: 0.5 }],
        },
        {
          descriptor: descriptor('http.server.duration', 'ms'),
          aggregationTemporality: CUMULATIVE,
          dataPointType: 0,
          dataPoints: [
            {
              ...times,
              attributes: {},
              value: {
                buckets: { boundaries: [10, 100], counts: [3, 2, 1] },
                count: 6,
                sum: 412.5,
                min: 1,
                max: 300,
              },
            },
          ],
        },
        {
          descriptor: descriptor('delta.sum', ''),
          aggregationTemporality: DELTA,
          dataPointType: 3,
          isMonotonic: true,
          dataPoints: [{ ...times, attributes: {}, value: 1 }],
        },
        {
          descriptor: descriptor('exp', ''),
          aggregationTemporality: CUMULATIVE,
          dataPointType: 1,
          dataPoints: [
            {
              ...times,
              attributes: { a: 'b' },
              value: {
                count: 1,
                sum: 1,
                scale: 0,
                zeroCount: 0,
                positive: { offset: 0, bucketCounts: [1] },
                negative: { offset: 0, bucketCounts: [] },
                min: 1,
                max: 1,
              },
            },
          ],
        },
      ],
    },
  ],
} as unknown as ResourceMetrics;

test('metrics of the reference encoder become flat series with Prometheus names, alike from protobuf and JSON', () => {
  const fromProtobuf = decodeMetricsRequest(ProtobufMetricsSerializer.serializeRequest(metrics)!);
  expect(decodeMetricsJson(JsonMetricsSerializer.serializeRequest(metrics)!)).toEqual(fromProtobuf);
  expect(fromProtobuf.points).toBe(3);
  expect(Object.fromEntries(fromProtobuf.rejected)).toEqual({
    'only cumulative temporality is supported': 1,
    'exponential histograms are not supported': 1,
  });
  const [group] = fromProtobuf.groups;
  const shared = { instance: 'h1', job: 'prod/shop' };
  expect(group!.samples.map(({ name, labels, value }) => [name, labels, value])).toEqual([
    ['http_server_requests_total', { code: '200', http_method: 'GET', ...shared }, 12],
    ['queue_depth_ratio', shared, 0.5],
    ['http_server_duration_milliseconds_bucket', { ...shared, le: '10' }, 3],
    ['http_server_duration_milliseconds_bucket', { ...shared, le: '100' }, 5],
    ['http_server_duration_milliseconds_bucket', { ...shared, le: '+Inf' }, 6],
    ['http_server_duration_milliseconds_sum', shared, 412.5],
    ['http_server_duration_milliseconds_count', shared, 6],
  ]);
  expect(new Set(group!.samples.map(({ timeMs }) => timeMs))).toEqual(new Set([1_700_000_010_500]));
});
