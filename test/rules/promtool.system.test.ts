import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { promtoolInstalled, runOurs, runPromtool } from './promtool-harness.ts';

const RULES = `
groups:
- name: recording
  interval: 1m
  rules:
  - record: job:requests:rate
    expr: sum by (job) (rate(requests_total[4m30s]))
  - record: job:errors:ratio
    expr: sum by (job) (rate(requests_total{code=~"5.."}[4m30s])) / job:requests:rate
    labels: {kind: ratio}
- name: alerting
  rules:
  - alert: ManyErrors
    expr: job:errors:ratio > 0.2
    for: 3m
    labels: {severity: '{{ if gt $value 0.5 }}critical{{ else }}warning{{ end }}'}
    annotations:
      summary: '{{ $labels.job }} has {{ $value | humanizePercentage }} errors ({{ printf "%.3g" $value }})'
      all: '{{ $labels }} {{ $value }} {{ $externalLabels.region }}'
  - alert: Down
    expr: up == 0
    for: 2m
    annotations: {summary: '{{ $labels.instance | stripPort | title }} down, {{ with query "sum(up)" }}{{ . | first | value }} up{{ end }}'}
  - alert: Absent
    expr: absent(up{job="gone"})
    labels: {n: '{{ range $k, $v := $labels }}{{ $k }}{{ end }}'}
  - alert: Numbers
    expr: numbers
    annotations:
      v: '{{ $value }}'
      h: '{{ humanize $value }} {{ humanize1024 $value }} {{ humanizeDuration $value }} {{ humanizePercentage $value }} {{ humanizeTimestamp $value }}'
      p: '{{ printf "%.0f|%.2f|%.4g|%e|%8.3f|%-8.1f|%+.1f|%d|%s|%v" $value $value $value $value $value $value $value $value $value $value }}'
`;

const TEST = `
rule_files: [rules.yaml]
evaluation_interval: 1m
group_eval_order: [recording, alerting]
tests:
- interval: 1m
  name: everything
  external_labels: {region: north}
  input_series:
  - {series: 'requests_total{job="api",code="200"}', values: '0+60x30'}
  - {series: 'requests_total{job="api",code="500"}', values: '0x9 0+30x20'}
  - {series: 'up{job="api",instance="host:9100"}', values: '1x4 0x10 1x10'}
  - {series: 'up{job="api",instance="other:9100"}', values: '1x4 _x3 1x2 stale 1x10'}
  - {series: 'numbers{n="1"}', values: '1000000x30'}
  - {series: 'numbers{n="2"}', values: '1234567.25x30'}
  - {series: 'numbers{n="3"}', values: '0.00001x30'}
  - {series: 'numbers{n="4"}', values: '2.5x30'}
  - {series: 'numbers{n="5"}', values: '-3661.5x30'}
  - {series: 'numbers{n="6"}', values: '100000x30'}
  alert_rule_test:
  - {eval_time: 5m, alertname: Down}
  - eval_time: 7m
    alertname: Down
    exp_alerts:
    - {exp_labels: {job: api, instance: 'host:9100'}, exp_annotations: {summary: 'Host down, 1 up'}}
  - {eval_time: 14m59s, alertname: Down, exp_alerts: [{exp_labels: {job: api, instance: 'host:9100'}, exp_annotations: {summary: 'Host down, 1 up'}}]}
  - {eval_time: 16m, alertname: Down}
  - eval_time: 20m
    alertname: ManyErrors
    exp_alerts:
    - exp_labels: {job: api, kind: ratio, severity: warning}
      exp_annotations:
        summary: 'api has 33.33% errors (0.333)'
        all: 'map[__name__:job:errors:ratio job:api kind:ratio] 0.3333333333333333 north'
  - {eval_time: 1m, alertname: Absent, exp_alerts: [{exp_labels: {job: gone, n: job}}]}
  - eval_time: 0m
    alertname: Numbers
    exp_alerts:
@NUMBERS@
  promql_expr_test:
  - {expr: 'job:requests:rate', eval_time: 5m, exp_samples: [{labels: 'job:requests:rate{job="api"}', value: 1}]}
  - {expr: 'count(ALERTS{alertstate="firing"}) by (alertname)', eval_time: 8m, exp_samples: [{labels: '{alertname="Down"}', value: 1}, {labels: '{alertname="Absent"}', value: 1}, {labels: '{alertname="Numbers"}', value: 6}]}
  - {expr: 'ALERTS_FOR_STATE{alertname="Down"}', eval_time: 8m, exp_samples: [{labels: 'ALERTS_FOR_STATE{alertname="Down", job="api", instance="host:9100"}', value: 300}]}
  - {expr: 'max_over_time(sum(up)[4m40s:])', eval_time: 9m, exp_samples: [{labels: '{}', value: 1}]}
`;

