import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadRuleFile } from '../../src/rules/load-rule-file.ts';
import { parseSeriesValues, type NotedValue } from '../../src/rules/series-notation.ts';
import { fc } from '../fuzz.ts';
import { promtoolInstalled, runOurs, runPromtool } from './promtool-harness.ts';

const RULE = '- &b {alert: A, expr: up == 0, for: 1m, labels: &l {severity: page}}';

/** The body of a group's `rules`, in every form in which YAML can say it. */
const RULE_FORMS: readonly string[] = [
  `${RULE}\n- {<<: *b, alert: B, for: 2m}`,
  `${RULE}\n- {alert: B, for: 2m, <<: *b}`,
  `${RULE}\n- <<: *b\n  labels:\n    <<: *l\n    team: x`,
  `${RULE}\n- &c {alert: C, <<: {expr: up}, labels: {<<: *l, team: x}}\n- {<<: [*b, *c], labels: {<<: [*l, {a: b}], severity: z}}`,
  `${RULE}\n- {<<: *b, <<: {for: 1m}}`,
  `${RULE}\n- {"<<": *b, for: 1m}`,
  `${RULE}\n- {<<: *nowhere, for: 1m}`,
  `${RULE}\n- *b`,
  `${RULE}\n- {<<: *b, alert: , record: 'x:y', for: , labels: }`,
  `${RULE}\n- {<<: *b, record: 'x:y'}`,
  `${RULE}\n- {<<: *b, unknown: 1}`,
  '- {<<: 3, alert: A, expr: up}',
  '- {<<: [3], alert: A, expr: up}',
  '- {<<: , alert: A, expr: up}',
  '- {<<: {alertx: A}, alert: A, expr: up}',
  '- {<<: {alert: A}, expr: up}',
  '- &r {<<: *r, alert: A, expr: up}',
  '-\n- {alert: A, expr: up}',
  '- {alert: yes, expr: 1, labels: {a: yes, c: 1.50, d: 2001-01-01, e: 0x1F}}',
  '- {alert: A, expr: up, labels: {g: !!binary aGk=, h: !!str 5, k: ~}}',
  '- {alert: A, expr: up, labels: {"a":b}}',
  '- {alert: A, expr: up, labels: {? a : b}}',
  '- {alert: A, expr: up, labels: {5: b}}',
  '- {alert: A, expr: up, labels: [a]}',
  '- {alert: A, expr: up, labels: }',
  '- {alert: A, expr: up, alert: B}',
  '- {alert: A, expr: up, for: 0}',
  '- {alert: A, expr: up, for: "90"}',
  '- {alert: A, expr: up, for: 1h30m}',
  '- {alert: A, expr: up, for: 1.5h}',
  '- {alert: A, expr: up, for: ""}',
  '- {alert: A, expr: up, for: -1m}',
  '- {alert: A, expr: 0x10}',
  '- {alert: A, expr: "up == \\x30"}',
  "- {alert: A, expr: 'up{a=\"it''s\"}'}",
  '- alert: A\n  expr: |\n    up\n      == 0\n',
  '- alert: A\n  expr: >-\n    up\n\n    == 0\n',
  '- alert: A\n  expr: up\n    == 0\n    and on() vector(1)',
  '- alert: A\n  expr: up\n  annotations: {a: a b, c: "x: y"}',
  '- alert: A\n  expr: up\n  annotations:\n    x: a: b',
  '- alert: A\n  expr: up\n  annotations: {a: @x}',
  '- alert: A\n  expr: up\n  annotations: {a: `x`}',
  '- alert: A\n  expr: up\n  annotations:\n    a: %x',
  '- alert: A\n  expr: |\n\tup',
  '- alert: !foo A\n  expr: up',
  '- alert: A # comment\n  expr: up # comment',
  '- {record: a, expr: up, labels: {<<: {a: b}}}',
  '- {record: "a b", expr: up}',
  '- {record: a, expr: up, annotations: {}}',
  '- {record: a, expr: up, for: 0s}',
];

const GROUP_FORMS: readonly string[] = [
  '',
  '---\n',
  'groups:\n',
  'groups: []\n---\n',
  '---\ngroups: []\n...\n',
  '%YAML 1.1\n---\ngroups: [{name: a, rules: [&r {alert: A, expr: up, labels: {a: off}}, {<<: *r, alert: B}]}]\n',
  '{"groups":[{"name":"a","rules":[{"alert":"A","expr":"up","labels":{"a":1}}]}]}',
  'groups:\n-\n- {name: a}\n',
  'groups:\n- &g {name: a, rules: [{alert: A, expr: up}]}\n- {<<: *g, name: b}\n',
  'groups:\n- &g {name: a, rules: [{alert: A, expr: up}]}\n- {<<: *g}\n',
  'groups: [{name: a, limit: 0x10}, {name: b, limit: 1_000}, {name: c, limit: -1}, {name: d, limit: 2.0}]\n',
  'groups: [{name: a, limit: x}]\n',
  'groups: [{name: a, limit: "5"}]\n',
  'groups: [{name: a, interval: 0}]\n',
  'groups: [{name: a, interval: 5}]\n',
  'groups: [{name: 5}]\n',
  'groups: [{name: ~}]\n',
  'groups: {a: b}\n',
  '- groups\n',
  'groups: [\n',
  'base: &b {}\ngroups: []\n',
  'groups: []\ngroups: []\n',
  '\uFEFFgroups: []\n',
  'groups: []\r\n',
];

