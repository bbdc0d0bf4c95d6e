import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { findAttack } from '../../../src/parse/pattern/attack.ts';
import { parsePattern } from '../../../src/parse/pattern/parse-pattern.ts';

const attackOn = (pattern: string, flags = '') => findAttack(parsePattern({ name: 'p', pattern, flags }, {}));

/** Known catastrophic patterns of all kinds, and the part that is to blame. */
const CATASTROPHIC: readonly (readonly [pattern: string, part: string])[] = [
  ['^(a+)+$', '(a+)+'],
  ['^(a|a)*$', '(a|a)*'],
  ['^(a|aa)+$', '(a|aa)+'],
  ['^(.*a){12}$', '(.*a){12}'],
  ['^(a*)*b$', '(a*)*'],
  ['^(?:(?:a*)*)*b$', '(?:(?:a*)*)*'],
  ['(x+x+)+y', '(x+x+)+'],
  ['^(\\w+\\s?)*$', '(\\w+\\s?)*'],
  ['^(\\d+|\\w+)*:$', '(\\d+|\\w+)*'],
  [
    '^([a-zA-Z0-9])(([\\-.]|[_]+)?([a-zA-Z0-9]+))*(@){1}[a-z0-9]+[.]{1}[a-z]{2,3}$',
    '(([\\-.]|[_]+)?([a-zA-Z0-9]+))*',
  ],
  ['^(([^"]|"[^"]*")*)*$', '(([^"]|"[^"]*")*)*'],
  ['^\\s*(\\S+\\s*)*:$', '(\\S+\\s*)*'],
  ['^(.+)+=(.+)+;$', '(.+)+'],
  ['^((ab)*)+c$', '((ab)*)+'],
  ['^(a?){16}a{16}b$', '(a?){16}a{16}'],
  ['^(?:.*,){11}P', '(?:.*,){11}'],
  ['(.*)(.*)(.*)(.*)(.*)[^a]$', '.*)(.*'],
  ['^([01]+)*2$', '([01]+)*'],
  ['(?<user>.*)@(?<host>.*)\\.(?<tld>.*)\\.end$', '.*)@(?<host>.*)\\.(?<tld>.*'],
  ['^((?<a>\\d{1,3})\\.?)+x$', '((?<a>\\d{1,3})\\.?)+'],
  ['^(?:[a-z]+)*[A-Z]$', '(?:[a-z]+)*'],
  ['(?:a|b|ab)*c', '(?:a|b|ab)*'],
  ['^(?:(?:\\+|-)?\\d+)*e$', '(?:(?:\\+|-)?\\d+)*'],
  ['^(?:"(?:[^"\\\\]|\\\\.)*"|\\S)*$', '(?:"(?:[^"\\\\]|\\\\.)*"|\\S)*'],
  ['^(([a-z])+.)+[A-Z]([a-z])+$', '(([a-z])+.)+'],
  ['^(\\s*\\w+\\s*)*;$', '(\\s*\\w+\\s*)*'],
  ['^(?:[^,]*,?)*;$', '(?:[^,]*,?)*'],
  ['^prefix (?:\\d+[,.]?)+x', '(?:\\d+[,.]?)+'],
  ['^(?:\\S+\\s*)+\\S+=$', '(?:\\S+\\s*)+'],
  ['^((a|b)*c*)*d$', '((a|b)*c*)*'],
  ['(?:[0-9a-f]{1,4}:?)+g$', '(?:[0-9a-f]{1,4}:?)+'],
  ['^(?<m>(?:\\w+ *)+):$', '(?:\\w+ *)+'],
  ['^(?:-?-?\\w+)*;$', '(?:-?-?\\w+)*'],
  ['^time=(?<t>(?:\\d|\\d\\d)+) level=', '(?:\\d|\\d\\d)+'],
  ['^\\[(?:[^\\]]|\\](?!$)|.)*\\]x$', '(?:[^\\]]|\\](?!$)|.)*'],
  ['^(?=(?:a+)+b)', '(?:a+)+'],
  ['^(a+)+\\1b$', '(a+)+'],
];

/** V8's own linear engine does not cover these, so that it cannot be seen to give up backtracking. */
const uncovered = (pattern: string): boolean => /\(\?[=!]|\\1/.test(pattern);

/**
 * Runs in a process of its own. V8 says there when a match went over to its linear engine, which it does after so many
 * backtracks as in the agent: no clock is asked. What that engine does not cover is broken off by a limit.
 */
const CHILD = `
  const { runInNewContext } = require('node:vm');
  for (const [index, [source, line, limited]] of JSON.parse(process.argv[1]).entries()) {
    console.log('pattern ' + index);
    if (!limited) new RegExp(source).exec(line);
    else try {
      runInNewContext('new RegExp(source).exec(line)', { source, line }, { timeout: 300 });
    } catch { console.log('Experimental execution is not to be had'); }
  }
`;

describe('the attack on a pattern', () => {
  it.each(CATASTROPHIC)('%s is found, with the part that is to blame', (pattern, part) => {
    const attack = attackOn(pattern);
    const [, column] = /\(column (\d+)\)$/.exec(attack!.part)!;
    expect(attack!.part).toBe(`${part} (column ${column})`);
    expect(pattern.startsWith(part, Number(column) - 1)).toBe(true);
    expect(attack!.line.length).toBeLessThanOrEqual(310);
  });

  it('makes V8 itself give up backtracking, each of them', () => {
    const attacks = CATASTROPHIC.map(
      ([pattern]) => [pattern, attackOn(pattern)!.line, uncovered(pattern)] as const,
    );
    expect(attacks.length).toBeGreaterThanOrEqual(30);
    const flags = [
      '--enable-experimental-regexp-engine-on-excessive-backtracks',
      '--regexp-backtracks-before-fallback=10000',
      '--trace-experimental-regexp-engine',
    ];
    const { stdout } = spawnSync(process.execPath, [...flags, '-e', CHILD, JSON.stringify(attacks)], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    const withstood = stdout
      .split(/^pattern \d+$/m)
      .slice(1)
      .flatMap((output, at) => (output.includes('Experimental execution') ? [] : [CATASTROPHIC[at]![0]]));
    expect(stdout.match(/^pattern \d+$/gm)).toHaveLength(attacks.length);
    expect(withstood).toEqual([]);
  });
});
