import { describe, expect, test } from 'vitest';
import { LogqlError } from '../../src/logql/logql-error.ts';
import { parseLogql } from '../../src/logql/parse-query.ts';
import { printLogql } from '../../src/logql/print-query.ts';
import { refusal } from './memory-lines.ts';

/** Queries as people write them. */
const QUERIES = [
  '{host=~"m[12]", service_name!=""} |= "timeout"',
  '{source="mail"} |= "refused" != "127.0.0.1" !~ "health|ready"',
  '{source="mail"} |= `C:\\temp` # raw string, comment',
  '{source="ssh"} |= ip("10.0.0.0/8") != ip("10.1.2.3-10.1.2.9")',
  '{source="ssh"} |> "Accepted <_> for <_> from <_>" or "x"',
  '{source="app"} | logfmt | took > 1.5s and size >= 20KB',
  '{source="app"} | logfmt | (a="1" or b="2"), c="3"',
  '{source="app"} | json q="queue.name", first="tags[0]"',
  '{source="app"} | logfmt --strict --keep-empty user, id="req_id" | __error__=""',
  '{source="web"} | regexp `(?P<ip>\\S+) .* (?P<code>\\d{3}) `',
  '{source="web"} | pattern `<ip> - <user> [<_>] "<method> <target> <_>" <status> <_>` | status=~"5.."',
  '{source="app"} | logfmt | label_format sev=level, where="{{.host}}/{{.unit}}" | line_format "{{.sev}}"',
  '{source="app"} | decolorize | json | drop trace_id, level="debug" | keep level, msg',
  '{source="app"} | unpack | remote_addr=ip("10.0.0.0/8")',
  'sum by (status) (count_over_time({source="web"} | json | __error__="" [1m]))',
  'quantile_over_time(0.95, {source="web"} | json | unwrap request_time | __error__="" [5m]) by (host)',
  'max by (host) (max_over_time({source="web"} | logfmt | unwrap duration(took) [1m]))',
  'sum(count_over_time({source="app"} |= "panic" [5m])) or vector(0)',
  'count_over_time({source="mail"}[5m]) / count_over_time({source="mail"}[5m] offset 1d)',
  'sum(rate({source="web"}[5m] |= "GET"))',
  'sum by (host, unit) (rate({source="app"} | logfmt [5m])) / on (host) group_left (zone) sum by (host) (rate({source="app"}[5m]))',
  'label_replace(rate({source="app"}[5m]), "dc", "$1", "host", "([a-z]+).*")',
  'approx_topk(5, sum by (user) (count_over_time({source="app"} | logfmt [10m])))',
  '(1 + 2) * 3 - -4 ^ 2 > bool 5',
  'SUM BY (host) (RATE({source="x"}[5m]))',
  '{rate="x", sum="y"} | bytes="1" | duration > 1s',
];

describe('queries', () => {
  test.each(QUERIES)('%s is read, and reads the same when printed', (query) => {
    const expr = parseLogql(query);
    expect(parseLogql(printLogql(expr))).toEqual(expr);
  });
});

describe('mistakes of syntax name line and column', () => {
  test.each([
    ['{', 1, 2],
    ['{source="mail",}', 1, 16],
    ["{source='mail'}", 1, 9],
    ['{source="mail"} foo', 1, 17],
    ['{source="mail"} |= "\\d"', 1, 20],
    ['{source="mail"} |= "a" or', 1, 26],
    ['{source="app"} | jsonx', 1, 23],
    ['{source="app"} | unwrap took', 1, 18],
    ['{source="app"} | level=error', 1, 24],
    ['{source="app"} | size > 1mb', 1, 28],
    ['{source="app"} | n > 0b1', 1, 22],
    ['rate({source="app"})', 1, 20],
    ['rate({source="app"}[5m) ', 1, 20],
    ['sum by host (rate({source="app"}[5m]))', 1, 1],
    ['-sum(rate({source="app"}[5m]))', 1, 2],
    ['topk(-1, rate({source="app"}[5m]))', 1, 8],
    ['{source=="mail"}', 1, 8],
    ['sum(\n  rate({source="app"}\n    | json ][5m])\n)', 3, 12],
  ])('%s', (query, line, column) => {
    let place: unknown;
    try {
      parseLogql(query);
    } catch (error) {
      expect(error).toBeInstanceOf(LogqlError);
      place = (error as LogqlError).place;
      expect((error as LogqlError).message).toMatch(
        /^parse error at .*(expected|unexpected|does not end|unknown escape|not in|is not a number)/,
      );
    }
    expect(place).toEqual({ line, column });
  });

  test('a caret stands under the mistake', async () => {
    const [, shown, caret] = (await refusal(() => parseLogql('{source="mail"} foo'))).split('\n');
    expect(shown).toBe('{source="mail"} foo');
    expect(caret).toBe(`${' '.repeat(16)}^`);
  });
});

describe('what has no meaning is refused', () => {
  test.each([
    ['count_over_time({source="app"} | logfmt | unwrap took [5m])', 'takes no unwrap'],
    ['sum_over_time({source="app"}[5m])', 'unwrap label'],
    ['rate({source="app"}[5m]) by (host)', 'neither by nor without'],
    ['quantile_over_time({source="app"} | unwrap x [5m])', 'needs a quantile'],
    ['topk(1.5, rate({source="app"}[5m]))', 'whole number'],
    ['sort by (host) (rate({source="app"}[5m]))', 'neither by nor without'],
    ['1 and rate({source="app"}[5m])', 'vector(1)'],
    ['{source="app"} + 1', 'query for lines'],
    ['{source="app"} |~ "("', 'regular expression'],
    ['{source="app"} | regexp "no group"', 'names nothing'],
    ['{source="app"} | regexp "(?P<a>x)(?P<a>y)"', 'twice'],
    ['{source="app"} | pattern "<a><b>"', 'side by side'],
    ['{source="app"} |> "<name> x"', 'no use for the name'],
    ['{source="app"} |= ip("10.0.0.0/33")', 'CIDR'],
    ['{source="app"} |~ ip("10.0.0.1")', 'goes with |= and !='],
    ['{source="app"} | json a="b["', 'not a path'],
    ['{source="app"} | line_format "{{ nosuch .a }}"', 'nosuch'],
    ['{source="app"} | label_format a="1", a="2"', 'twice'],
    ['{source="app"} | label_format __error__="x"', 'cannot set'],
    ['label_replace(rate({source="app"}[5m]), "a", "$1", "b", "(")', 'regular expression'],
  ])('%s', async (query, why) => {
    const message = await refusal(() => parseLogql(query));
    expect(message).toMatch(/^parse error : /);
    expect(message).toContain(why);
  });

  test('a query may have 131,071 bytes', async () => {
    const long = (bytes: number): string => {
      const head = '{source="x"} != "';
      return `${head}${'x'.repeat(bytes - head.length - 1)}"`;
    };
    expect(parseLogql(long(131_071)).kind).toBe('log');
    expect(await refusal(() => parseLogql(long(131_072)))).toContain('longer than 131071 bytes');
  });

  test('parentheses in parentheses end before the stack does', async () => {
    expect(await refusal(() => parseLogql(`${'('.repeat(5000)}1`))).toContain('nested deeper');
  });
});
