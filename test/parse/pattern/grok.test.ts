import { expect, test } from 'vitest';
import { expandGrok } from '../../../src/parse/pattern/grok.ts';

const DEFINITIONS = {
  HEAD: '^(?<pid>\\d+):',
  EITHER: '^a|^b',
  LAST: '^(?<one>a)(?<two>b)\\1',
  OUTER: '%{HEAD} ',
  BROKEN: '^(',
  CUT: '^a\\x4',
  COUNT: '^a{2',
};
const sourceOf = (grok: string): string => expandGrok(grok, DEFINITIONS).source;

test('a beginning of a line is no group, so that it is seen where patterns begin alike', () => {
  expect(sourceOf('%{HEAD} started')).toBe('^(?<pid>\\d+): started');
  expect(sourceOf('%{OUTER}started')).toBe('^(?<pid>\\d+): started');
});

test('what would mean something else without a group has one', () => {
  expect(sourceOf('%{HEAD}?x')).toBe('(?:^(?<pid>\\d+):)?x');
  expect(sourceOf('%{EITHER}x')).toBe('(?:^a|^b)x');
  expect(sourceOf('%{LAST}1')).toBe('(?:^(?<one>a)(?<two>b)\\1)1');
  expect(sourceOf('%{INT}x')).toMatch(/^\(\?:.*\)x$/);
  expect(sourceOf('%{BROKEN}x')).toBe('(?:^()x');
  expect(sourceOf('%{CUT}1')).toBe('(?:^a\\x4)1');
  expect(sourceOf('%{COUNT}}')).toBe('(?:^a{2)}');
  expect(sourceOf('[%{HEAD}]')).toBe('[(?:^(?<pid>\\d+):)]');
  expect(sourceOf('%{HEAD:head}x')).toBe('(?<g0_head>^(?<pid>\\d+):)x');
});
