import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import {
  JsonLogsSerializer,
  JsonMetricsSerializer,
  ProtobufLogsSerializer,
  ProtobufMetricsSerializer,
} from '@opentelemetry/otlp-transformer';
import { request } from 'undici';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ProtoReader } from '../../src/wire/protobuf.ts';
import { temporaryFolder, TestCollector } from './fixture.ts';

const NOW = 1_700_000_000_000;
const TOKEN = 'one-token';
const resource = {
  attributes: { 'service.name': 'shop', 'service.instance.id': 'i1', 'k8s.pod.name': 'pod-1' },
  asyncAttributesPending: false,
  getRawAttributes: () => [],
  merge: () => resource,
};
const hrTime = [NOW / 1000, 0];
type LogRecords = Parameters<typeof ProtobufLogsSerializer.serializeRequest>[0];
const logs = [
  {
    hrTime,
    hrTimeObserved: hrTime,
    resource,
    instrumentationScope: { name: 'lib' },
    attributes: { 'order.id': 42 },
    droppedAttributesCount: 0,
    severityNumber: 17,
    severityText: 'ERROR',
    body: 'payment refused',
  },
] as unknown as LogRecords;

type Metrics = Parameters<typeof ProtobufMetricsSerializer.serializeRequest>[0];
const point = (value: unknown): object => ({
  startTime: hrTime,
  endTime: hrTime,
  attributes: { way: 'in' },
  value,
});
const metrics = {
  resource,
  scopeMetrics: [
    {
      scope: { name: 'lib' },
      metrics: [
        {
          descriptor: { name: 'requests', description: 'All.', unit: '', type: 'COUNTER', valueType: 1 },
          aggregationTemporality: 1,
          dataPointType: 3,
          isMonotonic: true,
          dataPoints: [point(7)],
        },
        {
          descriptor: { name: 'delta', description: '', unit: '', type: 'COUNTER', valueType: 1 },
          aggregationTemporality: 0,
          dataPointType: 3,
          isMonotonic: true,
          dataPoints: [point(1)],
        },
      ],
    },
  ],
} as unknown as Metrics;

const ENCODINGS = [
  {
    type: 'application/x-protobuf',
    logs: ProtobufLogsSerializer,
    metrics: ProtobufMetricsSerializer,
    status: readStatus,
  },
  {
    type: 'application/json',
    logs: JsonLogsSerializer,
    metrics: JsonMetricsSerializer,
    status: (bytes: Uint8Array) => JSON.parse(Buffer.from(bytes).toString()) as Status,
  },
] as const;

interface Status {
  readonly code: number;
  readonly message: string;
}

/** google.rpc.Status: code = 1, message = 2. */
function readStatus(bytes: Uint8Array): Status {
  const reader = new ProtoReader(bytes);
  let status = { code: 0, message: '' };
  while (reader.next()) {
    if (reader.field === 1) status = { ...status, code: reader.uint() };
    else if (reader.field === 2) status = { ...status, message: reader.string() };
    else reader.skip();
  }
  return status;
}

let folder: ReturnType<typeof temporaryFolder>;
let collector: TestCollector;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(async () => {
  await collector.stop();
  folder.remove();
});

async function start(options: Partial<Parameters<typeof TestCollector.start>[0]> = {}): Promise<void> {
  collector = await TestCollector.start({ path: join(folder.path, 'store.db'), ...options });
}

async function post(
  path: string,
  body: Uint8Array,
  headers: Record<string, string>,
): Promise<{ status: number; type: string; retryAfter: string; bytes: Uint8Array }> {
  const answer = await request(`${collector.url}${path}`, { method: 'POST', headers, body });
  return {
    status: answer.statusCode,
    type: String(answer.headers['content-type']),
    retryAfter: String(answer.headers['retry-after'] ?? ''),
    bytes: new Uint8Array(await answer.body.arrayBuffer()),
  };
}

