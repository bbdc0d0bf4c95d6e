import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LocalStore } from '../../../src/collect/store/local-store.ts';
import { plainBody } from '../../../src/platform/encoded-body.ts';
import { RemoteWriteEncoder } from '../../../src/wire/remote-write.ts';
import { queryWorker, temporaryFolder } from '../fixture.ts';
import { flat } from './head-fixture.ts';

const NOW = 1_700_000_000_000;
/** Far more steps than a query may take the time for. */
const LONG = 'sum_over_time(sum(sin(m) + cos(m) * m)[20m:5ms])';
let folder: ReturnType<typeof temporaryFolder>;
let store: LocalStore;

beforeEach(() => {
  folder = temporaryFolder();
});

afterEach(async () => {
  await store.close();
  folder.remove();
});

async function open(queryTimeoutMs: number): Promise<void> {
  store = await LocalStore.open({
    path: join(folder.path, 'store.sqlite'),
    retention: { timeMs: 1e12, bytesMax: 1e12 },
    maintenanceMs: 3_600_000,
    queryTimeoutMs,
    queryWorker,
  });
  const encoder = new RemoteWriteEncoder();
  for (let tick = 0; tick < 20; tick++) {
    const samples = Array.from({ length: 500 }, (_, s) => flat(s, NOW + tick * 15_000, s + tick));
    const body = plainBody(encoder.encode(samples).body);
    await store.ingest({ kind: 'remote_write', encoding: 'protobuf', body, receivedMs: NOW });
  }
}

const instant = (expression: string, signal?: AbortSignal) =>
  store.ask('instant', [expression, NOW + 300_000], signal);

test('short queries are answered while more long ones run than there are threads', async () => {
  await open(600_000);
  const stop = new AbortController();
  let ended = 0;
  const long = Array.from({ length: 6 }, () =>
    instant(LONG, stop.signal).then(
      () => ended++,
      () => ended++,
    ),
  );
  for (let i = 0; i < 10; i++)
    expect(await instant('count(m)')).toEqual({ kind: 'vector', samples: [{ labels: {}, value: 500 }] });
  expect(ended).toBe(0);
  stop.abort();
  await Promise.all(long);
});

test('a query past its time is told so, and those beside it are answered', async () => {
  await open(1500);
  const long = Array.from({ length: 3 }, () => instant(LONG).catch((error: unknown) => error));
  const short = await Promise.all(Array.from({ length: 20 }, () => instant('sum(m)')));
  expect(new Set(short.map((one) => JSON.stringify(one))).size).toBe(1);
  for (const error of await Promise.all(long))
    expect(error).toMatchObject({ name: 'PromqlError', kind: 'timeout' });
  const answer = await store.ask('api', [
    {
      method: 'GET',
      path: '/api/v1/query',
      query: `query=${encodeURIComponent(LONG)}&time=${(NOW + 300_000) / 1000}`,
    },
  ]);
  expect(answer.status).toBe(503);
  expect(JSON.parse(Buffer.from(answer.body).toString())).toMatchObject({
    status: 'error',
    errorType: 'timeout',
  });
  expect(await instant('count(m)')).toMatchObject({ kind: 'vector' });
});

test('a query whose asker is gone ends, and a thread is free again', async () => {
  await open(600_000);
  for (let i = 0; i < 8; i++) {
    const stop = new AbortController();
    const asked = instant(LONG, stop.signal).catch((error: unknown) => error);
    setTimeout(() => stop.abort(), 20);
    expect(await asked).toMatchObject({ name: 'PromqlError', kind: 'cancelled' });
  }
  expect(await instant('count(m)')).toMatchObject({ kind: 'vector' });
});

test('what makes series many is told in the shape of status/tsdb', async () => {
  await open(30_000);
  const answer = await store.ask('api', [{ method: 'GET', path: '/api/v1/status/tsdb', query: 'limit=1' }]);
  expect(JSON.parse(Buffer.from(answer.body).toString())).toMatchObject({
    status: 'success',
    data: {
      headStats: {
        numSeries: 500,
        numLabelPairs: 501,
        chunkCount: 500,
        minTime: NOW,
        maxTime: NOW + 285_000,
      },
      seriesCountByMetricName: [{ name: 'm', value: 500 }],
      labelValueCountByLabelName: [{ name: 's', value: 500 }],
    },
  });
});

test('an agent with too many series is told so by name, and others are taken', async () => {
  store = await LocalStore.open({
    path: join(folder.path, 'store.sqlite'),
    retention: { timeMs: 1e12, bytesMax: 1e12 },
    seriesPerAgentMax: 3,
    queryWorker,
  });
  const send = (agent: string, count: number) => {
    const samples = Array.from({ length: count }, (_, s) => ({
      ...flat(s, NOW, s),
      labels: { agent, s: String(s) },
    }));
    const body = plainBody(new RemoteWriteEncoder().encode(samples).body);
    return store.ingest({ kind: 'remote_write', encoding: 'protobuf', body, receivedMs: NOW });
  };
  expect(await send('loud', 10)).toMatchObject({
    kind: 'stored',
    samples: 3,
    rejected: 7,
    message: 'no new series of m: agent loud has 3 series, as many as one agent may have (7)',
  });
  expect(await send('calm', 3)).toMatchObject({ kind: 'stored', samples: 3, rejected: 0 });
});
