import { expect, test } from 'vitest';

/** The page's modules are plain JavaScript for the browser; this one needs nothing of it. */
const MODULE = new URL('../../../src/collect/page/expression.js', import.meta.url).href;
const { splitThreshold } = (await import(MODULE)) as {
  readonly splitThreshold: (expression: string) => { expression: string; limit?: number };
};

test.each([
  ['max(queue_depth) > 50', 'max(queue_depth)', 50],
  ['up == 0', 'up', 0],
  ['x >= -1.5e3', 'x', -1500],
  ['a{path=~"x>1|y"} / b != 2', 'a{path=~"x>1|y"} / b', 2],
  ['time() - seen > 300 and seen > 0', 'time() - seen', 300],
  ['a <\n  5 # no more > 7\n', 'a', 5],
])('%s is drawn as the value beside its limit', (expression, value, limit) => {
  expect(splitThreshold(expression)).toEqual({ expression: value, limit });
});

test.each([
  'vector(1)',
  'a > b',
  'a > bool 1',
  'sum(a > 5)',
  'a > 1 or b > 2',
  '1 < a < 5',
  'count_values("x > 1", a)',
  'absent(up{job="a == 1"})',
])('%s is drawn as it is', (expression) => {
  expect(splitThreshold(expression)).toEqual({ expression });
});
