import { describe, expect, test } from 'vitest';
import { instant, labelsFound, logs, texts } from './memory-lines.ts';

const AT = { text: 'backup finished', at: 1_796_054_400, nanos: 126 };
const NOW = { from: { ms: 0, nanos: 0 }, to: { ms: 4e12, nanos: 0 } };

async function formatted(template: string): Promise<string> {
  const [text] = await texts(`{host="m1"} | line_format \`${template}\``, [AT], NOW);
  return text!;
}

test('S33: line_format makes the line', async () => {
  expect(await formatted('{{.host}} {{.nope}}|{{__line__ | upper}}')).toBe('m1 |BACKUP FINISHED');
  expect(await formatted('{{ __timestamp__ | date "2006-01-02 15:04:05.000000000" }}')).toBe(
    '2026-11-30 16:00:00.000000126',
  );
});

test('S33: a template that fails keeps the line, and says where', async () => {
  const found = await labelsFound('{host="m1"} | line_format "{{.host | int | div 0}}"', 'a');
  expect(found).toEqual({
    __error__: 'TemplateFormatErr',
    __error_details__:
      'template: line:1:16: executing "line" at <div 0>: error calling div: runtime error: integer divide by zero',
  });
});

test('S33: in a query for samples a format that nobody reads is left out', async () => {
  expect(await instant('sum(count_over_time({host="m1"} | line_format "{{div 1 0}}" [1h]))', ['a'])).toEqual({
    '': '1',
  });
  expect(await instant('sum(bytes_over_time({host="m1"} | line_format "xy" [1h]))', ['abc'])).toEqual({
    '': '2',
  });
  expect(
    await instant('sum by (a) (count_over_time({host="m1"} | line_format "a=1" | logfmt [1h]))', ['x']),
  ).toEqual({ 'a=1': '1' });
});

describe('S34: label_format', () => {
  test.each([
    ['h=host', 'h=m1, service_name=mail'],
    ['h=nope', 'host=m1, service_name=mail'],
    ['h="{{.host}}!"', 'h=m1!, host=m1, service_name=mail'],
    ['host=service_name, service_name="{{.host}}"', 'host=mail, service_name=mail'],
    ['a="{{.host}}", b="{{.a}}"', 'a=m1, b=, host=m1, service_name=mail'],
  ])('%s', async (assignments, labels) => {
    expect(Object.keys(await logs(`{host="m1"} | label_format ${assignments}`, ['a']))).toEqual([labels]);
  });

  test('all templates of a stage see the labels as the first of them does', async () => {
    expect(
      await labelsFound('{host="m1"} | label_format a="1" | label_format a="{{.a}}2", c="{{.a}}"', 'x'),
    ).toEqual({ a: '12', c: '1' });
    expect(await labelsFound('{host="m1"} | label_format a="1" | label_format a=a', 'x')).toEqual({});
  });
});

test('S35: drop and keep, with a matcher only where it fits', async () => {
  expect(Object.keys(await logs('{host="m1"} | drop host', ['a']))).toEqual(['service_name=mail']);
  expect(Object.keys(await logs('{host="m1"} | drop host="x", service_name=~"m.*"', ['a']))).toEqual([
    'host=m1',
  ]);
  expect(Object.keys(await logs('{host="m1"} | keep host', ['a']))).toEqual(['host=m1']);
  expect(Object.keys(await logs('{host="m1"} | json | keep nope', ['broken']))[0]).toMatch(
    /^__error__=JSONParserErr/,
  );
  expect(await texts('{host="m1"} | decolorize', ['\u001b[1;31mred\u001b[0m'])).toEqual(['red']);
});

describe('S36: functions of templates', () => {
  test.each([
    ['{{ "aBc" | lower }} {{ "aBc" | upper }} {{ "ab cd" | title }}', 'abc ABC Ab Cd'],
    ['[{{ "  x " | trim }}] [{{ "--x-" | trimAll "-" }}] [{{ "pre-x" | trimPrefix "pre-" }}]', '[x] [x] [x]'],
    ['{{ "a-b" | replace "-" "+" }} {{ "ab" | repeat 3 }} {{ "abcdef" | trunc -2 }}', 'a+b ababab ef'],
    ['{{ "abcdef" | substr 1 3 }} {{ substr -1 3 "abcdef" }} {{ substr 2 -1 "abcdef" }}', 'bc abc cdef'],
    ['{{ "a\\nb" | indent 2 }}', '  a\n  b'],
    ['{{ contains "b" "abc" }} {{ hasPrefix "a" "abc" }} {{ hasSuffix "a" "abc" }}', 'true true false'],
    ['{{ .nope | default "none" }} {{ int "x" }} {{ int 3.9 }} {{ float64 "1.5" }}', 'none 0 3 1.5'],
    ['{{ add 1 2 3 }} {{ sub 5 2 }} {{ div 7 2 }} {{ mod 7 4 }} {{ divf 7 2 }}', '6 3 3 3 3.5'],
    ['{{ max 1 3 2 }} {{ minf 1.5 2.5 }} {{ round 1.2567 2 }} {{ ceil 1.2 }}', '3 1.5 1.26 2'],
    [
      '{{ unixToTime "1796054400123" | date "2006-01-02" }} {{ unixToTime "20787" | unixEpoch }}',
      '2026-11-30 1795996800',
    ],
    ['{{ toDateInZone "2006-01-02 15:04" "Europe/Berlin" "2026-11-30 10:20" | unixEpoch }}', '1796030400'],
    ['{{ toDate "2006-01-02" "not a day" }}', '0001-01-01 00:00:00 +0000 UTC'],
    [
      '{{ (fromJson "{\\"a\\":[1,2]}").a }} {{ "hello" | b64enc }} {{ "aGVsbG8=" | b64dec }}',
      '[1 2] aGVsbG8= hello',
    ],
    ['{{ "a b&c" | urlencode }} {{ "a+b%26c" | urldecode }}', 'a+b%26c a b&c'],
    [
      '{{ regexReplaceAll "(a)(b)" "xabx" "${2}${1}" }} {{ regexReplaceAllLiteral "a." "xabx" "$1" }}',
      'xbax x$1x',
    ],
    ['{{ "aXbXc" | count "X" }} [{{ alignLeft 5 "abc" }}] [{{ alignRight 2 "abc" }}]', '2 [abc  ] [bc]'],
    ['{{ bytes "2 KB" }} {{ duration "1m30s" }} {{ duration_seconds "1500ms" }}', '2000 90 1.5'],
    ['{{ Replace "aXaX" "X" "-" 1 }} {{ TrimLeft "xxax" "x" }} {{ TrimSpace " a " }}', 'a-aX ax a'],
    ['{{ "日本語" | trunc 2 }} {{ alignLeft 2 "日本語" }}', '\ufffd\ufffd 日本'],
    ['{{ if eq .host "m1" }}yes{{ else }}no{{ end }} {{ printf "%05d" 42 }}', 'yes 00042'],
  ])('%s', async (template, text) => {
    expect(await formatted(template)).toBe(text);
  });
});
