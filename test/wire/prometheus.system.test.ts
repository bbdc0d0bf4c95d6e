import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createAggregator } from '../../src/metrics/aggregator.ts';
import { CONTENT_TYPES, negotiateFormat, writeExposition } from '../../src/metrics/exposition.ts';
import { Registry } from '../../src/metrics/registry.ts';
import { Sampler } from '../../src/metrics/sampler.ts';
import { SelfMetrics } from '../../src/metrics/self-metrics.ts';
import { flattenPoint } from '../../src/model/sample-set.ts';
import { RemoteWriteEncoder } from '../../src/wire/remote-write.ts';

/** A real Prometheus takes our remote write and scrapes our OpenMetrics. */
const isInstalled = spawnSync('prometheus', ['--version']).status === 0;
const run = test.runIf(isInstalled || process.env['CI'] === 'true');

const descriptor = {
  help: 'A "test" \\ metric.',
  labelNames: ['queue'],
  constLabels: { source: 'web' },
  maxSeries: 10,
  expireAfterMs: 1000,
  buckets: [0.5, 1],
};
const aggregator = createAggregator();
const jobs = aggregator.feed({ ...descriptor, name: 'jobs_total', type: 'counter' });
const seconds = aggregator.feed({ ...descriptor, name: 'job_seconds', type: 'histogram' });
jobs.cell1('naïve "x"\\\n').add(3, 0);
for (const value of [0.2, 0.7, 0.8, 9]) seconds.cell1('a').observe(value, 0);
const bornMs = Date.now() - 5000;
const registry = new Registry();
registry.apply(aggregator.drain(), bornMs);

const scraped = createServer((request, response) => {
  const format = negotiateFormat(request.headers.accept);
  response.setHeader('content-type', CONTENT_TYPES[format]);
  response.end([...writeExposition(registry.collect(bornMs), format, true)].join(''));
});
let prometheus: ReturnType<typeof spawn> | undefined;
let directory = '';
let address = '';

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

beforeAll(async () => {
  if (!isInstalled) return;
  await new Promise<void>((resolve) => scraped.listen(0, '127.0.0.1', resolve));
  const target = `127.0.0.1:${(scraped.address() as AddressInfo).port}`;
  directory = mkdtempSync(join(tmpdir(), 'taffrail-prometheus-'));
  const config = join(directory, 'prometheus.yml');
  const job = `{job_name: agent, scrape_interval: 1s, honor_labels: true, static_configs: [{targets: ["${target}"]}]}`;
  writeFileSync(config, `scrape_configs: [${job}]\n`);
  const listen = `127.0.0.1:${await freePort()}`;
  address = `http://${listen}`;
  const options = [
    `--config.file=${config}`,
    `--storage.tsdb.path=${join(directory, 'data')}`,
    `--web.listen-address=${listen}`,
    '--web.enable-remote-write-receiver',
  ];
  prometheus = spawn('prometheus', options, { stdio: 'ignore' });
  await vi.waitFor(async () => expect((await fetch(`${address}/-/ready`)).status).toBe(200), {
    timeout: 60_000,
  });
});

afterAll(async () => {
  scraped.close();
  if (prometheus !== undefined) {
    const ended = new Promise((resolve) => prometheus!.once('exit', resolve));
    prometheus.kill();
    await ended;
    rmSync(directory, { recursive: true, force: true });
  }
});

async function query(expression: string): Promise<[metric: Record<string, string>, value: string][]> {
  const response = await fetch(`${address}/api/v1/query?query=${encodeURIComponent(expression)}`);
  const { data } = (await response.json()) as {
    data: { result: { metric: Record<string, string>; value: [number, string] }[] };
  };
  return data.result.map(({ metric, value }) => [metric, value[1]]);
}

run('Prometheus scrapes our OpenMetrics (runs where it is installed)', async () => {
  await vi.waitFor(async () => expect(await query('up{job="agent"}')).toMatchObject([[{}, '1']]), {
    timeout: 30_000,
  });
  expect(await query('jobs_total{source="web",host=""}')).toMatchObject([[{ queue: 'naïve "x"\\\n' }, '3']]);
  expect(await query('job_seconds_created{source="web"} > bool 0')).toMatchObject([[{ queue: 'a' }, '1']]);
  expect(await query('histogram_quantile(0.5, job_seconds_bucket{host=""})')).toMatchObject([
    [{ queue: 'a' }, '0.75'],
  ]);
});

run('Prometheus takes our remote write, zeros at birth and stale markers included', async () => {
  const sampler = new Sampler({
    registry,
    self: new SelfMetrics(bornMs),
    intervalMs: 1000,
    heartbeatTicks: 1,
  });
  const encoder = new RemoteWriteEncoder({ host: 'h1' });
  const send = async (atMs: number): Promise<number> => {
    const samples = sampler
      .sample(atMs)
      .families.flatMap((family) => family.points.flatMap((one) => flattenPoint(family, one)));
    const { status } = await fetch(`${address}/api/v1/write`, {
      method: 'POST',
      body: encoder.encode(samples).body,
      headers: {
        'content-encoding': 'snappy',
        'content-type': 'application/x-protobuf',
        'x-prometheus-remote-write-version': '0.1.0',
      },
    });
    return status;
  };
  expect(await send(bornMs + 500)).toBe(204);
  expect(
    await query('max_over_time(jobs_total{host="h1"}[1m]) - min_over_time(jobs_total{host="h1"}[1m])'),
  ).toMatchObject([[{ queue: 'naïve "x"\\\n' }, '3']]);
  expect(await query('count(job_seconds_bucket{host="h1"})')).toMatchObject([[{}, '3']]);
  expect(await send(bornMs + 4000)).toBe(204);
  expect(await query('{host="h1"}')).toEqual([]);
});
