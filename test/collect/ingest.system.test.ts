import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { request } from 'undici';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeClock } from '../../src/platform/clock.ts';
import { temporaryFolder, TestCollector } from './fixture.ts';
import { logsRequest } from './requests.ts';

const NOW = 1_700_000_000_000;
const PROTOBUF = { 'content-type': 'application/x-protobuf' };
let folder: ReturnType<typeof temporaryFolder>;
let collector: TestCollector | undefined;

beforeEach(() => {
  folder = temporaryFolder();
});

afterEach(async () => {
  await collector?.stop();
  collector = undefined;
  folder.remove();
});

async function start(
  options: Partial<Parameters<typeof TestCollector.start>[0]> = {},
): Promise<TestCollector> {
  collector = await TestCollector.start({ path: join(folder.path, 'store.db'), ...options });
  return collector;
}

function send(path: string, body: Uint8Array | string, headers: Record<string, string> = PROTOBUF) {
  return request(`${collector!.url}${path}`, { method: 'POST', headers, body });
}

async function records(
  query: string,
): Promise<{ body: string; attributes: Record<string, unknown>; resource: Record<string, unknown> }[]> {
  const answer = await request(
    `${collector!.url}/api/v1/records?from=${NOW - 3_600_000}&to=${NOW + 3_600_000}&${query}`,
  );
  expect(answer.statusCode).toBe(200);
  return ((await answer.body.json()) as { data: { records: never[] } }).data.records;
}

test('records sent in protobuf with gzip come back newest first, with body, attributes and resource', async () => {
  await start();
  const body = gzipSync(
    logsRequest({ 'taffrail.source': 'web', 'host.name': 'h1' }, [
      { timeMs: NOW, body: 'first line', attributes: { status: '200' } },
      { timeMs: NOW + 5, body: 'second line', attributes: { status: '500' } },
    ]),
  );
  const answer = await send('/v1/logs', body, { ...PROTOBUF, 'content-encoding': 'gzip' });
  expect(answer.statusCode).toBe(200);
  expect(answer.headers['content-type']).toBe('application/x-protobuf');
  expect(answer.headers['taffrail-collector']).toBe('1');
  expect((await answer.body.arrayBuffer()).byteLength).toBe(0);
  expect((await records('')).map(({ body: text }) => text)).toEqual(['second line', 'first line']);
  expect(await records('label=host=h1&label=status=500&text=second')).toMatchObject([
    {
      body: 'second line',
      attributes: { status: '500', 'log.file.path': '/var/log/app.log' },
      resource: { 'taffrail.source': 'web' },
    },
  ]);
  expect(await records('label=host=h2')).toEqual([]);
});

test('records sent in JSON are the same as in protobuf', async () => {
  await start();
  const json = {
    resourceLogs: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] },
        scopeLogs: [
          {
            scope: { name: 'lib' },
            logRecords: [
              {
                timeUnixNano: `${NOW}000123`,
                severityNumber: 9,
                severityText: 'INFO',
                body: { stringValue: 'hello' },
                attributes: [
                  { key: 'n', value: { intValue: '42' } },
                  {
                    key: 'list',
                    value: { arrayValue: { values: [{ boolValue: true }, { doubleValue: 1.5 }] } },
                  },
                ],
                traceId: '0102030405060708090a0b0c0d0e0f10',
              },
            ],
          },
        ],
      },
    ],
  };
  const answer = await send('/v1/logs', JSON.stringify(json), { 'content-type': 'application/json' });
  expect(answer.statusCode).toBe(200);
  expect(await answer.body.json()).toEqual({});
  expect(await records('label=job=shop')).toMatchObject([
    {
      timeMs: NOW,
      timeNanos: 123,
      severity: 9,
      severityText: 'INFO',
      body: 'hello',
      attributes: { n: 42, list: [true, 1.5] },
      resource: { 'service.name': 'shop', 'otel.scope.name': 'lib' },
      traceId: '0102030405060708090a0b0c0d0e0f10',
    },
  ]);
});

test('a batch that is repeated is acknowledged and not stored again, whatever the order of arrival', async () => {
  await start();
  const batch = (number: number) =>
    send(
      '/v1/logs',
      logsRequest({ 'taffrail.source': 'web' }, [{ timeMs: NOW + number, body: `batch ${number}` }]),
      {
        ...PROTOBUF,
        'idempotency-key': `agent-1/e1/${number}`,
        'taffrail-instance': 'i1;gen=1',
      },
    );
  for (const number of [2, 1, 2, 3, 1, 3]) expect((await batch(number)).statusCode).toBe(200);
  expect((await records('')).map(({ body }) => body)).toEqual(['batch 3', 'batch 2', 'batch 1']);
  expect(collector!.metrics.get('repeated_batches_total')).toBe(3);
});

