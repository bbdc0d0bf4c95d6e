import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exprToString } from '../../src/promql/expr-to-string.ts';
import { parseExpr } from '../../src/promql/parse-expr.ts';
import { PromqlError } from '../../src/promql/promql-error.ts';

const name = fc.constantFrom('up', 'errors_total', 'a:b', 'sum', 'offset', 'by');
const text = fc.string({ unit: 'grapheme', maxLength: 8 }).map((value) => JSON.stringify(value));
const duration = fc.constantFrom('5m', '1h30m', '90', '250ms', '1d', '1w', '0x10');
const modifier = fc.constantFrom(
  '',
  ' offset 5m',
  ' offset -1d',
  ' @ 1609746000.125',
  ' @ end()',
  ' @ start() offset 1m',
);
const matcher = fc
  .tuple(fc.constantFrom('job', 'le', '"odd name"'), fc.constantFrom('=', '!='), text)
  .map((parts) => parts.join(''));
const regexMatcher = fc.constantFrom('job=~"a|b.*"', 'job!~"[0-9]+"', 'job=~"(?i:x)"');
const selector = fc
  .tuple(name, fc.array(fc.oneof(matcher, regexMatcher), { maxLength: 3 }))
  .map(([metric, matchers]) => (matchers.length === 0 ? metric : `${metric}{${matchers.join(',')}}`));
const labels = fc.constantFrom('()', '(job)', '(job, "odd name")');
const grouping = fc.tuple(fc.constantFrom('by', 'without'), labels).map((parts) => parts.join(' '));

const { vector } = fc.letrec<{ vector: string; scalar: string; matrix: string }>((tie) => ({
  scalar: fc.oneof(
    { depthSize: 'small' },
    fc.double().map((value) => String(value).replace('Infinity', 'Inf')),
    duration,
    tie('vector').map((inner) => `scalar(${inner})`),
    fc
      .tuple(tie('scalar'), fc.constantFrom('+', '-', '^', '== bool'), tie('scalar'))
      .map((parts) => parts.join(' ')),
  ),
  matrix: fc.oneof(
    { depthSize: 'small' },
    fc.tuple(selector, duration, modifier).map(([of, range, after]) => `${of}[${range}]${after}`),
    fc
      .tuple(tie('vector'), duration, fc.constantFrom('', '1m'), modifier)
      .map(([of, range, step, after]) => `(${of})[${range}:${step}]${after}`),
  ),
  vector: fc.oneof(
    { depthSize: 'small' },
    fc.tuple(selector, modifier).map((parts) => parts.join('')),
    fc
      .tuple(fc.constantFrom('rate', 'max_over_time', 'changes'), tie('matrix'))
      .map(([of, arg]) => `${of}(${arg})`),
    fc
      .tuple(fc.constantFrom('sum', 'avg', 'group'), grouping, tie('vector'))
      .map(([of, how, arg]) => `${of} ${how} (${arg})`),
    fc.tuple(tie('scalar'), tie('vector')).map(([k, arg]) => `topk(${k}, ${arg})`),
    fc
      .tuple(tie('vector'), fc.constantFrom('+', '>', '^', 'atan2', '!= bool'), tie('scalar'))
      .map((parts) => parts.join(' ')),
    fc
      .tuple(
        tie('vector'),
        fc.constantFrom('*', '<=', '== bool'),
        fc.constantFrom('', 'on (job) group_left (x)', 'ignoring (le)'),
        tie('vector'),
      )
      .map(([left, op, matching, right]) => `(${left}) ${op} ${matching} (${right})`),
    fc
      .tuple(tie('vector'), fc.constantFrom('and', 'or', 'unless'), tie('vector'))
      .map(([left, op, right]) => `(${left}) ${op} (${right})`),
    tie('vector').map((inner) => `-${inner}`),
    tie('vector').map((inner) => `(${inner})`),
  ),
}));

describe('any valid expression', () => {
  it('means the same after it was written out and read again', () => {
    fc.assert(
      fc.property(vector, (expr) => {
        const once = exprToString(parseExpr(expr));
        expect(exprToString(parseExpr(once))).toBe(once);
      }),
      { numRuns: 500 },
    );
  });
});

describe('any text at all', () => {
  const word = fc.constantFrom(
    ...'( ) { } [ ] , : @ + - * / ^ == =~ ! < > " \' ` \\ # 5m 1e 0x . .5 sum by on rate( a b="c" offset bool inf nan é \n'.split(
      ' ',
    ),
  );

  it.each([
    ['random text', fc.string({ unit: 'binary', maxLength: 60 })],
    ['random words of the language', fc.array(word, { maxLength: 20 }).map((words) => words.join(''))],
    [
      'a valid expression with a piece cut out',
      fc.tuple(vector, fc.nat(), fc.nat(10)).map(([expr, at, length]) => {
        const cut = at % (expr.length + 1);
        return expr.slice(0, cut) + expr.slice(cut + length);
      }),
    ],
  ])('is parsed or refused with a PromqlError whose position lies in the text: %s', (_, texts) => {
    fc.assert(
      fc.property(texts, (expr) => {
        try {
          parseExpr(expr);
        } catch (error) {
          if (!(error instanceof PromqlError)) throw error;
          expect(error.position.start).toBeGreaterThanOrEqual(0);
          expect(error.position.end).toBeLessThanOrEqual(expr.length);
          expect(error.message).toMatch(/^\d+:\d+: parse error: ./);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
