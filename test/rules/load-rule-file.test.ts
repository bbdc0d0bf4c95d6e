import { describe, expect, it } from 'vitest';
import { loadRuleFile } from '../../src/rules/load-rule-file.ts';
import { formatProblem } from '../../src/rules/rule.ts';

function problemsOf(text: string, history?: { keptMs: number; lookbackMs: number }): readonly string[] {
  const { problems } = loadRuleFile(text, { file: 'r.yaml', ...(history === undefined ? {} : { history }) });
  return problems.map(formatProblem);
}

const rule = (body: string): string =>
  `groups:\n- name: g\n  rules:\n  - ${body.replaceAll('\n', '\n    ')}\n`;

describe('a rule file that is right', () => {
  it('gives groups with their defaults filled in', () => {
    const { groups, problems } = loadRuleFile(
      `
groups:
- name: first
  interval: 30s
  query_offset: 10s
  limit: 5
  labels: {team: infra}
  rules:
  - record: job:requests:rate5m
    expr: sum by (job) (rate(requests_total[5m]))
  - alert: High
    expr: job:requests:rate5m > 10
    for: 5m
    keep_firing_for: 1h30m
    labels: {severity: 1}
    annotations: {summary: "{{ $value }}"}
- name: second
`,
      { file: 'r.yaml', defaultIntervalMs: 15_000 },
    );
    expect(problems).toEqual([]);
    expect(groups).toMatchObject([
      {
        name: 'first',
        intervalMs: 30_000,
        queryOffsetMs: 10_000,
        limit: 5,
        rules: [
          {
            kind: 'recording',
            name: 'job:requests:rate5m',
            query: 'sum by (job) (rate(requests_total[5m]))',
            line: 9,
          },
          {
            kind: 'alerting',
            forMs: 300_000,
            keepFiringForMs: 5_400_000,
            labels: { team: 'infra', severity: '1' },
          },
        ],
      },
      { name: 'second', intervalMs: 15_000, rules: [] },
    ]);
  });

  it.each(['', 'groups:', 'groups: []', '# nothing\n'])('%j has no groups', (text) => {
    expect(loadRuleFile(text, { file: 'r.yaml' })).toEqual({ groups: [], problems: [] });
  });

  it('may use anchors', () => {
    const text =
      'groups:\n- name: g\n  rules:\n  - {alert: A, expr: up, labels: &l {a: b}}\n  - {alert: B, expr: up, labels: *l}\n';
    expect(loadRuleFile(text, { file: 'r.yaml' })).toMatchObject({
      problems: [],
      groups: [{ rules: [{}, { labels: { a: 'b' } }] }],
    });
  });
});

