import { describe, expect, test } from 'vitest';
import { linesRuleNotes } from '../../src/rules/lines-rule-notes.ts';
import { loadRuleFile } from '../../src/rules/load-rule-file.ts';
import { runRuleTests } from '../../src/rules/run-rule-tests.ts';

function rules(expr: string, more = ''): string {
  return `groups:\n  - name: lines\n    interval: 1m\n    rules:\n      - alert: Failing\n        expr: ${JSON.stringify(expr)}\n${more}`;
}

const load = (text: string): ReturnType<typeof loadRuleFile> =>
  loadRuleFile(text, { file: 'r.yaml', language: 'logql' });

test('a rule on lines is read, and looks 15 s back for lines that come late', () => {
  const { groups, problems } = load(
    rules('sum by (host) (count_over_time({source="ssh"} |= "Failed" [5m])) > 10'),
  );
  expect(problems).toEqual([]);
  expect(groups[0]!.queryOffsetMs).toBe(15_000);
  expect(groups[0]!.rules[0]!.query).toBe(
    'sum by (host) (count_over_time({source="ssh"} |= "Failed" [5m])) > 10',
  );
});

test('a mistake in the expression is told with its place in the file', () => {
  const { problems } = load(
    'groups:\n  - name: g\n    rules:\n      - alert: A\n        expr: sum(rate({a="b"} foo [5m]))\n',
  );
  expect(problems).toMatchObject([
    { line: 5, column: 32, message: expect.stringContaining('unexpected name foo') as string },
  ]);
  expect(load(rules('{a="b"}')).problems[0]!.message).toContain('needs samples');
});

describe('traps are told', () => {
  const notes = (expr: string): string[] =>
    linesRuleNotes(load(rules(expr)).groups[0]!).map(({ message }) => message);
  test.each([
    ['sum(count_over_time({a="b"}[5m])) == 0', 'absent_over_time'],
    ['sum(rate({a="b"}[5m])) < 1', 'absent_over_time'],
    ['sum(count_over_time({a="b"} | json | x="1" [5m])) > 1', '__error__=""'],
    ['sum(sum_over_time({a="b"} | logfmt | unwrap took [5m])) > 1', '__error__=""'],
    ['count_over_time({a="b"}[5m]) > 1', 'sum by'],
    ['sum(count_over_time({a="b"}[30s])) > 1', 'shorter than the interval'],
  ])('%s', (expr, what) => {
    expect(notes(expr)).toEqual([expect.stringContaining(what)]);
  });

  test.each([
    'sum(count_over_time({a="b"}[5m])) or vector(0) == 0',
    '(sum(count_over_time({a="b"}[5m])) or vector(0)) < 1',
    'absent_over_time({a="b"}[25h])',
    'sum(count_over_time({a="b"} | json | __error__="" | x="1" [5m])) > 1',
    'sum by (host) (rate({a="b"} |= "x" [5m])) > 0.1',
  ])('%s has none', (expr) => {
    expect(notes(expr)).toEqual([]);
  });
});

describe('unit tests with lines', () => {
  const text = rules(
    'sum by (host) (count_over_time({source="web"} | status="503" |~ "GET" [5m])) > 1',
    '        for: 1m\n        annotations: { summary: "{{ $value }} on {{ $labels.host }}" }\n',
  );
  const unitTest = (expected: string): string => `rule_files: [r.yaml]
evaluation_interval: 1m
tests:
  - name: failing
    input_lines:
      - stream: '{source="web", host="m1"}'
        lines:
          - { at: 1m, line: 'GET /a', metadata: { status: '503' } }
          - { at: 2m, line: 'GET /b', metadata: { status: '503' } }
          - { at: 2m, line: 'GET /c', metadata: { status: '200' } }
    alert_rule_test:
      - eval_time: 4m
        alertname: Failing
        exp_alerts: ${expected}
`;
  const run = (test: string): ReturnType<typeof runRuleTests> =>
    runRuleTests('t.yaml', {
      readFile: (path) => Promise.resolve(path === 't.yaml' ? test : text),
      glob: (pattern) => Promise.resolve([pattern]),
    });

  test('an alert fires on lines', async () => {
    const result = await run(
      unitTest('[{ exp_labels: { host: m1 }, exp_annotations: { summary: 2 on m1 } }]'),
    );
    expect(result.tests[0]!.failures).toEqual([]);
    expect(result.ok).toBe(true);
  });

  test('an alert that does not come is a failure', async () => {
    const result = await run(
      unitTest('[{ exp_labels: { host: m2 }, exp_annotations: { summary: 2 on m1 } }]'),
    );
    expect(result.ok).toBe(false);
  });

  test('a stream that is none is told', async () => {
    const result = await run(unitTest('[]').replace('{source="web", host="m1"}', '{source=~"web"}'));
    expect(result.tests[0]!.failures[0]!.message).toContain('labels of a stream');
  });
});
