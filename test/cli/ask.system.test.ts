import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { answers, freePort, Program, query } from '../behaviour/program.ts';

const RULES = `groups:
  - name: g
    interval: 1s
    rules:
      - { alert: DepthHigh, expr: depth > 5, labels: { severity: warning }, annotations: { summary: 'Depth is {{ $value }}.' } }
`;

let program: Program;
let dir = '';
let url = '';
let collector = '';

beforeAll(async () => {
  program = new Program();
  dir = mkdtempSync(join(tmpdir(), 'taffrail-ask-'));
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  writeFileSync(join(dir, 'data.tsv'), 'name\tvalue\ndepth\t7\n');
  writeFileSync(join(dir, 'rules.yaml'), RULES);
  writeFileSync(
    join(dir, 'taffrail.yaml'),
    `state_dir: ./state
sources: [{ name: queue, paths: [./data.tsv], parser: name-value }]
rules: [./rules.yaml]
metrics: { sample_interval: 1s }
listen: 127.0.0.1:${port}
receivers:
  - { name: nobody }
  - { name: good, exec_configs: [{ command: [/bin/cat] }] }
  - { name: mixed, exec_configs: [{ command: [/bin/true] }, { command: [/bin/false] }] }
route: { receiver: nobody }
`,
  );
  const collectorPort = await freePort();
  collector = `http://127.0.0.1:${collectorPort}`;
  // No name and no key tells what this is, but that it has no sources.
  const config = join(dir, 'c.yaml');
  writeFileSync(config, `state_dir: ./collected\nlisten: 127.0.0.1:${collectorPort}\nrules: []\n`);
  const collects = program.start('collector', '-c', config);
  const agent = program.start('agent', '-c', join(dir, 'taffrail.yaml'));
  await answers(`${url}/-/ready`, agent);
  await answers(`${collector}/-/ready`, collects);
  await vi.waitFor(async () => expect(await query(url, 'ALERTS{alertname="DepthHigh"}')).toHaveLength(1), {
    timeout: 20_000,
  });
});

afterAll(async () => {
  await program.remove();
  rmSync(dir, { recursive: true, force: true });
});

describe('taffrail query', () => {
  it('prints series with their values', async () => {
    expect(await program.run('query', 'depth * 2', '--url', url)).toEqual({
      status: 0,
      out: '{source="queue"}  14\n',
      err: '',
    });
    expect((await program.run('query', '1 + 1', '--url', url)).out).toBe('2\n');
    expect((await program.run('query', 'nothing', '--url', url)).out).toBe('no series\n');
  });

  it('prints ranges, and JSON', async () => {
    const { out } = await program.run('query', 'depth', '--url', url, '--range', '10s', '--step', '1s');
    expect(out).toMatch(/^depth\{source="queue"\}\n( {2}\d{4}-\d\d-\d\dT[\d:.]+Z {2}7\n)+$/);
    const json = await program.run('query', 'depth', '--url', url, '--json');
    expect(JSON.parse(json.out)).toMatchObject({
      resultType: 'vector',
      result: [{ value: [expect.any(Number), '7'] }],
    });
  });

  it('says what is wrong with an expression, a duration, an address', async () => {
    const wrong = await program.run('query', 'sum(', '--url', url);
    expect(wrong).toMatchObject({ status: 2, err: expect.stringContaining('parse error') as string });
    expect(await program.run('query', 'x', '--url', url, '--range', 'soon')).toMatchObject({
      status: 2,
      err: 'taffrail: --range soon: expected a duration such as 30s, 5m or 1h30m\n',
    });
    expect(await program.run('query', 'x', '--url', `http://127.0.0.1:${await freePort()}`)).toMatchObject({
      status: 2,
      err: expect.stringContaining('is an agent or a collector running there?') as string,
    });
  });
});

describe('taffrail alerts', () => {
  it('shows what fires and ends with 1 because something does', async () => {
    const { status, out } = await program.run('alerts', '--url', url);
    expect(status).toBe(1);
    expect(out).toMatch(
      /firing\s+DepthHigh\s+\d{4}-\S+\s+7\s+severity="warning", source="queue"\s+Depth is 7\./,
    );
    const { alerts } = JSON.parse((await program.run('alerts', '--url', url, '--json')).out) as {
      alerts: { labels: { alertname: string } }[];
    };
    expect(alerts.map(({ labels }) => labels.alertname)).toContain('DepthHigh');
  });
});

