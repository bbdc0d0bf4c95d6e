import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import snappy from 'snappyjs';
import { request } from 'undici';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ProtobufLogsSerializer } from '@opentelemetry/otlp-transformer';
import { temporaryFolder, TestCollector } from './fixture.ts';

const NOW = 1_796_000_000_000;
const JSON_TYPE = { 'content-type': 'application/json' };
const suite = fileURLToPath(new URL('../../../shared/wiretest/', import.meta.url));

let folder: ReturnType<typeof temporaryFolder>;
let collector: TestCollector;
beforeEach(async () => {
  folder = temporaryFolder();
  collector = await TestCollector.start({ path: join(folder.path, 'store.db') });
});
afterEach(async () => {
  await collector.stop();
  folder.remove();
});

async function post(path: string, body: string | Uint8Array, headers: Record<string, string> = JSON_TYPE) {
  const answer = await request(`${collector.url}${path}`, { method: 'POST', headers, body });
  const bytes = Buffer.from(await answer.body.arrayBuffer());
  return { status: answer.statusCode, headers: answer.headers, bytes };
}

async function postJson(path: string, value: unknown) {
  const { status, bytes } = await post(path, JSON.stringify(value));
  return { status, said: JSON.parse(bytes.toString()) as unknown };
}

async function records() {
  const found = await collector.store.records({
    fromMs: 0,
    toMs: NOW * 2,
    labels: [],
    text: '',
    limit: 100,
    budgetMs: 60_000,
  });
  return [...found.records].reverse();
}

const logs = (...logRecords: unknown[]): object => ({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] });
const line = (stringValue: string, more: object = {}): object => ({
  timeUnixNano: `${NOW}000000`,
  body: { stringValue },
  ...more,
});

describe('bodies in every compression', () => {
  const body = Buffer.from(JSON.stringify(logs(line('hello'))));
  const literal = Buffer.concat([
    Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0x58]),
    Buffer.from([(1 | (body.length << 3)) & 255, body.length >> 5, 0]),
    body,
  ]);
  const lz4 = Buffer.alloc(11);
  lz4.writeUInt32LE(0x184d2204);
  lz4.set([0x60, 0x40, 0xc0], 4);
  lz4.writeUInt32LE(body.length + 2 ** 31, 7);
  const frame = Buffer.from('ff060000734e61507059', 'hex');
  const chunk = Buffer.alloc(8);
  chunk.writeUInt32LE(1 + (body.length + 4) * 256);
  const encodings: readonly (readonly [string, Uint8Array])[] = [
    ['gzip', gzipSync(body)],
    ['deflate', deflateSync(body)],
    ['deflate', deflateRawSync(body)],
    ['zlib', deflateSync(body)],
    ['br', brotliCompressSync(body)],
    ['zstd', literal],
    ['snappy', new Uint8Array(snappy.compress(new Uint8Array(body)))],
    ['x-snappy-framed', Buffer.concat([frame, chunk, body])],
    ['lz4', Buffer.concat([lz4, body, Buffer.alloc(4)])],
  ];

  test.each(encodings)('%s', async (encoding, bytes) => {
    const headers = { ...JSON_TYPE, 'content-encoding': encoding };
    expect((await post('/v1/logs', bytes, headers)).status).toBe(200);
    expect(await records()).toMatchObject([{ body: 'hello' }]);
    const cut = await post('/v1/logs', bytes.subarray(0, bytes.length - 9), headers);
    expect(cut.status).toBe(400);
    const other = await post('/v1/logs', bytes, { ...JSON_TYPE, 'content-encoding': 'lzma' });
    expect(other.status).toBe(415);
    expect(other.headers['accept-encoding']).toContain(encoding);
  });

  test.skipIf(spawnSync('zstd', ['--version']).error !== undefined)(
    'a body that becomes too large is refused',
    async () => {
      const { stdout } = spawnSync('zstd', ['-q', '-c'], { input: Buffer.alloc(100_000_000) });
      const answer = await post('/v1/logs', stdout, { ...JSON_TYPE, 'content-encoding': 'zstd' });
      expect(answer.status).toBe(413);
      expect(answer.bytes.toString()).toContain('larger than the limit');
    },
  );
});

