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
  - job_name: federate
    honor_labels: true
    metrics_path: /federate
    params: { 'match[]': ['{job="agent"}', 'taffrail_collector_series'] }
    static_configs: [{ targets: ['127.0.0.1:${collectorPort}'] }]
remote_write:
  - url: http://127.0.0.1:${collectorPort}/api/v1/write
    queue_config: { batch_send_deadline: 1s }
    metadata_config: { send_interval: 1s }
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
  expect(await query(prometheus, 'scrape_samples_scraped{job=~"agent|collector"} > bool 10')).toMatchObject([
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

run(`what Prometheus says of its metrics is in the collector's metadata${without}`, async () => {
  await expect
    .poll(async () => data(`${collector}/api/v1/metadata?metric=depth`), WAIT)
    .toMatchObject({ depth: [{ type: 'gauge' }] });
  expect(await data(`${collector}/api/v1/metadata?limit=3`)).toSatisfy(
    (found) => Object.keys(found as object).length === 3,
  );
});

run(`Prometheus federates from the collector${without}`, async () => {
  await expect
    .poll(async () => query(prometheus, 'up{job="federate"}'), WAIT)
    .toMatchObject([{ value: '1' }]);
  await expect
    .poll(async () => query(prometheus, 'scrape_samples_scraped{job="federate"} > bool 10'), WAIT)
    .toMatchObject([{ value: '1' }]);
  const text = await (await fetch(`${collector}/federate?match[]=depth`)).text();
  const { status, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
  // It has an opinion on our names, and none on the form.
  expect({ status, stderr: stderr.includes('error while linting') }).toEqual({
    status: expect.any(Number),
    stderr: false,
  });
});

const EXPRESSIONS = [
  'up',
  'sum(rate(http_requests_total{job="a",status=~"5.."}[5m])) by (job, instance)',
  'sum(rate(http_requests_total{job="a",status=~"5.."}[5m])) by (job, instance) / on (job) group_left (team) sum without (x) (rate(http_requests_total[5m] offset 1h))',
  'histogram_quantile(0.99, sum by (le, job) (rate(http_request_duration_seconds_bucket{job="some-long-name"}[5m])))',
  'max_over_time((sum by (a) (rate(some_long_metric_name_total{label="value"}[5m])) > 0.5 and on (a) another_long_metric_name)[1h:5m] offset 1d)',
  'topk(5, sum by (a_long_label, another_long_label) (increase(some_long_metric_name_total{label="value"}[5m])))',
  '-sum by (a_long_label, another_long_label) (increase(some_long_metric_name_total{label="value",other="value"}[5m]))',
  '(some_long_metric_name_total{label="value"} == bool 1) or (another_long_metric_name_total{label="value", other="x"} unless y)',
  'label_replace(some_long_metric_name_total{label="value"}, "destination", "$1-replacement", "source", "(some|regex).*")',
  'a @ 10 + a @ start() + rate(b[5m] @ end())',
  'quantile by () (0.5, a) ^ 2 ^ 3 % -4 atan2 1e3',
];

run(`format_query formats as Prometheus does${without}`, async () => {
  for (const expression of EXPRESSIONS) {
    const asked = `/api/v1/format_query?query=${encodeURIComponent(expression)}`;
    const theirs = await data(`${prometheus}${asked}`);
    expect(await data(`${collector}${asked}`), expression).toBe(theirs);
    expect(await data(`${agent}${asked}`), expression).toBe(theirs);
  }
});

run.each(['agent', 'collector'] as const)(
  `promtool asks the %s as it asks a Prometheus${without}`,
  async (which) => {
    const url = which === 'agent' ? agent : collector;
    await expect.poll(async () => query(url, 'depth'), WAIT).not.toEqual([]);
    const asked = (...args: readonly string[]): string => {
      const { status, stdout, stderr } = spawnSync('promtool', ['query', ...args], { encoding: 'utf8' });
      expect({ status, stderr }, args.join(' ')).toEqual({ status: 0, stderr: '' });
      return stdout;
    };
    expect(asked('instant', url, 'depth')).toContain('depth{');
    expect(asked('instant', '-o', 'json', url, 'vector(1)')).toContain('"1"');
    expect(asked('range', '--step=5s', url, 'max(depth)')).toMatch(/@\[\d+/);
    expect(asked('series', '--match=depth', url)).toContain('depth');
    expect(asked('labels', url, 'source').split('\n')).toContain('queue');
    const start = new Date(Date.now() - 86_400_000).toISOString();
    const end = new Date(Date.now() - 80_000_000).toISOString();
    expect(asked('labels', `--start=${start}`, `--end=${end}`, url, 'source').trim()).toBe('');
    expect(asked('series', '--match=depth', `--start=${start}`, `--end=${end}`, url).trim()).toBe('');
    const refused = spawnSync('promtool', ['query', 'instant', url, 'sum('], { encoding: 'utf8' });
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain('bad_data');
  },
);

run.each(['agent', 'collector'] as const)(
  `links in alerts of the %s lead somewhere${without}`,
  async (which) => {
    const url = which === 'agent' ? agent : collector;
    const answer = await fetch(`${url}/graph?g0.expr=${encodeURIComponent('depth > 1')}&g0.tab=1`);
    expect(answer.status).toBe(200);
    if (which === 'agent') expect(await answer.text()).toMatch(/^depth > 1\n\ndepth\{.*\} \d+\n/);
  },
);

run.each(['agent', 'collector'] as const)(
  `the %s tells of itself where Prometheus does${without}`,
  async (which) => {
    const url = which === 'agent' ? agent : collector;
    expect(await data(`${url}/api/v1/status/config`)).toMatchObject({
      yaml: expect.stringContaining('state_dir:'),
    });
    expect(await data(`${url}/api/v1/status/flags`)).toMatchObject({ 'query.timeout': expect.any(String) });
    expect(await data(`${url}/api/v1/status/runtimeinfo`)).toMatchObject({ reloadConfigSuccess: true });
    expect(await data(`${url}/api/v1/alertmanagers`)).toMatchObject({ activeAlertmanagers: [] });
  },
);

async function data(url: string): Promise<unknown> {
  return ((await (await fetch(url)).json()) as { data: unknown }).data;
}