const VALUES: readonly string[] = [
  '1x150',
  '0x100000',
  '1+1x3',
  '1x',
  'stalex3',
  'NaNx3',
  'infx5',
  'inf+1x5',
  '+infx5',
  '-Inf-1x5',
  '010x5',
  '089x5',
  '1_0x5',
  '0x5+1x3',
  '1.x5',
  '.5x5',
  '1e1x5',
  '1e+2-1x5',
  '1x1e1',
  '1x05',
  '1x0 2',
  '--1x5',
  '+-1x5',
  '1+-1x5',
  '1 +1x3',
  '1+1 x3',
  '+5x5',
  '_ _ _ 5',
  '_x3 5',
  '_x0 5 5 5 5',
  '_+1x3',
  '0b1x5',
  '1x3.0',
  'stale 1 1 1',
  'STALE 1',
  '1+infx5',
  '1 nan 2 Inf -inf',
  'Infinity',
  '1x3x5',
  '1\t1\t1\t7',
  '1,2,3',
  '   1 1 1 9   ',
  '1e',
  '1e400x5',
  '9007199254740993x5',
  '1 # x',
  '0.1+0.1x40',
];

const NUMBERS: readonly (readonly [string, string])[] = [
  ['0x10', '16'],
  ['0b11', '3'],
  ['010', '8'],
  ['0o10', '8'],
  ['08', '8'],
  ['1_000', '1000'],
  ['1e1', '10'],
  ['.5', '0.5'],
  ['5.', '5'],
  ['+5', '5'],
  ['-5', '-5'],
  ['.Inf', 'Inf'],
  ['-.INF', '-Inf'],
  ['1.5_0', '1.5'],
  ['"1"', '1'],
  ['true', '1'],
  ['1e400', 'Inf'],
  ['1:30', '90'],
  ['~', '0'],
  ['', '0'],
  ['x', '0'],
  ['!!float 1', '1'],
];

const SERIES: readonly string[] = [
  'm',
  'm{}',
  "m{a='b'}",
  'm{a="b",}',
  '{__name__="m"}',
  'm{a="b" , c="d"}',
  'm{a="b",a="c"}',
  'm{a=""}',
  'm:x',
  '1m',
  'm{a=~"b"}',
  'sum',
  'by',
  'm{on="1"}',
  'm{a="\\n\\u00e9\\x41"}',
  'm{1a="b"}',
  'm{a:b="c"}',
  'm{,}',
  'm{a="b",,}',
  'm{a="}"}',
  'm{a=`b`}',
];

const TIMES = [0, 1, 2, 3, 4, 5, 30, 41, 100];

/** A test file that expects what our reading of a series' values gives. */
function valuesTest(values: string): string {
  let noted: readonly NotedValue[] = [];
  try {
    noted = take(parseSeriesValues(values), 101);
  } catch {
    // promtool must refuse it too; what it would expect is of no importance.
  }
  const expected = TIMES.map((minute) => {
    const at = noted[minute];
    // NaN equals nothing, not even for promtool.
    const shown = at === undefined || at.stale || Number.isNaN(at.value);
    const samples = shown ? '[]' : `[{labels: m, value: ${yamlFloat(at.value)}}]`;
    return `  - {expr: 'm unless time() - timestamp(m) > 0', eval_time: ${minute}m, exp_samples: ${samples}}`;
  });
  const quoted = `"${values.replaceAll('\t', '\\t')}"`;
  return `tests:\n- interval: 1m\n  input_series: [{series: m, values: ${quoted}}]\n  promql_expr_test:\n${expected.join('\n')}\n`;
}

function take<T>(items: Iterable<T>, most: number): readonly T[] {
  const taken: T[] = [];
  for (const item of items) {
    if (taken.length === most) break;
    taken.push(item);
  }
  return taken;
}

function yamlFloat(value: number): string {
  return Number.isFinite(value) ? String(value) : value > 0 ? '.inf' : '-.inf';
}