test('parts of a batch are stored once each, and what holds stored records is to be cut further', async () => {
  await start();
  const lines = Array.from({ length: 4 }, (_, i) => ({ timeMs: NOW + i, body: `line ${i}` }));
  const part = (key: string, first: number, last: number) =>
    send('/v1/logs', logsRequest({ 'taffrail.source': 'web' }, lines.slice(first, last + 1)), {
      ...PROTOBUF,
      'idempotency-key': `agent-1/e1/${key}`,
      'taffrail-instance': 'i1;gen=1',
      ...(key.includes('/') ? { 'taffrail-records': `${first}-${last}/4` } : {}),
    });
  expect((await part('7/2', 0, 1)).statusCode).toBe(200);
  expect((await part('7/2', 0, 1)).statusCode).toBe(200);
  const whole = await part('7', 0, 3);
  expect(whole.statusCode).toBe(413);
  expect(whole.headers['taffrail-split']).toBe('parts-stored');
  expect((await part('7/3', 2, 3)).statusCode).toBe(200);
  expect((await part('7', 0, 3)).statusCode).toBe(200);
  expect((await part('7/6', 2, 2)).statusCode).toBe(200);
  expect((await records('')).map(({ body }) => body)).toEqual(['line 3', 'line 2', 'line 1', 'line 0']);
  expect((await part('8/2', 0, 4)).statusCode).toBe(400);
  const bad = await send('/v1/logs', logsRequest({}, []), {
    ...PROTOBUF,
    'idempotency-key': 'a/e/1/x',
    'taffrail-instance': 'i;gen=1',
  });
  expect(bad.statusCode).toBe(400);
});

test('every answer names the store, which stays the same after a restart', async () => {
  const first = await start();
  const answer = await send('/v1/logs', 'no', { 'content-type': 'text/plain' });
  const id = answer.headers['taffrail-store'];
  expect(id).toMatch(/^[0-9a-f]{32}$/);
  await first.stop();
  await start();
  expect((await send('/v1/logs', logsRequest({}, []))).headers['taffrail-store']).toBe(id);
});

test('repeats are known after settled batches were added up, and after a restart of the collector', async () => {
  await start();
  const batch = (number: number, settled: number) =>
    send(
      '/v1/logs',
      logsRequest({ 'taffrail.source': 'web' }, [{ timeMs: NOW + number, body: `batch ${number}` }]),
      {
        ...PROTOBUF,
        'idempotency-key': `agent-1/e1/${number}`,
        'taffrail-settled': String(settled),
      },
    );
  for (const number of [1, 2, 3]) await batch(number, number - 1);
  await heartbeat({ throughBatch: 2, deliveredRecords: { web: 2 } });
  await batch(4, 2);
  expect(await fleet()).toMatchObject([
    { settled: 2, difference: 0, ledger: [{ source: 'web', delivered: 2, stored: 2, storedTotal: 4 }] },
  ]);
  await collector!.stop();
  await start();
  for (const number of [1, 2, 3, 4]) expect((await batch(number, 2)).statusCode).toBe(200);
  expect(await records('')).toHaveLength(4);
});

function heartbeat(more: object): Promise<unknown> {
  const beat = {
    agent: 'agent-1',
    epoch: 'e1',
    instance: 'i1',
    generation: 1,
    version: '1.0',
    host: 'h1',
    throughBatch: 0,
    ...more,
  };
  return send('/api/v1/agents/heartbeat', JSON.stringify(beat), { 'content-type': 'application/json' });
}

async function fleet(): Promise<unknown[]> {
  const answer = await request(`${collector!.url}/api/v1/agents`);
  return ((await answer.body.json()) as { data: { agents: unknown[] } }).data.agents;
}

test('the fleet shows a difference between what an agent delivered and what is stored', async () => {
  await start();
  await send('/v1/logs', logsRequest({ 'taffrail.source': 'web' }, [{ timeMs: NOW, body: 'a' }]), {
    ...PROTOBUF,
    'idempotency-key': 'agent-1/e1/1',
    'taffrail-instance': 'i1;gen=1',
  });
  await heartbeat({ throughBatch: 1, deliveredRecords: { web: 3 } });
  expect(await fleet()).toMatchObject([
    { agent: 'agent-1', difference: 2, ledger: [{ source: 'web', delivered: 3, stored: 1, difference: 2 }] },
  ]);
});

test('an agent that comes from another collector is compared from then on', async () => {
  await start();
  const batch = (number: number) =>
    send(
      '/v1/logs',
      logsRequest({ 'taffrail.source': 'web' }, [{ timeMs: NOW + number, body: `${number}` }]),
      {
        ...PROTOBUF,
        'idempotency-key': `agent-1/e1/${number}`,
        'taffrail-settled': '8',
      },
    );
  for (const number of [8, 9]) await batch(number);
  // Nine of them here would be wrong; seven were delivered before.
  await heartbeat({ throughBatch: 8, deliveredRecords: { web: 8, db: 5 } });
  expect(await fleet()).toMatchObject([
    {
      difference: 0,
      ledger: [
        { source: 'db', delivered: 5, before: 5, stored: 0, difference: 0 },
        { source: 'web', delivered: 8, before: 7, stored: 1, difference: 0 },
      ],
    },
  ]);
  await heartbeat({ throughBatch: 9, deliveredRecords: { web: 9, db: 5 } });
  expect(await fleet()).toMatchObject([{ difference: 0 }]);
  await heartbeat({ throughBatch: 10, deliveredRecords: { web: 10, db: 5 } });
  expect(await fleet()).toMatchObject([{ difference: 1 }]);
});

