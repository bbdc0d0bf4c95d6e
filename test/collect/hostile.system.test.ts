import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { request } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fc } from '../fuzz.ts';
import { Taffrail, type TaffrailProcess, until } from '../behaviour/run-taffrail.ts';
import { logsRequest } from './requests.ts';

const PATHS = ['/v1/logs', '/v1/metrics', '/api/v1/write', '/api/v1/agents/heartbeat'] as const;
const BODY_BYTES_MAX = 256 * 1024;
let t: Taffrail;
let collector: TaffrailProcess;
let pid: number;
let good = 0;

beforeAll(async () => {
  t = new Taffrail();
  collector = await t.collector({ limits: { max_body_bytes: '256KiB', requests_per_second: 100_000 } });
  ({ pid } = collector);
});
afterAll(() => t.dispose());

async function post(
  path: string,
  body: Uint8Array | string,
  headers: Record<string, string> = { 'content-type': 'application/x-protobuf' },
): Promise<number> {
  const answer = await request(`${collector.url}${path}`, { method: 'POST', headers, body });
  await answer.body.dump();
  return answer.statusCode;
}

/** The same process still takes what is well formed, and has all of it. */
async function livesOn(): Promise<void> {
  good++;
  const body = logsRequest({ 'taffrail.source': 'good' }, [{ timeMs: Date.now(), body: `good ${good}` }]);
  expect(await post('/v1/logs', body)).toBe(200);
  const { text } = await collector.get('/api/v1/records/count?label=source=good');
  expect((JSON.parse(text) as { data: { count: number } }).data.count).toBe(good);
  expect(collector.pid).toBe(pid);
  expect(collector.log('a request handler failed')).toEqual([]);
}

const headersOf = fc.record(
  {
    'content-type': fc.constantFrom(
      'application/x-protobuf',
      'application/json',
      'text/plain',
      'application/x-protobuf; proto=io.prometheus.write.v2.Request',
      '',
    ),
    'content-encoding': fc.constantFrom('gzip', 'deflate', 'br', 'snappy', 'identity', 'compress', 'zstd'),
    'idempotency-key': fc.constantFrom(
      'a/b/1',
      'a/b/0',
      'a/b/x',
      '////',
      'a/b/99999999999999999999',
      '../../1',
    ),
    'taffrail-instance': fc.constantFrom('i;gen=1', 'gen', ';;;', `${'i'.repeat(300)};gen=1`),
    'taffrail-settled': fc.constantFrom('0', '-1', '1e9', 'all'),
  },
  { requiredKeys: [] },
);

test('any body under any headers is answered, and costs the collector nothing', async () => {
  const json = fc.json({ maxDepth: 6 }).map((text) => Buffer.from(text));
  const changed = fc.tuple(fc.nat(60), fc.nat(255)).map(([at, byte]) => {
    const body = Buffer.from(logsRequest({ 'taffrail.source': 'bad' }, [{ timeMs: 1, body: 'a line' }]));
    body[at % body.length] = byte;
    return body;
  });
  const body = fc.oneof(
    fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes)),
    json,
    changed,
    changed.map((bytes) => gzipSync(bytes)),
  );
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...PATHS), body, headersOf, async (path, bytes, headers) => {
      const present = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined));
      const status = await post(path, bytes, present as Record<string, string>);
      expect([200, 204, 400, 409, 413, 415]).toContain(status);
    }),
    { numRuns: 400, seed: 20_261_122 },
  );
  await livesOn();
});

test('a body over the limit gets 413, announced or not, compressed or not', async () => {
  const large = Buffer.alloc(BODY_BYTES_MAX + 1, 1);
  for (const path of ['/v1/logs', '/v1/metrics']) expect(await post(path, large)).toBe(413);
  const parts = async function* (): AsyncGenerator<Buffer> {
    for (let i = 0; i < 10; i++) yield await Promise.resolve(Buffer.alloc(64 * 1024));
  };
  const answer = await request(`${collector.url}/v1/logs`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf' },
    body: Readable.from(parts()),
  });
  expect(answer.statusCode).toBe(413);
  await answer.body.dump();
  await livesOn();
});