/** As promtool 2.42 prints them; the comparison below would tell if these were wrong. */
const NUMBERS: readonly (readonly [string, string, string, string])[] = [
  [
    '1',
    '1e+06',
    '1M 976.6ki 11d 13h 46m 40s 1e+08% 1970-01-12 13:46:40 +0000 UTC',
    '1000000|1000000.00|1e+06|1.000000e+06|1000000.000|1000000.0|+1000000.0|%!d(float64=1e+06)|%!s(float64=1e+06)|1e+06',
  ],
  [
    '2',
    '1.23456725e+06',
    '1.235M 1.177Mi 14d 6h 56m 7s 1.235e+08% 1970-01-15 06:56:07.25 +0000 UTC',
    '1234567|1234567.25|1.235e+06|1.234567e+06|1234567.250|1234567.2|+1234567.2|%!d(float64=1.23456725e+06)|%!s(float64=1.23456725e+06)|1.23456725e+06',
  ],
  [
    '3',
    '1e-05',
    '10u 1e-05 10us 0.001% 1970-01-01 00:00:00 +0000 UTC',
    '0|0.00|1e-05|1.000000e-05|   0.000|0.0     |+0.0|%!d(float64=1e-05)|%!s(float64=1e-05)|1e-05',
  ],
  [
    '4',
    '2.5',
    '2.5 2.5 2.5s 250% 1970-01-01 00:00:02.5 +0000 UTC',
    '2|2.50|2.5|2.500000e+00|   2.500|2.5     |+2.5|%!d(float64=2.5)|%!s(float64=2.5)|2.5',
  ],
  [
    '5',
    '-3661.5',
    '-3.662k -3.576ki -1h 1m 1s -3.662e+05% 1969-12-31 22:58:58.5 +0000 UTC',
    '-3662|-3661.50|-3662|-3.661500e+03|-3661.500|-3661.5 |-3661.5|%!d(float64=-3661.5)|%!s(float64=-3661.5)|-3661.5',
  ],
  [
    '6',
    '100000',
    '100k 97.66ki 1d 3h 46m 40s 1e+07% 1970-01-02 03:46:40 +0000 UTC',
    '100000|100000.00|1e+05|1.000000e+05|100000.000|100000.0|+100000.0|%!d(float64=100000)|%!s(float64=100000)|100000',
  ],
];

const NUMBERS_YAML = NUMBERS.map(
  ([n, v, h, p]) => `    - {exp_labels: {n: '${n}'}, exp_annotations: {v: '${v}', h: '${h}', p: '${p}'}}`,
).join('\n');
const PASSING = TEST.replace('@NUMBERS@', NUMBERS_YAML);

