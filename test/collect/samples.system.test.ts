import { join } from 'node:path';
import snappy from 'snappyjs';
import { request } from 'undici';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Matcher } from '../../src/model/series.ts';
import { uncompressBlock } from '../../src/wire/compression/snappy-block.ts';
import { RemoteWriteEncoder } from '../../src/wire/remote-write.ts';
import { temporaryFolder, TestCollector } from './fixture.ts';

const NOW = 1_700_000_000_000;
let folder: ReturnType<typeof temporaryFolder>;
let collector: TestCollector;

beforeEach(async () => {
  folder = temporaryFolder();
  collector = await TestCollector.start({
    path: join(folder.path, 'store.db'),
    store: { maintenanceMs: 3_600_000 },
  });
});

afterEach(async () => {
  await collector.stop();
  folder.remove();
});

function metricsJson(resource: Record<string, string>, metrics: object[], scope = 'lib'): string {
  const attributes = Object.entries(resource).map(([key, stringValue]) => ({ key, value: { stringValue } }));
  return JSON.stringify({
    resourceMetrics: [{ resource: { attributes }, scopeMetrics: [{ scope: { name: scope }, metrics }] }],
  });
}

async function sendMetrics(body: string): Promise<Record<string, unknown>> {
  const answer = await request(`${collector.url}/v1/metrics`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  expect(answer.statusCode).toBe(200);
  return (await answer.body.json()) as Record<string, unknown>;
}

function point(timeMs: number, value: number, labels: Record<string, string> = {}): object {
  const attributes = Object.entries(labels).map(([key, stringValue]) => ({ key, value: { stringValue } }));
  return { timeUnixNano: `${timeMs}000000`, asDouble: value, attributes };
}

function counter(name: string, points: object[], more: object = {}): object {
  return { name, ...more, sum: { dataPoints: points, isMonotonic: true, aggregationTemporality: 2 } };
}

async function select(
  ...matchers: Matcher[]
): Promise<{ labels: object; samples: (readonly [number, number])[] }[]> {
  const series = await collector.store.select(matchers, NOW - 86_400_000, NOW + 86_400_000);
  return series.map(({ labels, times, values }) => ({
    labels,
    samples: [...times].map((time, i) => [time, values[i]!] as const),
  }));
}

const named = (value: string): Matcher => ({ name: '__name__', kind: '=', value });

test("another sender's metrics get Prometheus's names, job, instance and promoted labels", async () => {
  const resource = {
    'service.name': 'shop',
    'service.instance.id': 'i1',
    'k8s.pod.name': 'pod-1',
    'process.pid': '7',
  };
  await sendMetrics(
    metricsJson(resource, [
      counter('http.server.requests', [point(NOW, 3, { 'http.method': 'GET' })], { unit: '1' }),
    ]),
  );
  expect(await select(named('http_server_requests_total'))).toEqual([
    {
      labels: {
        __name__: 'http_server_requests_total',
        job: 'shop',
        instance: 'i1',
        k8s_pod_name: 'pod-1',
        http_method: 'GET',
      },
      samples: [[NOW, 3]],
    },
  ]);
});

test("an agent's metrics keep their names, and have host and agent instead of job and instance", async () => {
  const resource = {
    'taffrail.agent': 'a1',
    'host.name': 'h1',
    'service.name': 'taffrail',
    'service.instance.id': 'x',
  };
  await sendMetrics(
    metricsJson(resource, [counter('lines_total', [point(NOW, 3, { source: 'web' })])], 'taffrail'),
  );
  expect(await select(named('lines_total'))).toEqual([
    { labels: { __name__: 'lines_total', agent: 'a1', host: 'h1', source: 'web' }, samples: [[NOW, 3]] },
  ]);
});

test('a repeat changes nothing, and samples of one series come in order of time', async () => {
  const at = (ms: number, value: number) => sendMetrics(metricsJson({}, [counter('x', [point(ms, value)])]));
  await at(NOW + 2000, 2);
  await at(NOW, 1);
  await at(NOW + 2000, 2);
  expect(await select(named('x_total'))).toMatchObject([
    {
      samples: [
        [NOW, 1],
        [NOW + 2000, 2],
      ],
    },
  ]);
});

test('what cannot be kept is said in partial success, and the rest is stored', async () => {
  const delta = {
    name: 'd',
    sum: { dataPoints: [point(NOW, 1)], isMonotonic: true, aggregationTemporality: 1 },
  };
  const answer = await sendMetrics(metricsJson({}, [delta, counter('kept', [point(NOW, 1)])]));
  expect(answer).toEqual({
    partialSuccess: { rejectedDataPoints: '1', errorMessage: 'only cumulative temporality is supported (1)' },
  });
  expect(await select(named('kept_total'))).toHaveLength(1);
});

test('remote write is taken, stale markers included', async () => {
  const sample = { name: 'up', type: 'gauge', labels: { job: 'node' } } as const;
  const { body } = new RemoteWriteEncoder().encode([
    { ...sample, timeMs: NOW, value: 1, stale: false },
    { ...sample, timeMs: NOW + 1000, value: NaN, stale: true },
  ]);
  const answer = await request(`${collector.url}/api/v1/write`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf', 'content-encoding': 'snappy' },
    body,
  });
  expect(answer.statusCode).toBe(204);
  const [series] = await collector.store.select([named('up')], NOW, NOW + 5000);
  expect(series).toMatchObject({
    labels: { __name__: 'up', job: 'node' },
    values: new Float64Array([1, NaN]),
    stale: new Uint8Array([0, 1]),
  });
});

