import { describe, expect, it } from 'vitest';
import { findAttack } from '../../../src/parse/pattern/attack.ts';
import { parsePattern } from '../../../src/parse/pattern/parse-pattern.ts';
import { patternNotes } from '../../../src/parse/pattern/pattern-note.ts';
import { compileMatcher } from '../../../src/parse/pattern/pattern-matcher.ts';
import { compileSafeRegex } from '../../../src/parse/pattern/safe-regex.ts';

const of = (pattern: string, flags = '') => parsePattern({ name: 'p', pattern, flags }, {});

describe('an attack', () => {
  it('names the part, its column, and a line that can be pasted into a script', () => {
    expect(findAttack(of('^id=(?<id>(?:\\w+-?)+);$'))).toEqual({
      part: '(?:\\w+-?)+ (column 11)',
      line: `id=a${'a'.repeat(30)}`,
      script: '"id=a" + "a".repeat(30)',
    });
  });

  it('takes the flags into account', () => {
    expect(findAttack(of('^(?:a|A)*$'))).toBeUndefined();
    expect(findAttack(of('^(?:a|A)*$', 'i'))?.part).toBe('(?:a|A)* (column 2)');
  });

  it.each([
    '^(?<ip>\\S+) \\S+ (?<user>\\S+) \\[(?<time>[^\\]]+)\\] "(?<request>[^"]*)" (?<status>\\d{3}) (?<bytes>\\d+|-)$',
    '^(?<time>\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d) (?<level>[A-Z]+) (?<logger>(?:\\w+\\.)*\\w+): (?<text>.*)$',
    '^(?:[^"\\\\]|\\\\.)*$',
    '(?<key>\\w+)=(?<value>"[^"]*"|\\S+)',
    '^(?:\\/[^\\/]+)+\\/?$',
    '\\s+$',
    '^(?:)*(?:){1000000}$',
    `${'(?:'.repeat(30)}${'){4}'.repeat(30)}(?!x)`,
    `${'(?:'.repeat(20)}${'){100}'.repeat(20)}$`,
    `${'(?:'.repeat(40)}${'\\w|'.repeat(400)}x${')*'.repeat(40)}$`,
    `^${'('.repeat(500)}a${')'.repeat(500)}b*$`,
    '',
  ])('is not found for %s', (pattern) => {
    expect(findAttack(of(pattern))).toBeUndefined();
  });
});

it('is looked for within bounds, however an expression is nested', () => {
  const deep = `^${'('.repeat(400)}a+${')+'.repeat(400)}$`;
  expect(() => findAttack(of(deep))).not.toThrow();
});

describe('what an author is told', () => {
  it('is nothing about a pattern that V8 runs well', () => {
    expect(patternNotes(of('^(?<a>\\w+) (?<b>\\w+)$'), false)).toEqual([]);
  });

  it('is the line that makes a pattern slow', () => {
    expect(patternNotes(of('^(?<a>(\\w+)*):$'), false)[0]?.message).toMatch(
      /^is slow on some lines.*\(\\w\+\)\* \(column 7\) can read the line "a"\.repeat\(30\) /,
    );
  });

  it('is the reason for the slower engine', () => {
    expect(patternNotes(of('^(?:(?<a>x)y){2,40}$'), false)[0]?.message).toContain(
      'runs on re2js, which is several times slower than V8: ' +
        "V8's linear engine does not cover the count of (?:(?<a>x)y){2,40} (column 2)",
    );
  });

  it('is why a pattern is refused, where, and what would attack it', () => {
    expect(() => compileMatcher(of('^(?<a>\\w+)+(?=;)\\1$'))).toThrow(
      /linear time: lookahead \(\?=;\) \(column 12\).*As it is, \(\?<a>\\w\+\)\+ \(column 2\) can read the line "a"\.repeat\(30\)/,
    );
    expect(() => compileMatcher(of('^x(?!y)'))).toThrow('no short line is known that would make it slow');
    expect(() => compileSafeRegex('(a+)+(?!b)c', {})).toThrow(
      /lookahead \(\?!b\) \(column 6\)\..*"a"\.repeat\(30\)/,
    );
    expect(patternNotes(of('^(a+)+(?!b)c'), true)[0]?.message).toMatch(
      /^runs without protection.*"a"\.repeat/,
    );
  });
});
