import { expect, it } from 'vitest';
import { parseExpr } from '../../src/promql/parse-expr.ts';
import { requiredHistoryMs } from '../../src/promql/required-history.ts';
import { selectorsOf } from '../../src/promql/selectors-of.ts';

const MINUTE = 60_000;

it.each([
  ['1 + time()', 0],
  ['m', 5],
  ['m offset 10m', 15],
  ['m offset -10m', 5],
  ['rate(m[1m])', 1],
  ['rate(m[10m] offset 1h)', 70],
  ['m > on () rate(n[30m])', 30],
  ['max_over_time(rate(m[5m])[1h:1m])', 65],
  ['max_over_time(m[1h:] offset 1h)', 125],
  ['m @ start()', 5],
  ['m @ 1609746000', 'unbounded'],
  ['rate(m[5m] @ 1609746000) or n', 'unbounded'],
  ['max_over_time(m[1h:] @ 0)', 'unbounded'],
])('%s needs %s minutes of history', (expr, minutes) => {
  const needed = requiredHistoryMs(parseExpr(expr), 5 * MINUTE);
  expect(needed).toBe(minutes === 'unbounded' ? minutes : Number(minutes) * MINUTE);
});

it('finds every selector, in the order written', () => {
  const expr = parseExpr('a + sum(rate(b[5m])) > max_over_time((c or d)[1h:]) * scalar(e)');
  expect(selectorsOf(expr).map(({ name }) => name)).toEqual(['a', 'b', 'c', 'd', 'e']);
});