test('two processes under one identity are refused and reported, and their records are not mixed', async () => {
  const clock = new FakeClock(NOW);
  await start({ clock });
  const from = (instance: string, number: number) =>
    send(
      '/v1/logs',
      logsRequest({ 'taffrail.source': 'web' }, [{ timeMs: NOW + number, body: `${instance} ${number}` }]),
      {
        ...PROTOBUF,
        'idempotency-key': `agent-1/e1/${number}`,
        'taffrail-instance': instance,
      },
    );
  expect((await from('a;gen=5', 1)).statusCode).toBe(200);
  const clone = await from('b;gen=5', 2);
  expect(clone.statusCode).toBe(409);
  expect(await clone.body.text()).toContain('two agents speak as agent-1');
  expect((await from('c;gen=6', 2)).statusCode).toBe(200);
  expect((await from('a;gen=5', 3)).statusCode).toBe(200);
  await clock.advance(61_000);
  expect((await from('a;gen=5', 4)).statusCode).toBe(409);
  expect(collector!.metrics.get('identity_conflicts_total')).toBe(2);
  expect(await fleet()).toMatchObject([{ agent: 'agent-1', conflicts: 2, generation: 6, instance: 'c' }]);
  expect((await records('')).map(({ body }) => body)).toEqual(['a;gen=5 3', 'c;gen=6 2', 'a;gen=5 1']);
});

test('with tokens, a request needs one of them', async () => {
  await start({ tokens: ['one', 'two'] });
  const body = logsRequest({}, [{ timeMs: NOW, body: 'a' }]);
  const without = await send('/v1/logs', body);
  expect(without.statusCode).toBe(401);
  expect(await without.body.text()).toContain('needs a token');
  expect((await send('/v1/logs', body, { ...PROTOBUF, authorization: 'Bearer three' })).statusCode).toBe(401);
  expect((await send('/v1/logs', body, { ...PROTOBUF, authorization: 'Bearer two' })).statusCode).toBe(200);
  const basic = `Basic ${Buffer.from('anybody:one').toString('base64')}`;
  expect((await send('/v1/logs', body, { ...PROTOBUF, authorization: basic })).statusCode).toBe(200);
});

test.each([
  ['another content type', 'hello', { 'content-type': 'text/plain' }, 415, 'application/x-protobuf'],
  ['no JSON', '{', { 'content-type': 'application/json' }, 400, 'not JSON'],
  [
    'a wrong field',
    '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"x"}]}]}]}',
    { 'content-type': 'application/json' },
    400,
    '$.resourceLogs[].scopeLogs[].logRecords[].timeUnixNano: expected a whole number, found \\"x\\"',
  ],
  ['cut protobuf', Buffer.from([0x0a, 0x20, 0x01]), PROTOBUF, 400, 'truncated'],
  [
    'a key that is none',
    '',
    { ...PROTOBUF, 'idempotency-key': 'a/b/x', 'taffrail-instance': 'i;gen=1' },
    400,
    'Idempotency-Key',
  ],
])('%s is refused with a reason', async (_what, body, headers, status, reason) => {
  await start();
  const answer = await send('/v1/logs', body, headers);
  expect(answer.statusCode).toBe(status);
  expect(await answer.body.text()).toContain(reason);
});

test('values nested too deeply are refused, in protobuf and in JSON', async () => {
  await start();
  let value: object = { stringValue: 'x' };
  for (let i = 0; i < 30; i++) value = { arrayValue: { values: [value] } };
  const json = JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: value }] }] }] });
  const answer = await send('/v1/logs', json, { 'content-type': 'application/json' });
  expect(answer.statusCode).toBe(400);
  expect(await answer.body.text()).toContain('nested deeper than');
});

test('a sender over its rate gets 429 with Retry-After', async () => {
  await start({ requestsPerSecond: 1, clock: new FakeClock(NOW) });
  const body = logsRequest({}, [{ timeMs: NOW, body: 'a' }]);
  const codes = [];
  for (let i = 0; i < 3; i++) codes.push((await send('/v1/logs', body)).statusCode);
  expect(codes).toEqual([200, 200, 429]);
});

test('a body that is too large is refused in the form that OTLP demands', async () => {
  await start();
  const answer = await send('/v1/logs', Buffer.alloc(17 * 1024 * 1024), {
    'content-type': 'application/json',
  });
  expect(answer.statusCode).toBe(413);
  expect(await answer.body.json()).toEqual({
    code: 3,
    message: 'the body is larger than the limit of 16777216 bytes',
  });
});

test('a heartbeat that is none is refused with the key and what it must be', async () => {
  await start();
  const json = { 'content-type': 'application/json' };
  const wrong = await send('/api/v1/agents/heartbeat', '{"agent":"a b"}', json);
  expect(wrong.statusCode).toBe(400);
  expect(await wrong.body.text()).toContain('"agent\\" must be a word');
  expect((await send('/api/v1/agents/heartbeat', '{}', { 'content-type': 'text/plain' })).statusCode).toBe(
    415,
  );
});
