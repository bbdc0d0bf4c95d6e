import { describe, expect, it } from 'vitest';
import { expandAlertTemplate, parseAlertTemplate } from '../../src/rules/alert-template.ts';
import type { QuerySample } from '../../src/rules/alert-template.ts';

const VECTOR: readonly QuerySample[] = [
  { labels: { __name__: 'm', instance: 'b', __value__: 'raw' }, value: 21 },
  { labels: { __name__: 'm', instance: 'a' }, value: 11 },
];

function expandWith(text: string, value = 1, labels: Record<string, string> = {}): Promise<string> {
  return expandAlertTemplate(
    parseAlertTemplate(text, 'Test'),
    {
      labels,
      value,
      externalLabels: { region: 'north' },
      externalUrl: 'http://prometheus.example/base',
      nowMs: 1_700_000_000_000,
    },
    (expression) =>
      expression === 'fails'
        ? Promise.reject(new Error('boom'))
        : Promise.resolve(expression === 'none' ? [] : VECTOR),
  );
}

describe('numbers print as Go prints them', () => {
  it.each([
    ['{{ $value }}', 1_000_000, '1e+06'],
    ['{{ $value }}', 1_234_567.25, '1.23456725e+06'],
    ['{{ $value }}', 100_000, '100000'],
    ['{{ $value }}', 0.00001, '1e-05'],
    ['{{ $value }}', 0.0001, '0.0001'],
    ['{{ $value }}', 0, '0'],
    ['{{ $value }}', -1.5, '-1.5'],
    ['{{ $value }}', Infinity, '+Inf'],
    ['{{ $value }}', -Infinity, '-Inf'],
    ['{{ $value }}', Number.NaN, 'NaN'],
    ['{{ $value }}', 123_456, '123456'],
    ['{{ $value }}', 1e21, '1e+21'],
    ['{{ printf "%.0f" $value }}', 2.5, '2'],
    ['{{ printf "%.0f" $value }}', 3.5, '4'],
    ['{{ printf "%0.0f" $value }}', 0.5, '0'],
    ['{{ printf "%.2f" $value }}', 1.005, '1.00'],
    ['{{ printf "%.2f" $value }}', 2.675, '2.67'],
    ['{{ printf "%.1f" $value }}', 0.25, '0.2'],
    ['{{ printf "%.4g" $value }}', 1_234_567.25, '1.235e+06'],
    ['{{ printf "%f" $value }}', 1.5, '1.500000'],
    ['{{ printf "%e" $value }}', 12_345, '1.234500e+04'],
    ['{{ printf "%8.2f|" $value }}', 3.14159, '    3.14|'],
    ['{{ printf "%-8.2f|" $value }}', 3.14159, '3.14    |'],
    ['{{ printf "%08.2f" $value }}', -3.14159, '-0003.14'],
    ['{{ printf "%+.1f" $value }}', 3, '+3.0'],
    ['{{ printf "%d" $value }}', 2.5, '%!d(float64=2.5)'],
    ['{{ printf "%s" $value }}', 2.5, '%!s(float64=2.5)'],
    ['{{ printf "%v %v" $value }}', 2.5, '2.5 %!v(MISSING)'],
    ['{{ printf "%v" $value 7 }}', 2.5, '2.5%!(EXTRA int=7)'],
    ['{{ printf "%.1f%%" $value }}', 99.5, '99.5%'],
    ['{{ printf "%.3f" $value }}', 1e22, '10000000000000000000000.000'],
  ])('%s of %d', async (text, value, expected) => {
    expect(await expandWith(text, value)).toBe(expected);
  });

  it.each([
    ['humanize', 1_000_000, '1M'],
    ['humanize', 0.5, '500m'],
    ['humanize', 0.00001, '10u'],
    ['humanize', 1_234_567, '1.235M'],
    ['humanize', 0, '0'],
    ['humanize', 999.96, '1000'],
    ['humanize', Infinity, '+Inf'],
    ['humanize1024', 100_000, '97.66ki'],
    ['humanize1024', 1024, '1ki'],
    ['humanize1024', 0.5, '0.5'],
    ['humanizePercentage', 0.5, '50%'],
    ['humanizePercentage', 1e6, '1e+08%'],
    ['humanizePercentage', 0.123456789, '12.35%'],
    ['humanizeDuration', 100_000, '1d 3h 46m 40s'],
    ['humanizeDuration', 2.5, '2.5s'],
    ['humanizeDuration', 0.5, '500ms'],
    ['humanizeDuration', 0, '0s'],
    ['humanizeDuration', -3661.5, '-1h 1m 1s'],
    ['humanizeDuration', Number.NaN, 'NaN'],
    ['humanizeTimestamp', 1_435_065_584.128, '2015-06-23 13:19:44.128 +0000 UTC'],
    ['humanizeTimestamp', 0, '1970-01-01 00:00:00 +0000 UTC'],
    ['humanizeTimestamp', Infinity, '+Inf'],
  ])('%s of %d', async (name, value, expected) => {
    expect(await expandWith(`{{ $value | ${name} }}`, value)).toBe(expected);
  });
});

