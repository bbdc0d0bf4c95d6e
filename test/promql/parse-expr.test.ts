import { describe, expect, it } from 'vitest';
import type { Expr } from '../../src/promql/ast.ts';
import { exprToString } from '../../src/promql/expr-to-string.ts';
import { parseExpr } from '../../src/promql/parse-expr.ts';
import { PromqlError } from '../../src/promql/promql-error.ts';

function errorOf(text: string): PromqlError {
  try {
    parseExpr(text);
  } catch (error) {
    if (error instanceof PromqlError) return error;
    throw error;
  }
  throw new Error(`${text} was accepted`);
}

/** The expression with a pair of parentheses around every operation, to show what binds to what. */
function structure(text: string): string {
  const walk = (expr: Expr): string => {
    if (expr.kind === 'binary') return `(${walk(expr.left)} ${expr.op} ${walk(expr.right)})`;
    if (expr.kind === 'unary') return `(${expr.op}${walk(expr.expr)})`;
    return expr.kind === 'paren' ? walk(expr.expr) : exprToString(expr);
  };
  return walk(parseExpr(text));
}

describe('operators', () => {
  it.each([
    ['a + b * c', '(a + (b * c))'],
    ['a - b - c', '((a - b) - c)'],
    ['2 ^ 3 ^ 2', '(2 ^ (3 ^ 2))'],
    ['-a ^ 2', '(-(a ^ 2))'],
    ['-a * b', '((-a) * b)'],
    ['a ^ -b * c', '((a ^ (-b)) * c)'],
    ['a or b and c', '(a or (b and c))'],
    ['a and b unless c', '((a and b) unless c)'],
    ['a > b + c', '(a > (b + c))'],
    ['a == b > c', '((a == b) > c)'],
    ['a atan2 b + c', '((a atan2 b) + c)'],
    ['a - b offset 5m', '(a - b offset 5m)'],
    ['a % b == bool 0', '((a % b) == 0)'],
  ])('%s means %s', (text, meaning) => {
    expect(structure(text)).toBe(meaning);
  });

  it('binds a range to the selector before it and not to the product', () => {
    expect(errorOf('a*b[5m]').message).toBe(
      '1:3: parse error: binary expression must contain only scalar and instant vector types',
    );
  });
});

describe('canonical form', () => {
  it.each([
    ['sum(a)by(x)', 'sum by (x) (a)'],
    ['SUM without () (a)', 'sum without () (a)'],
    ['a{b="c",}', 'a{b="c"}'],
    ["{'foo.bar', x!~`a\\d`}", '{__name__="foo.bar",x!~"a\\\\d"}'],
    ['rate(a[90s] @ start() offset -1h30m)', 'rate(a[1m30s] @ start() offset -1h30m)'],
    ['max_over_time((a+b)[1h:] @ 1.5)', 'max_over_time((a + b)[1h:] @ 1.500)'],
    ['a * on(x) group_left(y) b', 'a * on (x) group_left (y) b'],
    ['a > bool ignoring(x) b', 'a > bool ignoring (x) b'],
    ['0x1F + 1_000 + .5e1 + 017', '31 + 1000 + 5 + 15'],
    ['5m', '300'],
    ['-Inf', '-Inf'],
    ['"a\\x41\\u00e9\\n"', '"aAé\\n"'],
    ['sum by ("odd label") (a)', 'sum by ("odd label") (a)'],
    ['sum # a comment\n(a)', 'sum(a)'],
    ['sum + avg{by="1"}', 'sum + avg{by="1"}'],
    ['a[300]', 'a[5m]'],
  ])('%s is written %s', (text, canonical) => {
    expect(exprToString(parseExpr(text))).toBe(canonical);
  });
});