test('a body that unpacks to more than the limit gets 413', async () => {
  const zeros = Buffer.alloc(64 * 1024 * 1024);
  const bombs = [
    ['gzip', gzipSync(zeros)],
    ['deflate', deflateSync(zeros)],
    ['br', brotliCompressSync(zeros)],
  ] as const;
  const before = collector.residentBytes();
  for (const [encoding, bomb] of bombs) {
    const headers = { 'content-type': 'application/x-protobuf', 'content-encoding': encoding };
    const statuses = await Promise.all(Array.from({ length: 8 }, () => post('/v1/logs', bomb, headers)));
    expect(statuses, encoding).toEqual(Array.from({ length: 8 }, () => 413));
  }
  expect(collector.residentBytes() - before).toBeLessThan(zeros.length * 4);
  await livesOn();
});

test('values nested deeply are refused or passed over', async () => {
  const deep = (open: string, close: string, inner: string): string =>
    open.repeat(10_000) + inner + close.repeat(10_000);
  const json = { 'content-type': 'application/json' };
  expect(await post('/v1/logs', deep('[', ']', ''), json)).toBe(400);
  // A key that OTLP does not know is not looked into.
  expect([200, 400]).toContain(await post('/v1/metrics', deep('{"a":', '}', '1'), json));
  expect(await post('/api/v1/agents/heartbeat', deep('[', ']', ''), json)).toBe(400);
  const value = deep('{"arrayValue":{"values":[', ']}}', '{"stringValue":"x"}');
  const logs = `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":${value}}]}]}]}`;
  expect([400, 413]).toContain(await post('/v1/logs', logs, json));
  await livesOn();
});

test('thousands of labels, and names that are none, are refused or bounded', async () => {
  const json = { 'content-type': 'application/json' };
  const attributes = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ key: `label_${i}`, value: { stringValue: 'v' } }));
  const gauge = (labels: object[], name = 'many') =>
    JSON.stringify({
      resourceMetrics: [
        {
          scopeMetrics: [
            {
              metrics: [
                {
                  name,
                  gauge: {
                    dataPoints: [{ asDouble: 1, timeUnixNano: `${Date.now()}000000`, attributes: labels }],
                  },
                },
              ],
            },
          ],
        },
      ],
    });
  for (const body of [
    gauge(attributes(3000)),
    gauge([], ''),
    gauge([], '\u0000'),
    gauge([], 'x'.repeat(50_000)),
  ])
    expect([200, 400]).toContain(await post('/v1/metrics', body, json));
  expect(
    await post(
      '/v1/logs',
      JSON.stringify({
        resourceLogs: [
          { scopeLogs: [{ logRecords: [{ body: { stringValue: 'b' }, attributes: attributes(3000) }] }] },
        ],
      }),
      json,
    ),
  ).toBe(200);
  expect((await collector.get('/api/v1/query?query=many')).status).toBe(200);
  await livesOn();
});

test('senders that stop in the middle cost no more than their connection', async () => {
  const { hostname, port } = new URL(collector.url);
  const head = 'POST /v1/logs HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\n';
  const unfinished = [
    'POST /v1/l',
    head,
    `${head}content-length: 1000\r\n\r\nhalf`,
    `${head}transfer-encoding: chunked\r\n\r\n5\r\nhel`,
  ];
  const sockets = Array.from({ length: 100 }, (_, i) => {
    const socket = connect(Number(port), hostname);
    socket.on('error', () => undefined);
    socket.write(unfinished[i % unfinished.length]!);
    return socket;
  });
  await Promise.all(sockets.map((socket) => new Promise((done) => socket.once('connect', done))));
  await livesOn();
  for (const socket of sockets) socket.destroy();
  const held = async (): Promise<number> =>
    collector.openFiles().filter((name) => name.startsWith('socket:')).length;
  await until(async () => (await held()) < 30, 'the connections to be let go');
  await livesOn();
});

test('what is no HTTP is answered with 400, or cut off', async () => {
  const { hostname, port } = new URL(collector.url);
  for (const text of [
    '\u0016\u0003\u0001\u0002\u0000\u0001',
    'GET / HTTP/9.9\r\n\r\n',
    'POST /v1/logs HTTP/1.1\r\nhost: x\r\ncontent-length: -5\r\n\r\n',
    `GET / HTTP/1.1\r\nhost: x\r\nlong: ${'x'.repeat(100_000)}\r\n\r\n`,
    'POST /v1/logs HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n',
  ]) {
    const answer = await new Promise<string>((resolve) => {
      let received = '';
      const socket = connect(Number(port), hostname, () => socket.write(text));
      socket.setEncoding('latin1').on('data', (part: string) => (received += part));
      socket.on('close', () => resolve(received)).on('error', () => undefined);
    });
    expect(answer === '' || /^HTTP\/1\.1 4\d\d /.test(answer), answer).toBe(true);
  }
  await livesOn();
});
