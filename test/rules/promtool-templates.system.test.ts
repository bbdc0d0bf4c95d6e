import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { unquoteGoString } from '../../src/promql/go-string.ts';
import { expandAlertTemplate, parseAlertTemplate } from '../../src/rules/alert-template.ts';
import { formatFloat } from '../../src/template/go-float.ts';

const run = promisify(execFile);

const SNIPPETS: readonly string[] = [
  '{{ $value }}',
  '{{ print $value 1 "a" "b" 2 3 }}',
  '{{ println "a" $value }}',
  '{{ humanize $value }} {{ humanize1024 $value }} {{ humanizeDuration $value }} {{ humanizePercentage $value }}',
  '{{ printf "%.0f %.1f %.2f %.3f %.10f" $value $value $value $value $value }}',
  '{{ printf "%g %.1g %.3g %.6g %.17g %G" $value $value $value $value $value $value }}',
  '{{ printf "%e %.2e %E" $value $value $value }}',
  '{{ printf "%10.2f|%-10.2f|%010.2f|%+.2f|% .2f" $value $value $value $value $value }}',
  '{{ printf "%v %s %d %q %t %x" $value $value $value "x" true 255 }}',
  '{{ printf "%5d|%-5d|%05d|%x|%X|%o|%b|%c|%U" 42 42 42 42 42 42 42 65 65 }}',
  '{{ printf "%6.2s|%-6s|%q|%x|%T" "abcdef" "ab" "a\\"b" "hi" $value }}',
  '{{ printf "%d %s" 1 }} {{ printf "%d" 1 2 "x" }} {{ printf "%!" }} {{ printf "%z" 1 }} {{ printf "100%" }}',
  '{{ printf "%*d %.*f" 5 42 2 $value }}',
  '{{ printf "%t %v %v" true false nil }}',
  '{{ printf "%v %v" $labels (args 1 "b" 2.5) }}',
  '{{ $labels }} {{ .Labels }} {{ $labels.none }}|{{ .Labels.job }}|{{ $externalLabels }}',
  '{{ if gt $value 1.0 }}gt{{ else if eq $value 1.0 }}eq{{ else }}lt{{ end }}',
  '{{ if and $value (ne $labels.job "x") }}a{{ end }}{{ if or "" 0 }}b{{ else }}c{{ end }}{{ if not $value }}d{{ end }}',
  '{{ with $labels.job }}[{{ . }}]{{ end }}{{ with $x := $labels.none }}{{ $x }}{{ else }}none{{ end }}',
  '{{ range $k, $v := $labels }}{{ $k }}={{ $v }};{{ end }}{{ range $labels }}{{ . }},{{ else }}empty{{ end }}',
  '{{ range $i, $s := query "v" | sortByLabel "n" }}{{ $i }}:{{ $s.Labels.n }}={{ $s.Value }} {{ end }}',
  '{{ with query "v" }}{{ len . }}{{ end }} {{ query "v{n=\'2\'}" | first | value }} {{ query "v{n=\'2\'}" | first | label "n" }}',
  '{{ query "scalar(v{n=\'2\'})" | first | value }} {{ query "v{n=\'2\'}" | first | strvalue }}|',
  '{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ $x := 3 }}{{ end }}{{ $x }}',
  '{{ define "t" }}<{{ .arg0 }}{{ .arg1 }}>{{ end }}{{ template "t" (args $value "x") }}',
  'a  {{- "b" -}}  c {{- /* d */ -}} e {{/* f */}} g',
  '{{ "hello WORLD o\'neil x_y" | title }}|{{ toUpper "aé" }}|{{ toLower "AÉ" }}',
  '{{ match "^a.*z$" "abcz" }} {{ match "b+" "abbc" }} {{ match "^b" "abc" }}',
  '{{ reReplaceAll "(.*):.*" "$1" "host:80" }} {{ reReplaceAll "a(b)?" "[${1}]" "ab a" }} {{ reReplaceAll "x" "$1y" "axb" }}',
  '{{ stripPort "host:80" }} {{ stripPort "host" }} {{ stripPort "[::1]:80" }} {{ stripDomain "a.b.c:80" }} {{ stripDomain "10.0.0.1" }} {{ stripDomain "a.b" }}',
  '{{ graphLink "up{a=\\"b\\"} > 0" }} {{ tableLink "sum(x)" }}',
  '{{ parseDuration "1h30m" }} {{ parseDuration "1d" }} {{ parseDuration "100ms" }}',
  '{{ humanizeTimestamp 1435065584.128 }} {{ humanizeTimestamp 0.0 }} {{ (1435065584.128 | toTime).Year }} {{ (toTime 1e9).Format "Mon Jan _2 15:04:05.000 MST 2006" }}',
  '{{ (toTime 1e9).Month }} {{ (toTime 1e9).Weekday }} {{ (toTime 1e9).Unix }} {{ toTime 1.5e9 }} {{ (toTime 1e9).Format "Jan 2, 2006 at 3:04pm (MST)" }}',
  '{{ index $labels "job" }} {{ slice "abcdef" 1 3 }} {{ len "abc" }} {{ len $labels }} {{ eq 1 2 1 }} {{ lt "a" "b" }} {{ ge 2 2 }}',
  '{{ html "<a href=\\"x\\">&\'" }} {{ js "a\'b<" }} {{ urlquery "a b&c/d" }} {{ safeHtml "<b>" }}',
  '{{ `raw "x"` }} {{ \'a\' }} {{ 1_000 }} {{ 0x1F }} {{ 1e3 }} {{ -1.50 }} {{ true }} {{ 07 }}',
  '{{ humanize "12345" }} {{ humanize 12345 }} {{ humanizeDuration "3661" }} {{ humanizePercentage "0.25" }}',
  '{{ args 1 2.5 "x" }} {{ (args 1).arg0 }} {{ (args 1).arg9 }}',
  '{{ "quoted" | printf "%s-%s" "a" }} {{ ("x" | printf "%s") }} {{ $value | printf "%.1f" | printf "<%s>" }}',
];