test('remote write says which samples it cannot store, and stores the others', async () => {
  const { body } = new RemoteWriteEncoder().encode([
    { name: 'up', type: 'gauge', labels: { job: 'node' }, timeMs: NOW, value: 1, stale: false },
  ]);
  // Field 1, a series: its label `__name__` = `h`, and field 4, a native histogram, empty.
  const name = Buffer.from('__name__');
  const label = Buffer.from([0x0a, name.length, ...name, 0x12, 1, 0x68]);
  const series = Buffer.from([0x0a, label.length, ...label, 0x22, 0, 0x22, 0]);
  const both = Buffer.concat([uncompressBlock(body, 1000), Buffer.from([0x0a, series.length, ...series])]);
  const answer = await request(`${collector.url}/api/v1/write`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf', 'content-encoding': 'snappy' },
    body: Buffer.from(snappy.compress(both)),
  });
  expect(answer.statusCode).toBe(400);
  expect(await answer.body.text()).toBe(
    'not stored: native histograms are not taken (2); the rest is stored\n',
  );
  expect(await collector.store.select([named('up')], NOW, NOW)).toHaveLength(1);
});

test('packing changes no answer: whole, fractional, negative, NaN and stale values, late samples, any time range', async () => {
  const values = [1, 2, 2, 1000000, -5, 0.25, 1e300, NaN, 3, -0, Number.MAX_SAFE_INTEGER, 7];
  const points = values.map((value, i) => ({
    ...point(NOW + i * 15_000 + (i % 3), 0),
    asDouble: Number.isNaN(value) ? 'NaN' : value,
  }));
  const stale = { timeUnixNano: `${NOW + 600_000}000000`, flags: 1 };
  await sendMetrics(metricsJson({}, [{ name: 'g', gauge: { dataPoints: [...points, stale] } }]));
  const before = await collector.store.select([named('g')], 0, NOW * 2);
  await collector.store.maintain(NOW + 3_600_000);
  expect(await collector.store.select([named('g')], 0, NOW * 2)).toEqual(before);
  await sendMetrics(metricsJson({}, [{ name: 'g', gauge: { dataPoints: [point(NOW + 20_000, 99)] } }]));
  await collector.store.maintain(NOW + 3_600_000);
  const [late] = await collector.store.select([named('g')], NOW + 15_000, NOW + 30_002);
  expect([...late!.times]).toEqual([NOW + 15_001, NOW + 20_000, NOW + 30_002]);
  expect([...late!.values]).toEqual([2, 99, 2]);
});

test('matchers of every kind select, and an absent label is an empty one', async () => {
  const points = ['a', 'b', 'ab'].map((path) => point(NOW, 1, { path }));
  await sendMetrics(metricsJson({}, [{ name: 'm', gauge: { dataPoints: [...points, point(NOW, 1)] } }]));
  const paths = async (kind: Matcher['kind'], value: string) =>
    (await select(named('m'), { name: 'path', kind, value }))
      .map(({ labels }) => (labels as { path?: string }).path ?? '')
      .sort();
  expect(await paths('=', 'a')).toEqual(['a']);
  expect(await paths('!=', 'a')).toEqual(['', 'ab', 'b']);
  expect(await paths('=~', 'a.*')).toEqual(['a', 'ab']);
  expect(await paths('!~', 'a|b')).toEqual(['', 'ab']);
  expect(await paths('=', '')).toEqual(['']);
  expect(await collector.store.labelValues('path', [], 0, NOW * 2)).toEqual(['a', 'ab', 'b']);
  expect(await collector.store.labelNames([], 0, NOW * 2)).toEqual(['__name__', 'path']);
});

test('retention deletes samples, blocks and records that are too old, and gives their space back', async () => {
  const day = 86_400_000;
  const empty = (await collector.store.stats()).bytes;
  for (let i = 0; i < 40; i++) {
    const points = Array.from({ length: 500 }, (_, series) =>
      point(NOW + i * 60_000, i, { series: String(series) }),
    );
    await sendMetrics(metricsJson({}, [{ name: 'old', gauge: { dataPoints: points } }]));
  }
  await collector.store.maintain(NOW + 3_600_000);
  const full = await collector.store.stats();
  await collector.store.maintain(NOW + 16 * day);
  expect(await select(named('old'))).toEqual([]);
  expect((await collector.store.stats()).bytes).toBeLessThan(empty + (full.bytes - empty) * 0.5);
});

test('a series without samples is forgotten after its retention, and comes back under its labels', async () => {
  const send = (ms: number) =>
    sendMetrics(metricsJson({}, [{ name: 'm', gauge: { dataPoints: [point(ms, 1, { a: 'b' })] } }]));
  await send(NOW);
  expect(await collector.store.labelValues('a', [], 0, NOW * 2)).toEqual(['b']);
  await collector.store.maintain(NOW + 40 * 86_400_000);
  expect(await collector.store.labelValues('a', [], 0, NOW * 2)).toEqual([]);
  await send(NOW + 5);
  expect(await select(named('m'))).toEqual([{ labels: { __name__: 'm', a: 'b' }, samples: [[NOW + 5, 1]] }]);
});