describe("protobuf's mapping to JSON", () => {
  test('enumerations by name or number, numbers as texts, ids in hex or base64, unknown names', async () => {
    const id = Buffer.from('0123456789abcdef0123456789abcdef', 'hex');
    const answer = await postJson(
      '/v1/logs',
      logs(
        line('names', {
          severityNumber: 'SEVERITY_NUMBER_WARN2',
          severityText: 'WARN',
          nobody: { knows: [1] },
        }),
        line('numbers', { severityNumber: '17', flags: '1', timeUnixNano: NOW * 1e6 }),
        line('hex', { traceId: id.toString('hex').toUpperCase(), spanId: '0123456789abcdef' }),
        line('base64', { traceId: id.toString('base64'), spanId: id.subarray(0, 8).toString('base64url') }),
        line('values', {
          severityNumber: null,
          attributes: [
            { key: 'int', value: { intValue: 5 } },
            { key: 'text', value: { intValue: '9007199254740993' } },
            { key: 'whole', value: { intValue: '1e3' } },
            { key: 'nan', value: { doubleValue: 'NaN' } },
            { key: 'bytes', value: { bytesValue: '-_8' } },
          ],
        }),
      ),
    );
    expect(answer).toEqual({ status: 200, said: {} });
    const found = await records();
    expect(found.map(({ body }) => body)).toEqual(['names', 'numbers', 'hex', 'base64', 'values']);
    expect(found[0]).toMatchObject({ severity: 14, severityText: 'WARN' });
    expect(found[1]).toMatchObject({ severity: 17, timeMs: NOW });
    for (const { traceId, spanId } of found.slice(2, 4))
      expect([traceId, spanId]).toEqual([id.toString('hex'), '0123456789abcdef']);
    expect(found[4]!.attributes).toMatchObject({
      int: 5,
      text: '9007199254740993',
      whole: 1000,
      bytes: '+/8=',
    });
  });

  test("protobuf's own names of fields", async () => {
    const snake = {
      resource_logs: [{ scope_logs: [{ log_records: [{ body: { string_value: 'snake' } }] }] }],
    };
    expect(await postJson('/v1/logs', snake)).toEqual({ status: 200, said: {} });
    expect(await records()).toMatchObject([{ body: 'snake' }]);
  });
});

