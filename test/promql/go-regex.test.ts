import { describe, expect, it } from 'vitest';
import { fc } from '../fuzz.ts';
import { GoRegex } from '../../src/promql/go-regex.ts';
import { compileMatcher } from '../../src/promql/matcher.ts';

describe('an RE2 expression', () => {
  it.each([
    ['a', 'a', true],
    ['a', 'xa', false],
    ['a|b', 'ab', false],
    ['a.b', 'a\nb', true],
    ['(?i)ABC', 'aBc', true],
    ['x(?i:y)z', 'xYz', true],
    ['x(?i:y)z', 'XYz', false],
    ['(?-s)a.b', 'a\nb', false],
    ['(?P<n>a)\\z', 'a', true],
    ['\\pL+', 'äß', true],
    ['.', '😀', true],
    ['[[:digit:]]+', '42', true],
    ['\\Qa.b\\E', 'a.b', true],
  ])('%s against %j: %s', (pattern, text, fits) => {
    expect(GoRegex.compile(pattern).matches(text)).toBe(fits);
  });

  it.each(['(?=a)', '(?!a)', '(?<=a)', '(?<!a)', '(a)\\1', 'a(', '[z-a]', 'a{1001}'])(
    '%s is refused',
    (pattern) => {
      expect(() => GoRegex.compile(pattern)).toThrow(JSON.stringify(pattern));
    },
  );

  it('is refused when it is too long', () => {
    expect(() => GoRegex.compile('a'.repeat(4097))).toThrow('4097 characters; at most 4096');
  });

  it('takes no longer for what makes backtracking engines hang', () => {
    expect(GoRegex.compile('(a+)+$').matches(`${'a'.repeat(5000)}b`)).toBe(false);
  });

  it('is refused where its size and the text together are too much work', () => {
    expect(() => GoRegex.compile('(a?){1000}'.repeat(9))).toThrow(
      'too large once its repetitions are written out',
    );
    expect(() => GoRegex.compile('(a?){1000}a{1000}').matches('a'.repeat(2000))).toThrow(
      'too large for a text of 2000',
    );
  });

  it.each([
    ['$1-$2', 'x-y'],
    ['${1}0', 'x0'],
    ['$10', ''],
    ['$second', 'y'],
    ['$$1', '$1'],
    ['$9 $nothing', ' '],
    ['100%', '100%'],
  ])('expands %s to %j', (template, expanded) => {
    expect(GoRegex.compile('(.)/(?P<second>.)').expand('x/y', template)).toBe(expanded);
  });
});

describe('a matcher', () => {
  it('answers by its shortcut as the expression itself would', () => {
    const piece = fc.constantFrom('a', 'b', 'ab', '', '-', '/x', '\\.', '.');
    const pattern = fc.oneof(
      fc.array(piece, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('|')),
      fc.array(piece, { minLength: 1, maxLength: 4 }).map((parts) => `(${parts.join('|')})`),
      fc.tuple(piece, fc.constantFrom('.*', '.+')).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(
        pattern,
        fc.array(piece, { maxLength: 3 }).map((parts) => parts.join('')),
        (value, text) => {
          const expected = GoRegex.compile(value).matches(text);
          expect(compileMatcher({ name: 'x', kind: '=~', value }).matches(text)).toBe(expected);
          expect(compileMatcher({ name: 'x', kind: '!~', value }).matches(text)).toBe(!expected);
        },
      ),
    );
  });
});
