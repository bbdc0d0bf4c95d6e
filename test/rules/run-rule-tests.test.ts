import { describe, expect, it } from 'vitest';
import { writeJunit } from '../../src/rules/junit.ts';
import { formatProblem } from '../../src/rules/rule.ts';
import { formatRuleTestResult } from '../../src/rules/rule-test-result.ts';
import type { RuleTestFileResult } from '../../src/rules/rule-test-result.ts';
import { runRuleTests } from '../../src/rules/run-rule-tests.ts';
import type { RunRuleTestsOptions } from '../../src/rules/run-rule-tests.ts';

const RULES = `
groups:
- name: g
  rules:
  - record: job:up:sum
    expr: sum by (job) (up)
  - alert: Down
    expr: up == 0
    for: 2m
    labels: {severity: page, region: '{{ $externalLabels.region }}'}
    annotations: {summary: '{{ $labels.instance }} is down'}
`;

function run(tests: string, options: RunRuleTestsOptions = {}, rules = RULES): Promise<RuleTestFileResult> {
  const files = new Map([
    ['/t/test.yaml', tests],
    ['/t/rules.yaml', rules],
  ]);
  return runRuleTests(
    '/t/test.yaml',
    {
      readFile: (path) =>
        files.has(path)
          ? Promise.resolve(files.get(path) ?? '')
          : Promise.reject(new Error(`no file ${path}`)),
      glob: (pattern) => Promise.resolve(files.has(pattern) ? [pattern] : []),
    },
    options,
  );
}

function testFile(body: string, head = ''): string {
  return `rule_files: [rules.yaml]\n${head}\ntests:\n- interval: 1m\n  name: first\n  input_series:\n  - series: 'up{job="j", instance="a"}'\n    values: '1 1 0x10 _ 1+1x3'\n${body.replace(/^/gm, '  ')}\n`;
}

const DOWN = `
external_labels: {region: north}
alert_rule_test:
- eval_time: 3m
  alertname: Down
- eval_time: 4m30s
  alertname: Down
  exp_alerts:
  - exp_labels: {severity: page, job: j, instance: a, region: north}
    exp_annotations: {summary: a is down}
promql_expr_test:
- expr: job:up:sum
  eval_time: 1m
  exp_samples:
  - {labels: 'job:up:sum{job="j"}', value: 1}
- expr: 1 + 1
  eval_time: 0
  exp_samples: [{labels: '{}', value: 2}]
`;