describe('a mistake is reported with its place and what is accepted', () => {
  it.each([
    ['group: []', 'r.yaml:1:1: group: unknown key "group", did you mean "groups"?; accepted: groups'],
    ['groups: 3', 'r.yaml:1:9: groups: expected a list, found "3"'],
    ['[]', 'r.yaml:1:1: expected a mapping, found a list'],
    ['groups:\n- rules: []\n', 'r.yaml:2:3: groups[0].name: a group must have a name'],
    [
      rule('alert: A\nexpr: up\nannotation: {}'),
      'r.yaml:6:5: groups[0].rules[0].annotation: unknown key "annotation", did you mean "annotations"?; accepted: record, alert, expr, for, keep_firing_for, labels, annotations',
    ],
    [
      rule('alert: A\nexpr: up\nfor: 5x'),
      'r.yaml:6:10: groups[0].rules[0].for: "5x" is not a duration; accepted: a duration such as 30s, 5m or 1h30m',
    ],
    [
      rule('alert: A\nrecord: b\nexpr: up'),
      "r.yaml:5:13: groups[0].rules[0]: only one of 'record' and 'alert' may be set",
    ],
    [rule('expr: up'), "r.yaml:4:5: groups[0].rules[0]: one of 'record' or 'alert' must be set"],
    [rule('alert: A'), 'r.yaml:4:5: groups[0].rules[0].expr: a rule must have an expression'],
    [
      rule('record: a\nexpr: up\nfor: 5m'),
      'r.yaml:6:10: groups[0].rules[0].for: a recording rule has no for',
    ],
    [
      rule('record: a\nexpr: up\nannotations: {a: b}'),
      'r.yaml:6:18: groups[0].rules[0].annotations: a recording rule has no annotations',
    ],
    [
      rule('record: a-b\nexpr: up'),
      'r.yaml:4:13: groups[0].rules[0].record: "a-b" is not a metric name; accepted: letters, digits, _ and :, not beginning with a digit',
    ],
    [
      rule('alert: A\nexpr: up\nlabels: {a-b: c}'),
      'r.yaml:6:14: groups[0].rules[0].labels.a-b: "a-b" is not a name for labels; accepted: letters, digits and _, not beginning with a digit',
    ],
    [
      rule('alert: A\nexpr: up\nannotations:\n  summary: "{{ $valu }}"'),
      'r.yaml:7:16: groups[0].rules[0].annotations.summary: template: __alert_A:1: undefined variable "$valu"',
    ],
    [
      'groups:\n- name: g\n  limit: many\n',
      'r.yaml:3:10: groups[0].limit: "many" is not a limit; accepted: a whole number; 0 is no limit',
    ],
    ['groups:\n- name: g\n  rules: {}\n', 'r.yaml:3:10: groups[0].rules: expected a list, found a mapping'],
    ['groups: []\n---\ngroups: []\n', 'r.yaml:2:1: a second YAML document; accepted: one document in a file'],
    [
      'groups: [\n',
      'r.yaml:2:1: YAML: Flow sequence in block collection must be sufficiently indented and end with a ]',
    ],
    ['groups: []\ngroups: []\n', 'r.yaml:2:1: YAML: Map keys must be unique'],
  ])('%j', (text, expected) => {
    expect(problemsOf(text)).toEqual([expected]);
  });

  it('in an expression on one line stands where the expression has it', () => {
    const { problems } = loadRuleFile(rule('alert: A\nexpr: sum(up) + + )'), { file: 'r.yaml' });
    expect(problems).toMatchObject([
      { line: 5, key: 'groups[0].rules[0].expr', message: expect.stringContaining('parse error') },
    ]);
    expect(problems[0]?.column).toBe('    expr: sum(up) + + '.length + 1);
  });

  it('in a block stands on its line of the file', () => {
    const { problems } = loadRuleFile(rule('alert: A\nexpr: |\n  sum(up)\n    + nofunc(up)'), {
      file: 'r.yaml',
    });
    expect(problems).toMatchObject([{ line: 7, column: '        + '.length + 1 }]);
  });

  it('does not hide the others, and does not spoil groups without one', () => {
    const { groups, problems } = loadRuleFile(
      'groups:\n- {name: bad, interval: x, rules: [{alert: A}]}\n- {name: good, rules: [{alert: A, expr: up}]}\n',
      { file: 'r.yaml' },
    );
    expect(problems).toHaveLength(2);
    expect(groups.map(({ name }) => name)).toEqual(['good']);
  });
});

describe('an expression that needs more history than is kept', () => {
  const history = { keptMs: 3_600_000, lookbackMs: 300_000 };

  it.each([
    ['rate(x_total[1h])', []],
    ['rate(x_total[24h])', ['r.yaml:5:11: groups[0].rules[0].expr: the expression needs 1d, 1h is kept']],
    [
      'x @ 1600000000',
      ['r.yaml:5:11: groups[0].rules[0].expr: the expression needs all history, 1h is kept'],
    ],
  ])('%s', (expr, expected) => {
    expect(problemsOf(rule(`alert: A\nexpr: ${expr}`), history)).toEqual(expected);
  });
});
