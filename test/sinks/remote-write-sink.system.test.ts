import { describe, expect, test } from 'vitest';
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
