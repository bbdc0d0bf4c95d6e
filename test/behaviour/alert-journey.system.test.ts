import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { jsonServer } from '../hooks/receivers/receiver-harness.ts';
import { answers, freePort, Program, query, type Running } from './program.ts';

const ALERTMANAGER = 'prometheus-alertmanager';
const isThere = spawnSync(ALERTMANAGER, ['--version']).error === undefined;
const NAME = 'a line with an error reaches Alertmanager, webhook and program, and so does the end of it';

const PACK = `name: levels
description: A level and a message
pattern: '^(?<level>[A-Z]+) (?<message>.*)$'
metrics:
  - { name: app_lines_total, type: counter, help: Lines by level., labels: { level: level } }
`;
const RULES = `groups:
  - name: app
    interval: 1s
    rules:
      - alert: AppErrors
        expr: sum by (source) (increase(app_lines_total{level="ERROR"}[8s])) > 0
        labels: { severity: page }
        annotations: { summary: '{{ $labels.source }} writes errors' }
`;

let program: Program;
beforeAll(() => {
  program = new Program();
});
afterAll(async () => program.remove());

/** Two kills a journey: one after the error was written, one after its end began; each at a moment that the seed picks. */
test.skipIf(!isThere && process.env['CI'] !== 'true').each([11, 22])(
  isThere
    ? `${NAME}, the agent killed in between (seed %i)`
    : `${NAME} (${ALERTMANAGER} is not installed; seed %i)`,
  async (seed) => {
    const dir = mkdtempSync(join(tmpdir(), 'taffrail-journey-'));
    const webhook = await jsonServer();
    const ports = { agent: await freePort(), alertmanager: await freePort() };
    const url = `http://127.0.0.1:${ports.agent}`;
    const random = generator(seed);
    writeFiles(dir, webhook.url, ports);
    const log = join(dir, 'app.log');
    appendFileSync(log, 'INFO started\n');
    const alertmanager = startAlertmanager(dir, ports.alertmanager);
    let agent = program.start('agent', '-c', join(dir, 'taffrail.yaml'));
    const restartAfter = async (ms: number): Promise<void> => {
      // The moment of the crash is the input of this test, so here a time is waited for and nothing else.
      await new Promise((resolve) => setTimeout(resolve, ms));
      await agent.kill('SIGKILL');
      agent = program.start('agent', '-c', join(dir, 'taffrail.yaml'));
      await answers(`${url}/-/ready`, agent);
    };
    try {
      await answers(`http://127.0.0.1:${ports.alertmanager}/-/ready`, alertmanager);
      await answers(`${url}/-/ready`, agent);
      await expect.poll(async () => query(url, 'app_lines_total'), WAIT).toHaveLength(1);

      appendFileSync(log, 'ERROR disk on fire\n');
      await restartAfter(random() * 3000);
      await expect.poll(async () => shown(ports.alertmanager), WAIT).toEqual(['AppErrors active']);
      await expect.poll(() => statuses(webhook.received), WAIT).toContain('firing');
      await expect.poll(() => executed(dir), WAIT).toContain('firing');

      await restartAfter(4000 + random() * 6000);
      await expect.poll(async () => shown(ports.alertmanager), WAIT).toEqual([]);
      await expect.poll(() => statuses(webhook.received), WAIT).toContain('resolved');
      await expect.poll(() => executed(dir), WAIT).toContain('resolved');

      for (const told of [statuses(webhook.received), executed(dir)]) {
        expect(told.join(' ')).toMatch(/^firing( firing)? resolved( resolved)?$/);
        expect(told.length).toBeLessThanOrEqual(3);
      }
    } finally {
      await agent.kill('SIGKILL');
      await alertmanager.kill('SIGKILL');
      await webhook.close();
      rmSync(dir, { recursive: true, force: true });
    }
  },
);

const WAIT = { timeout: 30_000, interval: 50 };

/** mulberry32: the same moments for the same seed. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function writeFiles(dir: string, webhook: string, ports: { agent: number; alertmanager: number }): void {
  mkdirSync(join(dir, 'packs/levels'), { recursive: true });
  mkdirSync(join(dir, 'told'));
  writeFileSync(join(dir, 'packs/levels/pack.yaml'), PACK);
  writeFileSync(join(dir, 'rules.yaml'), RULES);
  // Each run leaves a file named after the moment; what it was told is in it.
  writeFileSync(
    join(dir, 'note.mjs'),
    `import { writeFileSync, renameSync } from 'node:fs';
let text = '';
for await (const part of process.stdin) text += part;
const file = process.argv[2] + '/' + Date.now() + '-' + process.pid;
writeFileSync(file + '.part', text);
renameSync(file + '.part', file + '.json');
`,
  );
  writeFileSync(
    join(dir, 'taffrail.yaml'),
    `state_dir: ./state
sources: [{ name: app, paths: [./app.log], parser: levels }]
parsers: [./packs]
rules: [./rules.yaml]
built_in_rules: false
metrics: { sample_interval: 1s }
listen: 127.0.0.1:${ports.agent}
route: { receiver: all, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h }
receivers:
  - name: all
    webhook_configs: [{ url: '${webhook}' }]
    exec_configs: [{ command: ['${process.execPath}', '${join(dir, 'note.mjs')}', '${join(dir, 'told')}'] }]
    alertmanager_configs: [{ urls: ['http://127.0.0.1:${ports.alertmanager}'] }]
`,
  );
}

function startAlertmanager(dir: string, port: number): Running {
  mkdirSync(join(dir, 'alertmanager'));
  writeFileSync(join(dir, 'alertmanager.yml'), 'route: { receiver: none }\nreceivers: [{ name: none }]\n');
  return program.startOther(
    ALERTMANAGER,
    `--config.file=${join(dir, 'alertmanager.yml')}`,
    `--storage.path=${join(dir, 'alertmanager')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--cluster.listen-address=',
  );
}

async function shown(port: number): Promise<readonly string[]> {
  const response = await fetch(`http://127.0.0.1:${port}/api/v2/alerts`);
  const alerts = (await response.json()) as { labels: { alertname: string }; status: { state: string } }[];
  return alerts.map(({ labels, status }) => `${labels.alertname} ${status.state}`);
}

function statuses(received: readonly { readonly body: unknown }[]): readonly string[] {
  return received.map(({ body }) => (body as { status: string }).status);
}

function executed(dir: string): readonly string[] {
  return readdirSync(join(dir, 'told'))
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => (JSON.parse(readFileSync(join(dir, 'told', name), 'utf8')) as { status: string }).status);
}