describe('a unit-test file', () => {
  it('passes where everything is as expected', async () => {
    expect(await run(testFile(DOWN))).toMatchObject({
      ok: true,
      problems: [],
      tests: [{ name: 'first', failures: [] }],
    });
  });

  it.each([
    ['eval_time: 4m30s', 'eval_time: 3m30s', '- labels {alertname="Down"'],
    [
      'exp_annotations: {summary: a is down}',
      'exp_annotations: {summary: b is down}',
      '+ labels {alertname="Down", instance="a"',
    ],
    ['severity: page, job: j', 'severity: warn, job: j', 'severity="warn"'],
    ['- eval_time: 3m\n', '- eval_time: 5m\n', '+ labels'],
    ['value: 1}', 'value: 2}', '- job:up:sum{job="j"} 2\n+ job:up:sum{job="j"} 1'],
    ['{job="j"}', '{job="k"}', '- job:up:sum{job="k"} 1\n+ job:up:sum{job="j"} 1'],
    ['expr: 1 + 1', 'expr: 1 +', 'parse error'],
    ['expr: 1 + 1', 'expr: up[5m]', 'rule result is not a vector or scalar'],
    ['region: north}\nalert', 'region: south}\nalert', 'region="south"'],
    ["'{}'", "'{'", 'cannot read series'],
  ])('fails when %s is %s', async (from, to, message) => {
    const changed = testFile(DOWN.replace(from, to));
    const result = await run(changed);
    expect(result.ok).toBe(false);
    expect(formatRuleTestResult(result, formatProblem)).toContain(message.split('\n')[0]);
    expect(
      result.tests.flatMap(({ failures }) => failures.map((failure) => failure.message)).join('\n'),
    ).toContain(message);
  });

  it.each([
    [testFile('surprise: 1'), 'unknown key "surprise"'],
    [testFile('interval: soon').replace('interval: 1m', 'x: y'), 'is not a duration'],
    [testFile('', 'group_eval_order: [a, b, a]'), 'group name repeated in evaluation order: a'],
    [testFile('alert_rule_test: [{eval_time: 1m}]'), 'misses required attribute alertname'],
    [
      testFile('promql_expr_test: [{expr: up, exp_samples: [{labels: up, value: many}]}]'),
      '"many" is not a number',
    ],
    [testFile('start_timestamp: yesterday'), 'is not a time'],
  ])('is refused for what it says: %#', async (text, message) => {
    const { ok, problems } = await run(text);
    expect(ok).toBe(false);
    expect(problems.map(formatProblem).join('\n')).toContain(message);
  });

  it('may have unknown fields when told so', async () => {
    expect(await run(testFile('surprise: 1'), { ignoreUnknownFields: true })).toMatchObject({ ok: true });
  });

  it('reports bad series, bad rules and a missing file as failures', async () => {
    expect((await run(testFile('').replace('1+1x3', '1+1y3'))).tests[0]?.failures[0]?.message).toContain(
      'unexpected "1+1y3"',
    );
    expect(
      (await run(testFile(''), {}, RULES.replace('up == 0', 'up =='))).tests[0]?.failures[0]?.message,
    ).toContain('parse error');
    expect(await run(testFile('').replace('rules.yaml', 'none.yaml'))).toMatchObject({
      ok: true,
      warnings: ['no file matches pattern /t/none.yaml'],
    });
    expect(
      await runRuleTests('/none', {
        readFile: () => Promise.reject(new Error('ENOENT')),
        glob: () => Promise.resolve([]),
      }),
    ).toMatchObject({
      ok: false,
      problems: [{ message: 'ENOENT' }],
    });
  });

  it('ends a test at the first evaluation that fails', async () => {
    const rules = "groups: [{name: g, rules: [{record: r, expr: 'up', labels: {instance: x}}]}]";
    const body = `- series: 'up{job="j", instance="b"}'\n  values: '1x5'\npromql_expr_test: [{expr: up, eval_time: 5m}]`;
    const { tests: results } = await run(testFile(body), {}, rules);
    expect(results[0]?.failures).toMatchObject([{ kind: 'evaluation', evalTime: '0s', subject: 'rule r' }]);
  });

  it('does not let rules see samples of later steps', async () => {
    const rules =
      "groups: [{name: g, rules: [{record: future, expr: 'up offset -1m'}, {record: present, expr: up}]}]";
    const body =
      'promql_expr_test:\n- {expr: future, eval_time: 1m, exp_samples: [{labels: \'future{job="j", instance="a"}\', value: 1}]}';
    expect(await run(testFile(body), {}, rules)).toMatchObject({ ok: true });
  });

  it('runs only the tests whose name matches', async () => {
    const two = `${testFile(DOWN)}- name: second\n  promql_expr_test: [{expr: 1, eval_time: 0}]\n`;
    expect(await run(two)).toMatchObject({ ok: false });
    expect(await run(two, { run: [/^fir/] })).toMatchObject({
      ok: true,
      tests: [{ skipped: false }, { skipped: true }],
    });
  });

  it('evaluates groups in the order that it asks for', async () => {
    const rules =
      'groups:\n- {name: b, rules: [{record: second, expr: first + 1}]}\n- {name: a, rules: [{record: first, expr: time()}]}\n';
    const body =
      'promql_expr_test: [{expr: second, eval_time: 1m, exp_samples: [{labels: second, value: 61}]}]';
    expect(await run(testFile(body), {}, rules)).toMatchObject({ ok: false });
    expect(await run(testFile(body, 'group_eval_order: [a, b]'), {}, rules)).toMatchObject({ ok: true });
  });

  it('compares neighbouring floats as equal only when asked to', async () => {
    const body =
      "promql_expr_test: [{expr: vector(0.1 + 0.2), eval_time: 0, exp_samples: [{labels: '{}', value: 0.3}]}]";
    expect(await run(testFile(body))).toMatchObject({ ok: false });
    expect(await run(testFile(body, 'fuzzy_compare: true'))).toMatchObject({ ok: true });
  });

  it('starts when it says', async () => {
    const body =
      'start_timestamp: 2026-01-01T00:00:00Z\npromql_expr_test: [{expr: year(), eval_time: 1m, exp_samples: [{labels: \'{}\', value: 2026}]}, {expr: up, eval_time: 1m, exp_samples: [{labels: \'up{job="j", instance="a"}\', value: 1}]}]';
    expect(await run(testFile(body))).toMatchObject({ ok: true });
  });
});

describe('the JUnit report', () => {
  it('has a suite for each file and a case for each test, escaped', async () => {
    const result = await run(testFile(DOWN.replace('a is down}', '<b> & "c"}')));
    const xml = writeJunit([result]);
    expect(xml).toContain('<testsuite name="/t/test.yaml" tests="1" failures="1" errors="0" skipped="0">');
    expect(xml).toContain(
      '<testcase classname="/t/test.yaml" name="first" time="0.000"><failure message="alert Down 4m30s">',
    );
    expect(xml).toContain('&lt;b&gt; &amp;');
  });
});

describe('forms of unit tests that promtool takes', () => {
  it.each(['1x150000', '1+0x4000000000', '_x1 1x10000000', '0x10000000'])(
    'a run as long as %s costs nothing before its values are needed',
    async (values) => {
      const value = values.startsWith('0') ? 0 : 1;
      const result = await run(
        `tests:\n- interval: 1m\n  input_series: [{series: m, values: '${values}'}]\n  promql_expr_test: [{expr: m, eval_time: 5m, exp_samples: [{labels: m, value: ${value}}]}]\n`,
      );
      expect(result.ok, formatRuleTestResult(result, formatProblem)).toBe(true);
    },
  );

  it('tests, series and labels share what they have in common by merge keys', async () => {
    const result = await run(`
tests:
- &base
  interval: 1m
  input_series: [&s {series: m, values: 1x9}]
  external_labels: &l {region: north}
  promql_expr_test: [&e {expr: m, eval_time: 3m, exp_samples: [{labels: m, value: 0x1}]}]
- <<: *base
  external_labels: {<<: *l, zone: a}
  input_series: [{<<: *s, values: 2x9}]
  promql_expr_test: [{exp_samples: [{labels: m, value: 2}], <<: *e}]
`);
    expect(result.ok, formatRuleTestResult(result, formatProblem)).toBe(true);
  });
});
