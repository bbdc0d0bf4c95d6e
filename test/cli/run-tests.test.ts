import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TestOptions } from '../../src/cli/test-command.ts';
import { lineDiff } from '../../src/cli/test/line-diff.ts';
import { runTests } from '../../src/cli/test/run-tests.ts';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'taffrail-test-'))));
afterEach(() => rmSync(folder, { recursive: true }));

const PACK = `name: jobs
description: x
patterns:
  - { name: done, pattern: '^(?<job>\\w+) done$' }
  - { name: failed, pattern: '^(?<job>\\w+) failed$' }
metrics:
  - { name: jobs_total, type: counter, help: Jobs., labels: { job: job, how: '@pattern' } }
  - { name: retries_total, type: counter, help: Retries., value: tries, when: { job: retry } }
`.replace('value: tries, ', '');
const EXPECTED = `# what the first night looked like
lines: 2
matched: 2
unmatched: 0
metrics: |
  jobs_total{how="done",job="a"} 1
  jobs_total{how="done",job="b"} 1
`;

function write(name: string, text: string): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

function writePack(expected = EXPECTED): string {
  write('jobs/pack.yaml', PACK);
  write('jobs/cases/night/input.log', 'a done\nb done\n');
  if (expected !== '') write('jobs/cases/night/expected.yaml', expected);
  return join(folder, 'jobs');
}

async function run(paths: readonly string[], options: TestOptions = {}) {
  let text = '';
  const code = await runTests(paths, options, (part) => (text += part));
  return { code, text };
}

