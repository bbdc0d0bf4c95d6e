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
receivers: [{ name: nobody }]
route: { receiver: nobody }
`,
  );
  const agent = program.start('agent', '-c', join(dir, 'taffrail.yaml'));
  await answers(`${url}/-/ready`, agent);
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