describe.each(ENCODINGS)("OpenTelemetry's own encoder, $type", (encoding) => {
  const { type } = encoding;
  const gzip = { 'content-type': type, 'content-encoding': 'gzip' };

  test('logs are stored with resource, attributes and severity, plain and gzip', async () => {
    await start();
    const body = encoding.logs.serializeRequest(logs)!;
    for (const [bytes, headers] of [
      [body, { 'content-type': `${type}; charset=utf-8` }],
      [gzipSync(body), gzip],
    ] as const) {
      const answer = await post('/v1/logs', bytes, headers);
      expect([answer.status, answer.type]).toEqual([200, type]);
      expect(encoding.logs.deserializeResponse(answer.bytes)).toEqual({});
    }
    const filter = [
      { name: 'job', value: 'shop' },
      { name: 'order_id', value: '42' },
    ];
    const { records } = await collector.store.records({
      fromMs: NOW - 1000,
      toMs: NOW + 1000,
      labels: filter,
      text: 'refused',
      limit: 10,
      budgetMs: 5000,
    });
    expect(records).toHaveLength(2);
    expect(records[0]).toMatchObject({
      timeMs: NOW,
      body: 'payment refused',
      severity: 17,
      severityText: 'ERROR',
      attributes: { 'order.id': 42 },
      resource: resource.attributes,
    });
  });

  test('metrics are stored under their Prometheus names, and what cannot be kept is counted in the answer', async () => {
    await start();
    const answer = await post('/v1/metrics', gzipSync(encoding.metrics.serializeRequest(metrics)!), gzip);
    expect([answer.status, answer.type]).toEqual([200, type]);
    const { partialSuccess } = encoding.metrics.deserializeResponse(answer.bytes);
    expect(Number(partialSuccess?.rejectedDataPoints)).toBe(1);
    expect(partialSuccess?.errorMessage).toContain('cumulative');
    const series = await collector.store.select(
      [{ name: '__name__', kind: '=', value: 'requests_total' }],
      NOW,
      NOW,
    );
    expect(series.map(({ labels, values }) => [labels, [...values]])).toEqual([
      [{ __name__: 'requests_total', job: 'shop', instance: 'i1', k8s_pod_name: 'pod-1', way: 'in' }, [7]],
    ]);
  });

  test('every refusal is a Status in the encoding of its request', async () => {
    await start({ tokens: [TOKEN], requestsPerSecond: 2 });
    const known = { 'content-type': type, authorization: `Bearer ${TOKEN}` };
    const refusals = [
      { headers: { 'content-type': type }, body: Buffer.alloc(0), status: 401, code: 16 },
      { headers: known, body: Buffer.from('\xff{no request'), status: 400, code: 3 },
      {
        headers: { ...known, 'content-encoding': 'gzip' },
        body: Buffer.from('no gzip'),
        status: 400,
        code: 3,
      },
      { headers: { ...known, 'content-encoding': 'lzma' }, body: Buffer.from('?'), status: 415, code: 3 },
    ];
    for (const { headers, body, status, code } of refusals) {
      const answer = await post('/v1/logs', body, headers);
      expect([answer.status, answer.type]).toEqual([status, type]);
      const said = encoding.status(answer.bytes);
      expect(said.code).toBe(code);
      expect(said.message).not.toBe('');
    }
    let last;
    do last = await post('/v1/metrics', Buffer.alloc(0), known);
    while (last.status !== 429);
    expect(last).toMatchObject({ type, retryAfter: '1' });
    expect(encoding.status(last.bytes).code).toBe(8);
  });
});

test('a body of another type is refused with what would be taken', async () => {
  await start();
  const answer = await post('/v1/logs', Buffer.from('text'), { 'content-type': 'text/plain' });
  expect([answer.status, answer.type]).toEqual([415, 'application/json']);
  expect(JSON.parse(Buffer.from(answer.bytes).toString())).toEqual({
    code: 3,
    message: 'Content-Type "text/plain" is not taken; send application/x-protobuf or application/json',
  });
});