describe('what is bad is left out, named and counted', () => {
  test('records in JSON', async () => {
    const bad = line('loud', { severityNumber: 'LOUD' });
    const request = {
      resourceLogs: [
        { scopeLogs: [{ logRecords: [line('a'), bad, bad, line('b'), line('id', { traceId: 'xyz' })] }] },
        { resource: { attributes: 'none' }, scopeLogs: [{ logRecords: [line('c'), line('d')] }] },
        { scopeLogs: [{ logRecords: [line('e')] }] },
      ],
    };
    const { status, said } = await postJson('/v1/logs', request);
    expect(status).toBe(200);
    const { partialSuccess } = said as { partialSuccess: Record<string, string> };
    expect(partialSuccess['rejectedLogRecords']).toBe('5');
    const place = '$.resourceLogs[].scopeLogs[].logRecords[]';
    expect(partialSuccess['errorMessage']).toBe(
      `${place}.severityNumber: expected a whole number, found "LOUD" (2); ` +
        `${place}.traceId: expected 32 hex digits, found "xyz" (1); ` +
        '$.resourceLogs[].resource.attributes: expected a list, found "none" (2)',
    );
    expect((await records()).map(({ body }) => body)).toEqual(['a', 'b', 'e']);
  });

  test('a request without a good record is refused with the reason', async () => {
    const { status, said } = await postJson('/v1/logs', logs(line('x', { timeUnixNano: 'yesterday' })));
    expect([status, said]).toMatchObject([400, { code: 3, message: expect.stringContaining('yesterday') }]);
  });

  test('records in protobuf, small and in a body that is stored as it came', async () => {
    const record = (body: string, more: Buffer = Buffer.alloc(0)): Buffer =>
      field(2, Buffer.concat([field(5, field(1, Buffer.from(body))), more]));
    const badId = field(9, Buffer.from([1, 2, 3]));
    const scope = Buffer.concat([record('a'), record('bad', badId), record('b'), record('bad', badId)]);
    const many = Buffer.concat(Array.from({ length: 2000 }, (_, i) => record(`line ${i} of many`)));
    for (const [content, count] of [
      [scope, 2],
      [Buffer.concat([scope, many]), 2002],
    ] as const) {
      const body = gzipSync(field(1, field(2, content)));
      const headers = { 'content-type': 'application/x-protobuf', 'content-encoding': 'gzip' };
      const { status, bytes } = await post('/v1/logs', body, headers);
      expect(status).toBe(200);
      const { partialSuccess } = ProtobufLogsSerializer.deserializeResponse(bytes);
      expect(Number(partialSuccess?.rejectedLogRecords)).toBe(2);
      expect(partialSuccess?.errorMessage).toBe('trace or span id of 3 bytes, expected 16 (2)');
      const all = {
        fromMs: 0,
        toMs: Number.MAX_SAFE_INTEGER,
        labels: [],
        text: '',
        limit: 5000,
        budgetMs: 60_000,
      };
      const stored = (await collector.store.records(all)).records;
      expect(stored.filter(({ body: text }) => text === 'bad')).toEqual([]);
      expect(stored.length).toBeGreaterThanOrEqual(count);
    }
  });

  test('points, each reason with its count', async () => {
    const point = { timeUnixNano: `${NOW}000000`, asDouble: 1 };
    const metrics = [
      { name: 'good', gauge: { dataPoints: [point, { ...point, timeUnixNano: 'now' }] } },
      {
        name: 'delta',
        sum: { dataPoints: [point, point], aggregationTemporality: 'AGGREGATION_TEMPORALITY_DELTA' },
      },
      { name: 'odd', gauge: { dataPoints: 'none' } },
      { name: 'exponential', exponentialHistogram: { dataPoints: [point], aggregationTemporality: 2 } },
    ];
    const { status, said } = await postJson('/v1/metrics', {
      resourceMetrics: [{ scopeMetrics: [{ metrics }] }],
    });
    expect(status).toBe(200);
    const { partialSuccess } = said as { partialSuccess: Record<string, string> };
    expect(partialSuccess['rejectedDataPoints']).toBe('5');
    const message = partialSuccess['errorMessage']!;
    for (const reason of [
      'dataPoints[].timeUnixNano: expected nanoseconds since 1970, got "now" (1)',
      'only cumulative temporality is supported (2)',
      'dataPoints: expected an array, got "none" (1)',
      'exponential histograms are not supported (1)',
    ])
      expect(message).toContain(reason);
    const series = await collector.store.select([{ name: '__name__', kind: '=', value: 'good' }], NOW, NOW);
    expect(series.map(({ values }) => [...values])).toEqual([[1]]);
  });
});

test('other signals of OTLP are refused by their name', async () => {
  for (const [path, name] of [
    ['/v1/traces', 'traces'],
    ['/v1development/profiles', 'profiles'],
  ] as const) {
    const { status, said } = await postJson(path, {});
    expect([status, said]).toMatchObject([
      404,
      { code: 12, message: expect.stringContaining(`${name} are not taken`) },
    ]);
  }
});

test.skipIf(!existsSync(join(suite, 'run.mjs')))('requests that a Collector sent', async () => {
  await collector.stop();
  collector = await TestCollector.start({
    path: join(folder.path, 'other.db'),
    store: { retention: { timeMs: 3650 * 86_400_000, bytesMax: 1e10 } },
  });
  const child = spawn(process.execPath, [join(suite, 'run.mjs'), '--url', collector.url, '--form', 'otlp']);
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await once(child, 'exit');
  expect(said).toBe('16 passed, 0 failed\n');
});

function field(number: number, content: Buffer): Buffer {
  const sizes: number[] = [];
  for (let rest = content.length; ; rest >>>= 7) {
    sizes.push(rest > 127 ? (rest & 127) | 128 : rest);
    if (rest <= 127) break;
  }
  return Buffer.concat([Buffer.from([number * 8 + 2, ...sizes]), content]);
}