describe('test', () => {
  it('runs the cases of a pack, or of each pack of a folder', async () => {
    const pack = writePack();
    expect(await run([pack])).toMatchObject({ code: 0 });
    const { code, text } = await run([folder]);
    expect(code).toBe(0);
    expect(text).toContain(`ok   ${pack} (1 test)`);
    expect(text).toContain('1 tests, none failed');
  });

  it('fails where --run selects nothing', async () => {
    const pack = writePack();
    expect(await run([pack], { run: 'nigth' })).toMatchObject({
      code: 1,
      text: expect.stringContaining("no test's name matches --run nigth"),
    });
    expect(await run([pack], { run: 'night' })).toMatchObject({ code: 0 });
  });

  it('shows what differs line by line', async () => {
    const { code, text } = await run([writePack(EXPECTED.replace('job="b"', 'job="c"'))]);
    expect(code).toBe(1);
    expect(text).toContain('jobs/night: metrics');
    expect(text).toContain(
      '    - jobs_total{how="done",job="c"} 1\n    + jobs_total{how="done",job="b"} 1\n',
    );
  });

  it('updates what differs, adds what is not said, and keeps comments and order', async () => {
    const pack = writePack(`# what the first night looked like
metrics: |
  # b came late
  jobs_total{job="b",how="done"} 3
  jobs_total{how="done",job="gone"} 1

matched: 1 # of two
lines: 2
records:
  # the first
  - body: a done # as it was
    time: 2026-01-15T12:00:00Z
  - { fields: { job: c, gone: 1 } }
  - body: too many
`);
    const { code, text } = await run([pack], { update: true });
    expect(code).toBe(0);
    expect(text).toContain('1 updated');
    const file = join(pack, 'cases/night/expected.yaml');
    const updated = `# what the first night looked like
metrics: |
  # b came late
  jobs_total{how="done",job="b"} 1
  jobs_total{how="done",job="a"} 1

matched: 2 # of two
lines: 2
unmatched: 0
records:
  # the first
  - body: a done # as it was
    time: 2026-01-15T12:00:00Z
    fields:
      job: a
  - { fields: { job: b } }
`;
    expect(readFileSync(file, 'utf8')).toBe(updated);
    expect((await run([pack], { update: true })).text).not.toContain('updated');
    expect(readFileSync(file, 'utf8')).toBe(updated);
    expect(await run([pack])).toMatchObject({ code: 0 });
  });

  it('adds to a case that passes what it does not say', async () => {
    const pack = writePack('lines: 2\n');
    expect((await run([pack], { update: true })).text).toContain('1 updated');
    const text = readFileSync(join(pack, 'cases/night/expected.yaml'), 'utf8');
    expect(text).toMatch(/^lines: 2\nmatched: 2\nunmatched: 0\nmetrics: \|\n[^]*records:\n  - time: /);
    expect(text).toContain('job: b');
  });

  it('writes a missing expectation whole, which then holds', async () => {
    const pack = writePack('');
    expect((await run([pack])).text).toContain('is missing; taffrail test --update writes it');
    await run([pack], { update: true });
    expect(readFileSync(join(pack, 'cases/night/expected.yaml'), 'utf8')).toContain('records:');
    expect(await run([pack])).toMatchObject({ code: 0 });
  });

  it('names the patterns and metrics that no case exercises, and fails for them if told to', async () => {
    const pack = writePack();
    const { code, text } = await run([pack]);
    expect(code).toBe(0);
    expect(text).toContain('no case exercises pattern failed, metric retries_total');
    expect(await run([pack], { coverage: true })).toMatchObject({ code: 1 });
    write('jobs/cases/day/input.log', 'a failed\nretry done\n');
    write('jobs/cases/day/expected.yaml', 'matched: 2\n');
    expect(await run([pack], { coverage: true })).toMatchObject({ code: 0 });
  });

  it('runs only the tests asked for', async () => {
    const pack = writePack(EXPECTED.replace('lines: 2', 'lines: 3'));
    write('jobs/cases/day/input.log', 'a done\nb done\n');
    write('jobs/cases/day/expected.yaml', EXPECTED);
    expect(await run([pack], { run: 'jobs/day' })).toMatchObject({ code: 0 });
    expect(await run([pack], { run: '^jobs/n' })).toMatchObject({ code: 1 });
    await expect(run([pack], { run: '(' })).rejects.toThrow('--run');
  });

  it('reports packs with mistakes and writes JUnit', async () => {
    const pack = writePack();
    write('jobs/pack.yaml', PACK.replace('type: counter', 'type: sum'));
    const junit = join(folder, 'junit.xml');
    const { code, text } = await run([pack], { junit });
    expect(code).toBe(1);
    expect(text).toContain('pack.yaml:7:');
    expect(readFileSync(junit, 'utf8')).toContain('errors="1"');
  });

  it('warns of a pattern that a line can make slow, with the line, and does not fail for it', async () => {
    const pack = writePack();
    write('jobs/pack.yaml', PACK.replace('(?<job>\\w+) failed', '(?<job>(\\w+-?)+) failed'));
    const { code, text } = await run([pack]);
    expect(code).toBe(0);
    expect(text).toMatch(/warning: .*pack\.yaml:5:\d+: patterns\[1\]\.pattern: is slow on some lines/);
    expect(text).toContain('(\\w+-?)+ (column 9) can read the line "a".repeat(30)');
  });

  it('runs the rule tests of a pack, and a file of them by itself', async () => {
    const pack = writePack();
    write(
      'jobs/rules.yaml',
      'groups:\n  - name: jobs\n    rules:\n      - { alert: JobFailed, expr: \'increase(jobs_total{how="failed"}[5m]) > 0\' }\n',
    );
    const tests = (count: number): string =>
      `rule_files: [rules.yaml]\ntests:\n  - input_series: [{ series: 'jobs_total{how="failed"}', values: '0 0 ${count} ${count}' }]\n    alert_rule_test: [{ eval_time: 3m, alertname: JobFailed, exp_alerts: [{ exp_labels: { how: failed } }] }]\n`;
    const file = write('jobs/rules-test.yaml', tests(1));
    expect(await run([pack])).toMatchObject({ code: 0 });
    expect((await run([file])).text).toContain(`ok   ${file} (1 test)`);
    write('jobs/rules-test.yaml', tests(0));
    expect(await run([pack])).toMatchObject({ code: 1 });
  });

  it('refuses paths that have nothing to test', async () => {
    await expect(run([join(folder, 'none')])).rejects.toThrow('there is no file or folder');
    await expect(run([folder])).rejects.toThrow('has a pack.yaml');
  });
});

describe('line diff', () => {
  it('is the shortest list of changes, with a few equal lines around', () => {
    const before = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
    const after = ['a', 'b', 'c', 'd', 'x', 'f', 'g', 'h', 'i'];
    const text = lineDiff(before.join('\n'), after.join('\n')).map(({ sign, text: line }) => sign + line);
    expect(text).toEqual([' c', ' d', '-e', '+x', ' f', ' g', ' h', '+i']);
  });
});
