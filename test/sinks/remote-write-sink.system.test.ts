import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type RemoteWriteSinkConfig, sinkSchema } from '../../src/config/sink-schema.ts';
import type { Samples } from '../../src/model/entry.ts';
import { RemoteWriteSink } from '../../src/sinks/remote-write-sink.ts';
import { encodeMetricsRequest, OWN_SCOPE } from '../../src/wire/otlp-metrics.ts';
import { decodeWriteRequest } from '../../src/wire/remote-write.ts';
import { commit, context, MemoryCursor, receiver, running, samples } from './fixtures.ts';

function config(over: object): RemoteWriteSinkConfig {
  const base = { name: 'prom', type: 'prometheus_remote_write', retry_initial: '20ms', retry_max: '40ms' };
  const parsed = sinkSchema.parse({ ...base, ...over });
  if (parsed.type !== 'prometheus_remote_write') throw new Error('remote write was expected');
  return parsed;
}

/** Samples of many series at one instant. */
function many(seq: number, series: number): Samples {
  const timeMs = 1_700_000_000_000 + seq * 1000;
  const points = Array.from({ length: series }, (_, i) => ({
    labels: { i: String(i) },
    timeMs,
    startMs: 0,
    value: seq,
    stale: false,
  }));
  const family = { name: 'depth', type: 'gauge', help: '', unit: '', points } as const;
  const otlp = encodeMetricsRequest(
    {},
    { name: OWN_SCOPE, version: '1' },
    { timeMs, families: [family], points: series },
  );
  return { kind: 'samples', seq, timeMs, otlp, points: series };
}

describe('RemoteWriteSink', () => {
  test('sends what the protocol demands', async () => {
    const server = await receiver(() => ({ status: 204 }));
    const cursor = new MemoryCursor([samples(1, 5)]);
    const headers = { 'Content-Type': 'text/plain', 'x-scope-orgid': 'team' };
    running(
      new RemoteWriteSink(config({ endpoint: `${server.url}/api/v1/write`, headers }), context(cursor)),
    );
    await cursor.settled(1);
    const [request] = server.requests;
    expect(request!.path).toBe('/api/v1/write');
    expect(request!.headers).toMatchObject({
      'content-encoding': 'snappy',
      'content-type': 'application/x-protobuf',
      'x-prometheus-remote-write-version': '0.1.0',
      'user-agent': 'taffrail/0.1.0',
      'x-scope-orgid': 'team',
    });
    const [series] = decodeWriteRequest(request!.body);
    expect(series!.labels).toMatchObject({ __name__: 'requests_total', source: 'web' });
    expect([...series!.times]).toEqual([1_700_000_001_000]);
    expect([...series!.values]).toEqual([5]);
  });

  test('keeps the order of time though requests fail, and repeats the same bytes', async () => {
    const server = await receiver((_request, index) => ({ status: index % 3 === 1 ? 503 : 204 }));
    const cursor = new MemoryCursor(Array.from({ length: 10 }, (_, i) => samples(i + 1, i)));
    running(new RemoteWriteSink(config({ endpoint: server.url }), context(cursor)));
    await cursor.settled(10);
    const times = server.requests.map((request) => decodeWriteRequest(request.body)[0]!.times[0]!);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(new Set(times).size).toBe(10);
    expect(new Set(server.requests.map((request) => request.body.toString('hex'))).size).toBe(10);
  });

  test('splits an instant into requests of at most max_samples', async () => {
    const server = await receiver(() => ({ status: 204 }));
    const cursor = new MemoryCursor([many(1, 25)]);
    running(new RemoteWriteSink(config({ endpoint: server.url, max_samples: 10 }), context(cursor)));
    await cursor.settled(1);
    expect(server.requests.map((request) => decodeWriteRequest(request.body).length)).toEqual([10, 10, 5]);
  });

  test('a series that ended is sent with a stale marker', async () => {
    const server = await receiver(() => ({ status: 204 }));
    const cursor = new MemoryCursor([samples(1, 5, true)]);
    running(new RemoteWriteSink(config({ endpoint: server.url }), context(cursor)));
    await cursor.settled(1);
    expect([...decodeWriteRequest(server.requests[0]!.body)[0]!.stale!]).toEqual([1]);
  });

  test('what is refused for good is not repeated', async () => {
    const server = await receiver((_request, index) => ({
      status: index === 0 ? 400 : 204,
      body: 'out of order sample',
    }));
    const cursor = new MemoryCursor([samples(1, 1), samples(2, 2)]);
    const sink = running(new RemoteWriteSink(config({ endpoint: server.url }), context(cursor)));
    await cursor.settled(2);
    expect(server.requests.length).toBe(2);
    expect(sink.status()).toMatchObject({ rejectedBatches: 1, healthy: true });
    expect(sink.status().lastError).toContain('out of order sample');
  });

  test('commits hold nothing for it and count as delivered', async () => {
    const server = await receiver(() => ({ status: 204 }));
    const cursor = new MemoryCursor([commit(1, ['one'])]);
    running(new RemoteWriteSink(config({ endpoint: server.url }), context(cursor)));
    await cursor.settled(1);
    expect(cursor.delivered('web')).toBe(1);
    expect(server.requests).toEqual([]);
  });
});

