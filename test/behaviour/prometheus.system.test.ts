import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { answers, freePort, Program, query, type Running } from './program.ts';

const isThere = spawnSync('prometheus', ['--version']).error === undefined;
const run = test.skipIf(!isThere && process.env['CI'] !== 'true');
const WAIT = { timeout: 30_000, interval: 100 };
const without = isThere ? '' : ' (prometheus is not installed)';

/** Agent, collector and a Prometheus between them: it is written to by one, scrapes both, and writes to the other. */
let program: Program;
let dir = '';
let [agent, collector, prometheus] = ['', '', ''];
let processes: readonly Running[] = [];

beforeAll(async () => {
  if (!isThere) return;
  program = new Program();
  dir = mkdtempSync(join(tmpdir(), 'taffrail-prometheus-'));
  const ports = [await freePort(), await freePort(), await freePort()] as const;
  [agent, collector, prometheus] = ports.map((port) => `http://127.0.0.1:${port}`) as [
    string,
    string,
    string,
  ];
  writeFiles(ports);
  processes = [
    program.startOther(
      'prometheus',
      `--config.file=${join(dir, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(dir, 'data')}`,
      `--web.listen-address=127.0.0.1:${ports[2]}`,
      '--web.enable-remote-write-receiver',
    ),
    program.start('collector', '-c', join(dir, 'collector.yaml')),
    program.start('agent', '-c', join(dir, 'taffrail.yaml')),
  ];
  for (const [at, url] of [prometheus, collector, agent].entries())
    await answers(`${url}/-/ready`, processes[at]);
});

afterAll(async () => {
  if (!isThere) return;
  await program.remove();
  rmSync(dir, { recursive: true, force: true });
});

function writeFiles([agentPort, collectorPort, prometheusPort]: readonly [number, number, number]): void {
  writeFileSync(join(dir, 'data.tsv'), 'name\tvalue\ndepth\t7\n');
  writeFileSync(
    join(dir, 'access.log'),
    '192.0.2.1 - - [31/Jan/2030:15:00:00 +0000] "GET / HTTP/1.1" 200 512 "-" "curl/8"\n',
  );
  writeFileSync(
    join(dir, 'taffrail.yaml'),
    `state_dir: ./agent
host: edge-1
sources:
  - { name: queue, paths: [./data.tsv], parser: name-value, labels: { site: "nørth \\"1\\"" } }
  - { name: web, paths: [./access.log], parser: nginx }
sinks: [{ name: prom, type: prometheus_remote_write, endpoint: 'http://127.0.0.1:${prometheusPort}/api/v1/write' }]
external_labels: { written: 'yes' }
metrics: { sample_interval: 1s, heartbeat_interval: 2s }
listen: 127.0.0.1:${agentPort}
receivers: [{ name: log, exec_configs: [{ command: [/bin/true] }] }]
route: { receiver: log }
`,
  );
  writeFileSync(
    join(dir, 'collector.yaml'),
    `state_dir: ./collector\nlisten: 127.0.0.1:${collectorPort}\nreceivers: [{ name: log, exec_configs: [{ command: [/bin/true] }] }]\nroute: { receiver: log }\n`,
  );
  writeFileSync(
    join(dir, 'prometheus.yml'),
    `global: { scrape_interval: 1s }
scrape_configs:
  - { job_name: agent, static_configs: [{ targets: ['127.0.0.1:${agentPort}'] }] }
  - { job_name: collector, static_configs: [{ targets: ['127.0.0.1:${collectorPort}'] }] }
remote_write:
  - url: http://127.0.0.1:${collectorPort}/api/v1/write
    queue_config: { batch_send_deadline: 1s }
`,
  );
}

run(`our remote write is in Prometheus, and follows the values${without}`, async () => {
  const written = 'depth{written="yes",source="queue"}';
  await expect
    .poll(async () => query(prometheus, written), WAIT)
    .toMatchObject([{ site: 'nørth "1"', value: '7' }]);
  appendFileSync(join(dir, 'data.tsv'), 'depth\t9\n');
  await expect.poll(async () => query(prometheus, written), WAIT).toMatchObject([{ value: '9' }]);
  const zeroAtBirth = 'min_over_time(http_requests_total{written="yes"}[10m])';
  expect(await query(prometheus, zeroAtBirth)).toMatchObject([{ status: '200', value: '0' }]);
});

run(`what Prometheus scrapes from us is what we say${without}`, async () => {
  await expect
    .poll(async () => query(prometheus, 'sum(up{job=~"agent|collector"})'), WAIT)
    .toEqual([{ value: '2' }]);
  expect(await query(prometheus, 'http_requests_total{job="agent"}')).toMatchObject([
    { status: '200', value: '1' },
  ]);
  expect(await query(prometheus, 'taffrail_source_lines_total{job="agent",source="web"}')).toMatchObject([
    { value: '1' },
  ]);
  expect(await query(prometheus, 'scrape_samples_scraped > bool 10')).toMatchObject([
    { value: '1' },
    { value: '1' },
  ]);
});

run(`what Prometheus writes to the collector can be asked there${without}`, async () => {
  const scraped = 'depth{job="agent",exported_source="",source="queue"}';
  await expect.poll(async () => query(collector, scraped), WAIT).toMatchObject([{ site: 'nørth "1"' }]);
  await expect
    .poll(async () => query(collector, 'count_over_time(up{job="agent"}[5m]) > bool 2'), WAIT)
    .toMatchObject([{ value: '1' }]);
  const [theirs, ours] = await Promise.all(
    [prometheus, collector].map(async (url) => query(url, 'count(taffrail_buffer_bytes{job="agent"})')),
  );
  expect(ours).toEqual(theirs);
});

run.each(['agent', 'collector'] as const)(
  `promtool finds nothing wrong with the metrics of the %s${without}`,
  async (which) => {
    const text = await (await fetch(`${which === 'agent' ? agent : collector}/metrics`)).text();
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
      input: text,
      encoding: 'utf8',
    });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
  },
);