/** Changes after which both must fail, or both pass. */
const MUTATIONS: readonly (readonly ['rules' | 'test', string, string])[] = [
  ['rules', 'job:errors:ratio > 0.2', 'job:errors:ratio > 0.4'],
  ['rules', 'job:errors:ratio > 0.2', 'job:errors:ratio > 0.1'],
  ['rules', 'for: 3m', 'for: 15m'],
  ['rules', 'for: 2m', 'for: 1m'],
  ['rules', 'for: 2m', 'for: 2m30s'],
  ['rules', 'for: 2m', 'for: 130s'],
  ['rules', 'for: 2m', 'for: 0s'],
  ['rules', 'gt $value 0.5', 'gt $value 0.3'],
  ['rules', 'gt $value 0.5', 'gt $value 1'],
  ['rules', '| title', '| toUpper'],
  ['rules', '{{ $labels }} {{ $value }}', '{{ $labels }}{{ $value }}'],
  ['rules', '{{ . | first | value }}', '{{ . | first | humanize }}'],
  ['rules', '{{ . | first | value }}', '{{ (index . 0).Value }}'],
  ['rules', 'labels: {kind: ratio}', 'labels: {kind: other}'],
  ['rules', 'sum by (job) (rate(requests_total[4m30s]))', 'sum(rate(requests_total[4m30s]))'],
  ['rules', 'expr: up == 0', 'expr: up == 1'],
  ['rules', 'expr: up == 0', 'expr: up =='],
  ['rules', 'expr: up == 0', 'expr: up == bool 0'],
  ['rules', 'record: job:requests:rate', 'record: job-requests'],
  ['rules', 'for: 3m', 'fro: 3m'],
  ['rules', 'for: 3m', 'for: 3'],
  ['rules', '{{ end }}down', '{{ end }'],
  ['rules', '{{ $value | humanizePercentage }}', '{{ $valeu }}'],
  ['rules', '{{ $value | humanizePercentage }}', '{{ nofunction $value }}'],
  ['rules', '- name: alerting', '- name: recording'],
  ['rules', 'absent(up{job="gone"})', 'absent(up{job="api"})'],
  ['rules', 'absent(up{job="gone"})', 'vector(1)'],
  ['rules', 'expr: numbers', 'expr: numbers * 2 / 2'],
  ['rules', 'expr: numbers', 'expr: sum by (none) (numbers)'],
  ['rules', '- alert: Numbers', '- alert: Number'],
  ['rules', 'interval: 1m', 'interval: 5m'],
  ['test', 'eval_time: 7m', 'eval_time: 6m59s'],
  ['test', 'eval_time: 7m', 'eval_time: 7m59s'],
  ['test', 'eval_time: 16m', 'eval_time: 15m'],
  ['test', 'eval_time: 16m', 'eval_time: 14m'],
  ['test', 'eval_time: 20m', 'eval_time: 11m'],
  ['test', 'severity: warning', 'severity: critical'],
  ['test', 'region: north', 'region: south'],
  ['test', 'value: 300', 'value: 240'],
  ['test', 'value: 6}', 'value: 5}'],
  ['test', '0x9 0+30x20', '0x9 0+30x20 stale'],
  ['test', '0x9 0+30x20', '0+60x30'],
  ['test', '1x4 0x10 1x10', '1x4 0x3 1x10'],
  ['test', '1x4 0x10 1x10', '1x4 0x10 _x10'],
  ['test', '1x4 0x10 1x10', '1x4 0y10'],
  ['test', '1x4 _x3 1x2 stale 1x10', '1x4 stale'],
  ['test', 'stale 1x10', '1-1x10'],
  ['test', 'group_eval_order: [recording, alerting]', 'group_eval_order: [alerting, alerting]'],
  ['test', 'evaluation_interval: 1m', 'evaluation_interval: 2m'],
  ['test', 'evaluation_interval: 1m', 'evaluation_interval: 30s'],
  ['test', '- interval: 1m', '- interval: 30s'],
  ['test', '- interval: 1m', '- intervall: 1m'],
  ['test', 'series: \'up{job="api",instance="host:9100"}\'', 'series: \'up{job="api",instance="host:9100"\''],
  ['test', "exp_labels: {n: '1'}", "exp_labels: {n: '7'}"],
  ['test', "v: '1e+06'", "v: '1000000'"],
  ['test', '[4m40s:]', '[4m40s:30s]'],
  ['test', 'ALERTS{alertstate="firing"}', 'ALERTS{alertstate="pending"}'],
];

const FORBIDS_SKIPPING = process.env['CI'] === 'true';
describe.skipIf(!promtoolInstalled && !FORBIDS_SKIPPING)(
  `unit tests come out as in promtool${promtoolInstalled ? '' : ' (left out: promtool is not installed)'}`,
  () => {
    let folder = '';

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'taffrail-promtool-'));
    });

    afterAll(async () => {
      await rm(folder, { recursive: true, force: true });
    });

    async function outcomes(
      rules: string,
      test: string,
    ): Promise<{ promtool: boolean; ours: boolean; output: string }> {
      const file = join(folder, 'test.yaml');
      await writeFile(join(folder, 'rules.yaml'), rules);
      await writeFile(file, test);
      const theirs = await runPromtool('test', 'rules', file);
      const result = await runOurs(file);
      return {
        promtool: theirs.ok,
        ours: result.ok,
        output: `${theirs.output}\n${JSON.stringify(result, undefined, 1)}`,
      };
    }

    it('is installed', () => {
      expect(promtoolInstalled, 'promtool is needed: apt-get install prometheus').toBe(true);
    });

    it('both pass the original', async () => {
      const { output, ...passed } = await outcomes(RULES, PASSING);
      expect(passed, output).toEqual({ promtool: true, ours: true });
    });

    it.each(MUTATIONS)('both agree after a change of the %s: %s → %s', async (where, from, to) => {
      const changed = (text: string): string => text.replace(from, to);
      const rules = where === 'rules' ? changed(RULES) : RULES;
      const test = where === 'test' ? changed(PASSING) : PASSING;
      const { output, ...verdict } = await outcomes(rules, test);
      expect(verdict.ours, output).toBe(verdict.promtool);
    });
  },
);