const hasPrometheus = spawnSync('prometheus', ['--version']).status === 0;

describe('RemoteWriteSink to a real Prometheus', () => {
  test.runIf(hasPrometheus)('counters, histograms and the end of a series are what was sent', async () => {
    const url = await prometheus();
    const now = Date.now();
    const cursor = new MemoryCursor(
      [1, 2, 3].map((seq) => instant(seq, now - 20_000 + seq * 5000, seq === 3)),
    );
    const sink = running(new RemoteWriteSink(config({ endpoint: `${url}/api/v1/write` }), context(cursor)));
    await cursor.settled(3);
    expect(sink.status()).toMatchObject({ rejectedBatches: 0, healthy: true });
    const query = async (expr: string, at: number): Promise<unknown> => {
      const response = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(expr)}&time=${at / 1000}`);
      const { data } = (await response.json()) as { data: { result: { value: [number, string] }[] } };
      return data.result.map((series) => series.value[1]);
    };
    expect(await query('served_total', now - 10_000)).toEqual(['20']);
    expect(await query('histogram_quantile(0.5, took_seconds_bucket)', now - 10_000)).toEqual(['1']);
    expect(await query('took_seconds_count', now - 10_000)).toEqual(['8']);
    expect(await query('served_total', now - 4000)).toEqual([]);
    expect(await query('took_seconds_count', now - 4000)).toEqual(['12']);
  });
});

/** A counter, which ends at the last instant, and a histogram. */
function instant(seq: number, timeMs: number, ended: boolean): Samples {
  const point = { labels: { source: 'web' }, timeMs, startMs: timeMs - seq * 5000 };
  const served = { ...point, value: seq * 10, stale: ended };
  const histogram = { bounds: [1, 2], counts: [seq * 2, seq, seq], sum: seq * 7, count: seq * 4 };
  const took = { ...point, value: NaN, stale: false, histogram };
  const families = [
    { name: 'served_total', type: 'counter', help: '', unit: '', points: [served] },
    { name: 'took_seconds', type: 'histogram', help: '', unit: 's', points: [took] },
  ] as const;
  const otlp = encodeMetricsRequest({}, { name: OWN_SCOPE, version: '1' }, { timeMs, families, points: 2 });
  return { kind: 'samples', seq, timeMs, otlp, points: 2 };
}

async function prometheus(): Promise<string> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'taffrail-prometheus-'));
  fs.writeFileSync(path.join(dir, 'prometheus.yml'), 'scrape_configs: []\n');
  const port = await freePort();
  const child = spawn(
    'prometheus',
    [
      `--config.file=${dir}/prometheus.yml`,
      `--storage.tsdb.path=${dir}/data`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--web.enable-remote-write-receiver',
    ],
    { stdio: 'ignore' },
  );
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await once(child, 'exit');
    fs.rmSync(dir, { recursive: true, force: true });
  });
  const url = `http://127.0.0.1:${port}`;
  const ready = async (): Promise<boolean> =>
    fetch(`${url}/-/ready`).then(
      (response) => response.ok,
      () => false,
    );
  await expect.poll(ready, { timeout: 30_000, interval: 50 }).toBe(true);
  return url;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
