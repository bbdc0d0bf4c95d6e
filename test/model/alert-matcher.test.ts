import { expect, test } from 'vitest';
import { formatMatchers, parseAlertMatchers } from '../../src/model/alert-matcher.ts';

test.each([
  ['a="b"', '{a="b"}'],
  ['a=b', '{a="b"}'],
  [' a =~ "x|y" , b!~"z" ', '{a=~"x|y",b!~"z"}'],
  ['{a="b",c!=d,}', '{a="b",c!="d"}'],
  ['a="say \\"hi\\", \\\\ and \\n"', '{a="say \\"hi\\", \\\\ and \\n"}'],
  ['a=', '{a=""}'],
  ['"dotted.name"="x"', '{dotted.name="x"}'],
])('%s is read', (text, expected) => {
  expect(formatMatchers(parseAlertMatchers(text))).toBe(expected);
});

test.each(['', '{}', 'a', 'a=="b"', 'a="b" c="d"', 'a="b', '=b', 'a=~"("', 'a=~"(?=x)"', '9a="b"'])(
  '%j is refused',
  (text) => {
    expect(() => parseAlertMatchers(text)).toThrow(/cannot read the matcher|is not RE2/);
  },
);

test('a hostile expression takes linear time', () => {
  const [matcher] = parseAlertMatchers('a=~"(x+x+)+y"');
  expect(matcher?.matches({ a: 'x'.repeat(20_000) })).toBe(false);
});

test('names of Object are no labels', () => {
  expect(parseAlertMatchers('constructor=""')[0]?.matches({})).toBe(true);
});