describe('Prometheus functions and Go constructs', () => {
  it.each([
    ['{{ $labels }}', 'map[__name__:m job:a x:1]'],
    ['{{ $labels.job }}', 'a'],
    ['{{ $labels.absent }}', ''],
    ['{{ .Labels.job }}-{{ .Value }}', 'a-1'],
    ['{{ $externalLabels.region }} {{ .ExternalLabels.region }}', 'north north'],
    ['{{ $externalURL }}', 'http://prometheus.example/base'],
    ['{{ externalURL }} {{ pathPrefix }}', 'http://prometheus.example/base /base'],
    ['{{ if eq $labels.job "a" }}yes{{ else }}no{{ end }}', 'yes'],
    ['{{ if eq $labels.job "b" }}b{{ else if eq $labels.job "a" "c" }}a{{ else }}no{{ end }}', 'a'],
    ['{{ if gt $value 0.5 }}high{{ end }}', 'high'],
    ['{{ with $labels.job }}[{{ . }}]{{ end }}', '[a]'],
    ['{{ with $labels.none }}x{{ else }}nothing{{ end }}', 'nothing'],
    ['{{ range $k, $v := $labels }}{{ $k }}={{ $v }};{{ end }}', '__name__=m;job=a;x=1;'],
    ['{{ range query "none" }}x{{ else }}empty{{ end }}', 'empty'],
    [
      '{{ range query "m" | sortByLabel "instance" }}{{ .Labels.instance }}={{ .Value }} {{ end }}',
      'a=11 b=21 ',
    ],
    ['{{ range $i, $s := query "m" }}{{ if $i }}, {{ end }}{{ $s | value }}{{ end }}', '21, 11'],
    ['{{ range query "m" }}{{ .Value }}{{ break }}{{ end }}', '21'],
    ['{{ query "m" | first | value }}', '21'],
    ['{{ query "m" | first | label "instance" }}', 'b'],
    ['{{ query "m" | first | strvalue }}', 'raw'],
    ['{{ len (query "m") }}', '2'],
    ['{{ with query "m" }}{{ . | first | value | humanize }}{{ end }}', '21'],
    ['{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ end }}{{ $x }}', '2'],
    ['{{ define "t" }}<{{ . }}>{{ end }}{{ template "t" "v" }}', '<v>'],
    [
      '{{ define "t" }}{{ .arg0 }}/{{ .arg1 }}/{{ .arg2 }}{{ end }}{{ template "t" (args 1 "b") }}',
      '1/b/<no value>',
    ],
    ['{{ define "t" }}<{{ . }}>{{ end }}{{ tmpl "t" "v" }}{{ tmpl "none" . }}', '<v>'],
    ['a {{- /* gone */ -}} b', 'ab'],
    ['a {{- " x " -}} b', 'a x b'],
    ['{{ "a b" | title }} {{ "Ab" | toUpper }} {{ "Ab" | toLower }}', 'A B AB ab'],
    ['{{ match "^a.c$" "abc" }} {{ match "x" "abc" }}', 'true false'],
    ['{{ reReplaceAll "(a)(b)" "$2${1}x" "abab" }}', 'baxbax'],
    ['{{ reReplaceAll "(?P<n>a)" "[$n]" "ba" }}', 'b[a]'],
    [
      '{{ "host.example.com:9100" | stripPort }} {{ "host.example.com:9100" | stripDomain }}',
      'host.example.com host:9100',
    ],
    ['{{ "10.0.0.1:80" | stripDomain }} {{ "[::1]:80" | stripPort }}', '10.0.0.1:80 ::1'],
    [
      '{{ "up == 0" | graphLink }} {{ "up == 0" | tableLink }}',
      '/graph?g0.expr=up+%3D%3D+0&g0.tab=0 /graph?g0.expr=up+%3D%3D+0&g0.tab=1',
    ],
    ['{{ "a b&c" | urlQueryEscape }}', 'a+b%26c'],
    ['{{ parseDuration "1h30m" }}', '5400'],
    [
      '{{ (1435065584.128 | toTime).Year }} {{ (toTime 0).Format "Jan 2, 2006 15:04" }}',
      '2015 Jan 1, 1970 00:00',
    ],
    ['{{ safeHtml "<b>" }}', '<b>'],
    ['{{ printf "%q %5s|%-5s|%x" "a\\"b" "c" "d" "hi" }}', '"a\\"b"     c|d    |6869'],
    ['{{ print 1 2 "a" 3 }} {{ println "x" 1 }}', '1 2a3 x 1\n'],
    ['{{ and true $labels.job }} {{ or "" "z" }} {{ not true }}', 'a z false'],
    ['{{ index $labels "job" }} {{ slice "abcdef" 1 3 }}', 'a bc'],
    ['{{ html "<a>" }} {{ urlquery "a b" }}', '&lt;a&gt; a+b'],
    ['{{ `raw "string"` }} {{ \'a\' }}', 'raw "string" 97'],
    ['{{ 1000000 | humanize }} {{ "2500" | humanize }}', '1M 2.5k'],
    ['{{ humanizeDuration 90 }}', '1m 30s'],
    ['plain text, no action', 'plain text, no action'],
    ['', ''],
  ])('%s', async (text, expected) => {
    expect(await expandWith(text, 1, { __name__: 'm', job: 'a', x: '1' })).toBe(expected);
  });
});

