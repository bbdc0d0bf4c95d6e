import { afterAll, beforeAll, expect, test } from 'vitest';
import { gzipSync } from 'node:zlib';
import snappy from 'snappyjs';
import { ProtoWriter } from '../../../src/wire/protobuf.ts';
import { ago, ask, type LokiCollector, push, startLoki } from './loki-collector.ts';

let loki: LokiCollector;
beforeAll(async () => {
  loki = await startLoki();
});
afterAll(() => loki.stop());

async function linesWith(
  job: string,
): Promise<{ stream: Record<string, string>; values: [string, string][] }[]> {
  const { text } = await ask(loki.url, '/loki/api/v1/query_range', {
    query: `{job="${job}"}`,
    start: ago(7200),
    limit: '100',
  });
  return (
    JSON.parse(text) as { data: { result: { stream: Record<string, string>; values: [string, string][] }[] } }
  ).data.result;
}

test('a push in JSON is there when it is answered, with its nanoseconds, labels and metadata', async () => {
  const time = `${Date.now() - 5000}000123`;
  const answer = await push(loki.url, [
    { stream: { job: 'json', app: 'till' }, values: [[time, 'hello', { trace_id: 't1' }]] },
  ]);
  expect([answer.status, await answer.text()]).toEqual([204, '']);
  expect(await linesWith('json')).toEqual([
    {
      stream: { app: 'till', detected_level: 'unknown', job: 'json', service_name: 'till', trace_id: 't1' },
      values: [[time, 'hello']],
    },
  ]);
});

function protobufPush(
  labels: string,
  lines: readonly { seconds: number; nanos: number; text: string; metadata?: [string, string] }[],
): Uint8Array {
  const writer = new ProtoWriter(1024);
  const stream = writer.open(1);
  writer.text(1, labels);
  for (const { seconds, nanos, text, metadata } of lines) {
    const entry = writer.open(2);
    const timestamp = writer.open(1);
    writer.uint(1, seconds);
    writer.uint(2, nanos);
    writer.close(timestamp);
    writer.text(2, text);
    if (metadata !== undefined) {
      const pair = writer.open(3);
      writer.text(1, metadata[0]);
      writer.text(2, metadata[1]);
      writer.close(pair);
    }
    writer.close(entry);
  }
  writer.close(stream);
  return writer.bytes.subarray(0, writer.length);
}

test('a push in protobuf, as a Snappy block', async () => {
  const seconds = Math.floor(Date.now() / 1000) - 3;
  const body = snappy.compress(
    protobufPush('{job="proto", host="h1"}', [
      { seconds, nanos: 1_000_007, text: 'level=warn x', metadata: ['pod', 'p1'] },
    ]),
  );
  const answer = await fetch(`${loki.url}/loki/api/v1/push`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf' },
    body,
  });
  expect(answer.status).toBe(204);
  expect(await linesWith('proto')).toEqual([
    {
      stream: { detected_level: 'warn', host: 'h1', job: 'proto', pod: 'p1', service_name: 'proto' },
      values: [[`${seconds}001000007`, 'level=warn x']],
    },
  ]);
});

test('a push may be compressed, and a repeat of it is acknowledged and not stored', async () => {
  const body = gzipSync(
    JSON.stringify({ streams: [{ stream: { job: 'gzip' }, values: [[ago(1), 'once']] }] }),
  );
  const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
  for (let i = 0; i < 2; i++) {
    expect((await fetch(`${loki.url}/loki/api/v1/push`, { method: 'POST', headers, body })).status).toBe(204);
  }
  expect((await linesWith('gzip'))[0]!.values).toHaveLength(1);
});

test('equal lines of one time are all kept, in their order', async () => {
  const time = ago(2);
  await push(loki.url, [
    {
      stream: { job: 'equal' },
      values: [
        [time, 'same'],
        [time, 'same'],
        [time, 'other'],
      ],
    },
  ]);
  const streams = await linesWith('equal');
  expect(streams.flatMap(({ values }) => values.map(([, line]) => line))).toEqual(['other', 'same', 'same']);
});

test.each([
  ['not JSON', '{"streams":', /not JSON/],
  [
    'a time that is none',
    { streams: [{ stream: { job: 'x' }, values: [['now', 'x']] }] },
    /nanoseconds since 1970/,
  ],
  [
    'metadata that is no text',
    { streams: [{ stream: { job: 'x' }, values: [[ago(1), 'x', { n: 5 }]] }] },
    /expected a text/,
  ],
  [
    'a label that cannot be',
    { streams: [{ stream: { 'bad-name': 'x' }, values: [[ago(1), 'x']] }] },
    /letters, digits/,
  ],
])('%s is refused with the reason', async (_, body, why) => {
  const answer = await fetch(`${loki.url}/loki/api/v1/push`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  expect(answer.status).toBe(400);
  expect(await answer.text()).toMatch(why);
});

test('of a push that is partly good the good lines are stored, and the answer says what was not', async () => {
  const values = [
    [ago(1), 'good'],
    [ago(-3600), 'of the future'],
    [ago(400 * 86_400), 'of the past'],
    [ago(1), 'x'.repeat(300_000)],
  ];
  const answer = await push(loki.url, [{ stream: { job: 'partly' }, values }]);
  expect(answer.status).toBe(400);
  const text = await answer.text();
  expect(text).toMatch(/^3 lines were refused/);
  expect(text).toMatch(/too new.*too old.*longer than/);
  expect((await linesWith('partly')).flatMap(({ values: found }) => found.map(([, line]) => line))).toEqual([
    'good',
  ]);
});

test('a type must be named; one that is not JSON is read as protobuf', async () => {
  const body = new Uint8Array([1, 2, 3]);
  expect((await fetch(`${loki.url}/loki/api/v1/push`, { method: 'POST', body })).status).toBe(400);
  const headers = { 'content-type': 'application/octet-stream' };
  const answer = await fetch(`${loki.url}/loki/api/v1/push`, { method: 'POST', headers, body });
  expect([answer.status, await answer.text()]).toEqual([
    400,
    expect.stringContaining('not a valid push request'),
  ]);
});

test("OTLP comes by its own path and by Loki's; both are found by LogQL", async () => {
  for (const path of ['/v1/logs', '/otlp/v1/logs']) {
    const record = {
      timeUnixNano: ago(1),
      severityNumber: 17,
      body: { stringValue: `by ${path}` },
      attributes: [{ key: 'http.status', value: { intValue: '503' } }],
    };
    const resource = {
      attributes: [
        { key: 'service.name', value: { stringValue: 'otlp' } },
        { key: 'os.type', value: { stringValue: 'linux' } },
      ],
    };
    const body = JSON.stringify({ resourceLogs: [{ resource, scopeLogs: [{ logRecords: [record] }] }] });
    expect(
      (
        await fetch(`${loki.url}${path}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body,
        })
      ).status,
    ).toBe(200);
  }
  const { text } = await ask(loki.url, '/loki/api/v1/query_range', {
    query: '{service_name="otlp"} | http_status="503"',
    start: ago(60),
  });
  const { result } = (
    JSON.parse(text) as { data: { result: { stream: Record<string, string>; values: [string, string][] }[] } }
  ).data;
  expect(result.flatMap(({ values }) => values.map(([, line]) => line)).sort()).toEqual([
    'by /otlp/v1/logs',
    'by /v1/logs',
  ]);
  expect(result[0]!.stream).toMatchObject({
    detected_level: 'error',
    severity_number: '17',
    os_type: 'linux',
    service_name: 'otlp',
  });
});