describe('taffrail silence', () => {
  it('adds, lists and ends', async () => {
    const args = ['--url', url, '--for', '2h', '--comment', 'being replaced', '--author', 'ada'];
    const { status, out } = await program.run('silence', 'add', 'DepthHigh', 'severity=~"w.*"', ...args);
    expect(status).toBe(0);
    const id = out.trim();
    const list = await program.run('silence', 'list', '--url', url);
    expect(list.out).toContain(id);
    expect(list.out).toMatch(
      /active\s+\S+\s+alertname="DepthHigh", severity=~"w\.\*"\s+ada\s+being replaced/,
    );
    expect(await program.run('silence', 'expire', id, '--url', url)).toEqual({ status: 0, out: '', err: '' });
    expect((await program.run('silence', 'list', '--url', url)).out).toBe('no silences\n');
    expect((await program.run('silence', 'list', '--all', '--url', url)).out).toContain('expired');
  });

  it('says what is wrong with a matcher and an id', async () => {
    const add = await program.run('silence', 'add', 'a=~"("', '--url', url, '--comment', 'x');
    expect(add).toMatchObject({ status: 2, err: expect.stringContaining('a=~"("') as string });
    expect(await program.run('silence', 'expire', 'nope', '--url', url)).toMatchObject({
      status: 2,
      err: 'taffrail: there is no silence nope\n',
    });
    expect(await program.run('silence', 'add', 'a="b"', '--url', url)).toMatchObject({ status: 2 });
  });
});

it('the rules that come with the program are there, and their metrics', async () => {
  const { data } = (await (await fetch(`${url}/api/v1/rules`)).json()) as {
    data: { groups: { file: string; rules: { name: string; health: string; lastError?: string }[] }[] };
  };
  const builtIn = data.groups.filter(({ file }) => file === 'built-in').flatMap(({ rules }) => rules);
  expect(builtIn.map(({ name }) => name)).toContain('LinesLost');
  const metrics = await (await fetch(`${url}/metrics`)).text();
  for (const name of [
    'taffrail_hook_alerts',
    'taffrail_rules',
    'taffrail_alerts',
    'taffrail_hook_state_durable',
  ])
    expect(metrics).toMatch(new RegExp(`^${name}(\\{[^}]*\\})? \\d`, 'm'));
});

describe('taffrail notify', () => {
  it('sends a test by each way of telling, and says what became of it', async () => {
    const good = await program.run('notify', 'good', '--url', url);
    expect(good).toMatchObject({ status: 0, err: '' });
    expect(good.out).toMatch(/good\/exec\[0\]\s+sent\s+.*TaffrailTest/s);
    const mixed = await program.run('notify', 'mixed', '--url', url, '--json');
    expect(mixed.status).toBe(1);
    expect(JSON.parse(mixed.out)).toMatchObject([
      { lane: 'mixed/exec[0]', ok: true },
      { lane: 'mixed/exec[1]', ok: false, message: expect.stringContaining('1') as string },
    ]);
    expect(await program.run('notify', 'nobody', '--url', url)).toMatchObject({
      status: 1,
      out: 'this receiver has no way of telling anybody\n',
    });
    expect(await program.run('notify', 'nobdy', '--url', url)).toMatchObject({
      status: 2,
      err: 'taffrail: there is no receiver "nobdy"; there are: nobody, good, mixed\n',
    });
  });
});

describe('what was meant', () => {
  it('an address needs no scheme', async () => {
    const bare = url.replace('http://', '');
    expect(await program.run('query', '1 + 1', '--url', bare)).toMatchObject({ status: 0, out: '2\n' });
    expect(
      await program.run('query', '1 + 1', '--url', bare.replace('127.0.0.1', 'localhost')),
    ).toMatchObject({
      status: 0,
    });
    expect(await program.run('query', '1', '--url', 'ftp://x')).toMatchObject({
      status: 2,
      err: expect.stringContaining('expected an address such as http://127.0.0.1:9470') as string,
    });
  });

  it('status of a collector is that of its fleet', async () => {
    const agent = await program.run('status', '--url', url);
    expect(agent).toMatchObject({ status: 0, err: '' });
    expect(agent.out).toContain('Sources');
    const fleet = await program.run('status', '--url', collector);
    expect(fleet).toMatchObject({ status: 0, err: '' });
    expect(fleet.out).toMatch(/^taffrail \S+, a collector since .*\n\nAgents\nnone has been heard of/);
    const { out } = await program.run('status', '--url', collector, '--json');
    expect(JSON.parse(out)).toMatchObject({ agents: [], runtime: { reloadConfigSuccess: true } });
  });

  it('check takes files by themselves, several, and what comes through a pipe', async () => {
    const files = ['taffrail.yaml', 'c.yaml', 'rules.yaml'].map((name) => join(dir, name));
    const all = await program.run('check', ...files);
    expect(all).toMatchObject({ status: 0, err: '' });
    expect(all.out).toMatch(
      /taffrail\.yaml: well; 1 sources.*\n.*c\.yaml: well; a collector .*\n.*rules\.yaml: well; a rule file with 1 rules\n/,
    );
    const piped = await program.shell(
      `cd ${dir} && "$TAFFRAIL" check -c <(cat taffrail.yaml) && "$TAFFRAIL" check - < c.yaml`,
    );
    expect(piped).toMatchObject({ status: 0, err: '' });
    expect(piped.out).toMatch(/: well; 1 sources.*\n-: well; a collector/);
  });

  it('a number of seconds is one', async () => {
    expect(await program.run('demo', '--seconds', '-3')).toMatchObject({
      status: 2,
      err: expect.stringContaining('expected a whole number of at least 1') as string,
    });
  });
});