describe.skipIf(!promtoolInstalled && process.env['CI'] !== 'true')(
  `forms of rule files and unit tests are taken as by promtool${promtoolInstalled ? '' : ' (left out: promtool is not installed)'}`,
  () => {
    let folder = '';

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'taffrail-forms-'));
    });

    afterAll(async () => {
      await rm(folder, { recursive: true, force: true });
    });

    async function verdicts(text: string): Promise<{ readonly same: boolean; readonly detail: string }> {
      const file = join(folder, 'test.yaml');
      await writeFile(file, text);
      const [theirs, ours] = await Promise.all([runPromtool('test', 'rules', file), runOurs(file)]);
      const detail = `promtool ${theirs.ok ? 'passes' : 'fails'}:\n${theirs.output}\nours: ${JSON.stringify(ours, undefined, 1)}\n${text}`;
      return { same: theirs.ok === ours.ok, detail };
    }

    async function ruleVerdicts(text: string): Promise<void> {
      const file = join(folder, 'rules.yaml');
      await writeFile(file, text);
      const theirs = await runPromtool('check', 'rules', '--lint=none', file);
      const { problems } = loadRuleFile(text, { file });
      expect(problems.length === 0, `${theirs.output}\n${JSON.stringify(problems)}\n${text}`).toBe(theirs.ok);
    }

    it('is installed', () => {
      expect(promtoolInstalled, 'promtool is needed: apt-get install prometheus').toBe(true);
    });

    it.each(RULE_FORMS)('rules: %s', async (rules) => {
      await ruleVerdicts(`groups:\n- name: g\n  rules:\n${rules.replace(/^/gm, '  ')}\n`);
    });

    it.each(GROUP_FORMS)('files: %j', ruleVerdicts);

    it.each(VALUES)('series values: %s', async (values) => {
      const { same, detail } = await verdicts(valuesTest(values));
      expect(same, detail).toBe(true);
    });

    it.each(NUMBERS)('expected value: %s', async (text, value) => {
      const { same, detail } = await verdicts(
        `tests:\n- promql_expr_test: [{expr: 'vector(${value})', exp_samples: [{labels: '{}', value: ${text}}]}]\n`,
      );
      expect(same, detail).toBe(true);
    });

    it.each(SERIES)('series: %s', async (series) => {
      const { same, detail } = await verdicts(
        `tests:\n- input_series: [{series: '${series.replaceAll("'", "''")}', values: '1'}]\n`,
      );
      expect(same, detail).toBe(true);
    });

    it('generated series values', async () => {
      const part = fc.constantFrom(
        ...Array.from({ length: 10 }, (_, digit) => String(digit)),
        '.',
        'e',
        '+',
        '-',
        'x',
        '_',
        ' ',
        'inf',
        'nan',
        'stale',
        '0x',
        '1x',
        '2+1x',
      );
      await fc.assert(
        fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 9 }), async (parts) => {
          const text = parts.join('');
          // promtool works a repetition out at once, and would need all memory for a large one.
          fc.pre(!/x\d{4,}/.test(text));
          const { same, detail } = await verdicts(valuesTest(text));
          expect(same, detail).toBe(true);
        }),
        { numRuns: 120 },
      );
    });

    it('generated merges, down to the labels of the alerts', async () => {
      const labels = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.constantFrom('1', '2', '3'), {
        maxKeys: 3,
      });
      const rule = fc.record({ labels, merges: fc.array(fc.nat(5), { maxLength: 3 }), first: fc.boolean() });
      await fc.assert(
        fc.asyncProperty(fc.array(rule, { minLength: 1, maxLength: 6 }), async (rules) => {
          const text = `groups:\n- name: g\n  rules:\n${rules.map(mergingRule).join('')}`;
          await writeFile(join(folder, 'rules.yaml'), text);
          const { groups, problems } = loadRuleFile(text, { file: 'rules.yaml' });
          expect(problems, text).toEqual([]);
          const tests = groups[0]!.rules.map(
            (loaded) =>
              `  - {eval_time: 0, alertname: ${loaded.name}, exp_alerts: [{exp_labels: ${JSON.stringify(loaded.labels)}}]}\n`,
          );
          const { same, detail } = await verdicts(
            `rule_files: [rules.yaml]\ntests:\n- alert_rule_test:\n${tests.join('')}`,
          );
          expect(same, `${detail}\n${text}`).toBe(true);
          expect((await runOurs(join(folder, 'test.yaml'))).ok, detail).toBe(true);
        }),
        { numRuns: 30 },
      );
    });
  },
);

interface MergingRule {
  readonly labels: Readonly<Record<string, string>>;
  readonly merges: readonly number[];
  readonly first: boolean;
}

/** A rule whose labels merge those of rules before it, before or after its own. */
function mergingRule({ labels, merges, first }: MergingRule, at: number): string {
  const own = Object.entries(labels).map(([name, value]) => `${name}: '${value}'`);
  const bases = merges.filter((base) => base < at).map((base) => `*l${base}`);
  const merge = bases.length === 0 ? [] : [`<<: ${bases.length === 1 ? bases[0] : `[${bases.join(', ')}]`}`];
  const pairs = first ? [...merge, ...own] : [...own, ...merge];
  return `  - {alert: R${at}, expr: vector(1), labels: &l${at} {${pairs.join(', ')}}}\n`;
}