describe('a failing template', () => {
  it.each([
    ['{{ query "none" | first }}', 'first() called on vector with no elements'],
    ['{{ query "fails" }}', 'boom'],
    ['{{ $value.foo }}', "can't evaluate field foo in type float64"],
    ['{{ gt $value 5 }}', 'incompatible types for comparison'],
    ['{{ reReplaceAll "(" "" "x" }}', 'error calling reReplaceAll'],
    ['{{ humanize "x" }}', 'strconv.ParseFloat: parsing "x": invalid syntax'],
    ['{{ template "none" }}', 'template "none" not defined'],
    ['{{ define "t" }}{{ template "t" }}{{ end }}{{ template "t" }}', 'exceeded maximum template depth'],
    [
      '{{ $x := printf "%900s" "a" }}{{ range $labels }}{{ $x = print $x $x $x $x $x $x $x $x $x $x }}{{ end }}',
      'result is longer',
    ],
    [
      '{{ $x := printf "%900v" 1 }}{{ $y := print $x $x $x $x $x $x $x $x $x $x }}{{ $y }}{{ $y }}{{ $y }}{{ $y }}{{ $y }}{{ $y }}{{ $y }}{{ $y }}',
      'output is longer',
    ],
    ['{{ printf "%99999999s" "x" }}', 'width or precision is too large'],
  ])('%s says why in its own text', async (text, message) => {
    const expanded = await expandWith(text, 1, { a: '1', b: '2', c: '3', d: '4' });
    expect(expanded).toMatch(/^<error expanding template: .*>$/s);
    expect(expanded).toContain(message);
  });

  it.each([
    ['{{ foo }}', 'function "foo" not defined'],
    ['{{ $foo }}', 'undefined variable "$foo"'],
    ['{{ if }}x{{ end }}', 'missing value for if'],
    ['{{ if true }}x', 'unexpected EOF'],
    ['{{ end }}', 'unexpected {{end}}'],
    ['{{ $labels.job', 'unclosed action'],
    ['{{ "abc }}', 'unterminated quoted string'],
    ['{{ }}', 'missing value for command'],
    ['{{ 1 | 2 }}', 'non executable command in pipeline'],
    ['{{ break }}', '{{break}} outside {{range}}'],
    ['{{/* x }}', 'unclosed comment'],
    ['{{ ( 1 }}', 'unexpected <}}> in parenthesized pipeline'],
  ])('%s is refused when it is parsed', (text, message) => {
    expect(() => parseAlertTemplate(text, 'Test')).toThrow(message);
  });

  it('names its line', () => {
    expect(() => parseAlertTemplate('a\nb {{ nothing }}', 'Test')).toThrow(
      'template: __alert_Test:2: function "nothing" not defined',
    );
  });
});