/** Each fails in both, whatever the words. */
const FAILING: readonly string[] = [
  '{{ gt $value 5 }}',
  '{{ query "none" | first }}',
  '{{ $value.foo }}',
  '{{ humanize "x" }}',
  '{{ reReplaceAll "(" "" "x" }}',
  '{{ index $labels 1 }}',
  '{{ slice "abc" 5 }}',
  '{{ parseDuration "x" }}',
  '{{ template "none" }}',
  '{{ len 3 }}',
  '{{ query "up{" }}',
  '{{ toUpper 1 }}',
  '{{ lt "a" 1 }}',
];

const VALUES: readonly number[] = [
  0,
  1,
  0.5,
  2.5,
  1.005,
  1e6,
  123_456.789,
  1e18,
  1e-7,
  -3661.5,
  100_000,
  0.1 + 0.2,
  1023.999,
  999.95,
  86_400,
  Infinity,
  -Infinity,
];

const promtool = await run('promtool', ['--version']).then(
  () => true,
  () => false,
);

function yaml(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

describe.skipIf(!promtool && process.env['CI'] !== 'true')(
  `templates print as in promtool${promtool ? '' : ' (left out: promtool is not installed)'}`,
  () => {
    const printed = new Map<string, string>();
    let folder = '';

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'taffrail-templates-'));
      const annotations = [...SNIPPETS, ...FAILING]
        .map((text, at) => `      a${at}: ${yaml(text)}`)
        .join('\n');
      await writeFile(
        join(folder, 'rules.yaml'),
        `groups:\n- name: g\n  rules:\n  - alert: A\n    expr: v\n    annotations:\n${annotations}\n`,
      );
      const series = VALUES.map(
        (value, at) => `  - {series: 'v{job="j",n="${at}"}', values: '${formatFloat(value, 'g', -1)}'}`,
      ).join('\n');
      await writeFile(
        join(folder, 'test.yaml'),
        `rule_files: [rules.yaml]\ntests:\n- interval: 1m\n  input_series:\n${series}\n  alert_rule_test: [{eval_time: 0, alertname: A}]\n`,
      );
      const output = await run('promtool', ['test', 'rules', join(folder, 'test.yaml')], {
        maxBuffer: 1e8,
      }).catch((error: { stderr: string; stdout: string }) => error);
      const got = output.stderr.slice(output.stderr.indexOf('got:'));
      for (const alert of got.matchAll(
        /Labels:\{alertname="A", job="j", n="(\d+)"\}\s+Annotations:\{(.*)\}/g,
      )) {
        for (const [, name, value] of (alert[2] ?? '').matchAll(/a(\d+)=("(?:[^"\\]|\\.)*")/g)) {
          printed.set(`${alert[1]}/${name}`, unquoteGoString(value ?? '""'));
        }
      }
    });

    afterAll(async () => {
      await rm(folder, { recursive: true, force: true });
    });

    async function ours(text: string, at: number): Promise<string> {
      const samples = VALUES.map((value, n) => ({
        labels: { __name__: 'v', job: 'j', n: String(n) },
        value,
      }));
      return expandAlertTemplate(
        parseAlertTemplate(text, 'A'),
        {
          labels: { __name__: 'v', job: 'j', n: String(at) },
          value: VALUES[at] ?? 0,
          externalLabels: {},
          externalUrl: '',
          nowMs: 0,
        },
        (expression) => {
          if (expression === 'none') return Promise.resolve([]);
          if (expression === 'up{') return Promise.reject(new Error('parse error'));
          if (expression.startsWith('scalar'))
            return Promise.resolve([{ labels: {}, value: VALUES[2] ?? 0 }]);
          return Promise.resolve(
            expression === 'v' ? samples : samples.filter(({ labels }) => labels.n === '2'),
          );
        },
      );
    }

    it('which printed something for each value', () => {
      expect(printed.size, 'promtool is needed: apt-get install prometheus').toBe(
        (SNIPPETS.length + FAILING.length) * VALUES.length,
      );
    });

    it.each(SNIPPETS.map((text, at) => [text, at] as const))('%s', async (text, name) => {
      const expected = VALUES.map((_, at) => printed.get(`${at}/${name}`));
      expect(await Promise.all(VALUES.map((_, at) => ours(text, at)))).toEqual(expected);
    });

    it.each(FAILING.map((text, at) => [text, at + SNIPPETS.length] as const))(
      '%s fails',
      async (text, name) => {
        expect(printed.get(`1/${name}`)).toMatch(/^<error expanding template: /);
        expect(await ours(text, 1)).toMatch(/^<error expanding template: /);
      },
    );
  },
);