describe('mistakes', () => {
  it.each([
    ['', '1:1: parse error: no expression found in input'],
    ['1 +', '1:4: parse error: unexpected end of input'],
    ['*1', '1:1: parse error: unexpected <op:*>'],
    ['(a', '1:3: parse error: unclosed left parenthesis'],
    ['a)', "1:2: parse error: unexpected right parenthesis ')'"],
    ['a\n+\n  )', "3:3: parse error: unexpected right parenthesis ')'"],
    ['a{b="c"', '1:8: parse error: unexpected end of input inside braces'],
    ['a{b}', '1:4: parse error: unexpected "}" in label matching, expected label matching operator'],
    ['a{b=c}', '1:5: parse error: unexpected identifier "c" in label matching, expected string'],
    ['a{1="x"}', "1:3: parse error: unexpected character inside braces: '1'"],
    ['a{b="c}', '1:5: parse error: unterminated quoted string'],
    ['{}', '1:1: parse error: vector selector must contain at least one non-empty matcher'],
    ['{a=~".*"}', '1:1: parse error: vector selector must contain at least one non-empty matcher'],
    ['a{__name__="b"}', '1:1: parse error: metric name must not be set twice: "a" or "b"'],
    ['a[5mm]', '1:3: parse error: bad number or duration syntax: "5mm"'],
    ['a[5m', '1:5: parse error: unclosed left bracket'],
    ['a[0]', '1:3: parse error: duration must be greater than 0'],
    ['a[-5m]', '1:3: parse error: duration must be greater than 0'],
    [
      'a[m]',
      '1:3: parse error: duration expressions are experimental in Prometheus and not supported; write one duration such as 5m',
    ],
    ['a[5s5m]', '1:3: parse error: not a valid duration string: "5s5m"'],
    ['(a+b)[5m]', '1:1: parse error: ranges only allowed for vector selectors'],
    ['a offset 1m [5m]', '1:1: parse error: no offset modifiers allowed before range'],
    ['a @ 1 [5m]', '1:1: parse error: no @ modifiers allowed before range'],
    ['a offset 1m offset 2m', '1:13: parse error: offset may not be set multiple times'],
    ['a @ 1 @ 2', '1:7: parse error: @ <timestamp> may not be set multiple times'],
    ['a @ Inf', '1:5: parse error: timestamp out of bounds for @ modifier: Inf'],
    [
      '(a) offset 5m',
      '1:1: parse error: offset modifier must be preceded by an instant vector selector or range vector selector or a subquery',
    ],
    [
      'rate(a)',
      '1:6: parse error: expected type range vector in call to function "rate", got instant vector',
    ],
    ['rate(a[5m], 1)', '1:1: parse error: expected 1 argument(s) in call to "rate", got 2'],
    ['round()', '1:1: parse error: expected at least 1 argument(s) in call to "round", got 0'],
    ['round(a, 1, 2)', '1:1: parse error: expected at most 2 argument(s) in call to "round", got 3'],
    [
      'label_join(a, "x", ",", b)',
      '1:25: parse error: expected type string in call to function "label_join", got instant vector',
    ],
    ['incraese(a[5m])', '1:1: parse error: unknown function with name "incraese" (did you mean "increase"?)'],
    ['nothing_like_it(a)', '1:1: parse error: unknown function with name "nothing_like_it"'],
    ['sum(a,)', '1:7: parse error: trailing commas not allowed in function call args'],
    ['sum()', '1:1: parse error: no arguments for aggregate expression provided'],
    [
      'topk(a)',
      '1:1: parse error: wrong number of arguments for aggregate expression provided, expected 2, got 1',
    ],
    ['topk("1", a)', '1:6: parse error: expected type scalar in aggregation parameter, got string'],
    ['sum(1)', '1:5: parse error: expected type instant vector in aggregation expression, got scalar'],
    ['sum by (a:b) (c)', '1:9: parse error: unexpected identifier "a:b" in grouping opts, expected label'],
    ['sum by c', '1:8: parse error: unexpected identifier "c" in grouping opts, expected "("'],
    ['1 == 1', '1:3: parse error: comparisons between scalars must use BOOL modifier'],
    ['1 + bool 1', '1:3: parse error: bool modifier can only be used on comparison operators'],
    ['1 and a', '1:1: parse error: set operator "and" not allowed in binary scalar expression'],
    ['a and on(x) group_left(y) b', '1:1: parse error: no grouping allowed for "and" operation'],
    [
      'a + on(x) group_left(x) b',
      '1:3: parse error: label "x" must not occur in ON and GROUP clause at once',
    ],
    ['a + on(x) 1', '1:1: parse error: vector matching only allowed between instant vectors'],
    ['a + group_left(x) b', '1:5: parse error: unexpected <group_left>'],
    ['a = b', "1:3: parse error: unexpected character: '=' (a comparison is written ==)"],
    ['a =~ "b"', "1:3: parse error: unexpected character after '=': '~'"],
    ['a ! b', "1:3: parse error: unexpected character after '!': ' '"],
    [
      '-"x"',
      '1:1: parse error: unary expression only allowed on expressions of type scalar or instant vector, got "string"',
    ],
    [
      '-a[5m]',
      '1:1: parse error: unary expression only allowed on expressions of type scalar or instant vector, got "range vector"',
    ],
    ['1[5m:]', '1:1: parse error: subquery is only allowed on instant vector, got scalar instead'],
    ['"\\q"', '1:1: parse error: error unquoting string "\\"\\\\q\\"": unknown escape sequence U+0071'],
    [
      'label_replace(a, "b", "$1", "c", "(")',
      '1:34: parse error: invalid regular expression in label_replace(): ' +
        'error parsing regexp: missing closing ): `(` in regular expression "("',
    ],
    ['a b', '1:3: parse error: unexpected identifier "b"'],
    ['a é', "1:3: parse error: unexpected character: 'é'"],
    [
      'a{b=~"(?=x)"}',
      '1:3: parse error: invalid regular expression "(?=x)": RE2 has no lookahead or lookbehind',
    ],
    [
      'a{b=~"(x)\\\\1"}',
      '1:3: parse error: invalid regular expression "(x)\\\\1": RE2 has no back-references',
    ],
  ])('%j is refused: %s', (text, message) => {
    expect(errorOf(text).message).toBe(message);
  });

  it.each([
    ['histogram_count(a)', 'native histograms'],
    ['a </ b', 'native histograms'],
    ['info(a)', 'function "info" is experimental'],
    ['limitk(2, a)', 'aggregation "limitk" is experimental'],
    ['double_exponential_smoothing(a[5m], 0.5, 0.5)', '"double_exponential_smoothing" is experimental'],
    ['a + fill(0) b', 'modifier "fill" is experimental'],
    ['a + on(x) group_left fill_right(0) b', 'modifier "fill_right" is experimental'],
    ['rate(a[5m] smoothed)', 'modifier "smoothed" is experimental'],
    ['rate(a[5m] anchored)', 'modifier "anchored" is experimental'],
    ['rate(a[5m + 1m])', 'duration expressions are experimental'],
    ['rate(a[step()])', 'duration expressions are experimental'],
    ['a offset (1m)', 'duration expressions are experimental'],
  ])('%s is refused by name', (text, reason) => {
    expect(errorOf(text).message).toContain(reason);
  });

  it('says where in the text the mistake lies', () => {
    expect(errorOf('sum(rate(errors))').position).toEqual({ start: 9, end: 15 });
  });

  it('refuses what is nested or chained without end, and not by running out of stack', () => {
    expect(errorOf(`${'('.repeat(5000)}1${')'.repeat(5000)}`).message).toContain(
      'nested more than 200 levels deep',
    );
    expect(errorOf(`1${'+1'.repeat(5000)}`).message).toContain('more than 500 levels deep');
    expect(errorOf(' '.repeat(100_001)).message).toContain('at most 100000');
  });
});
