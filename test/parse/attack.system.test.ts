import { describe, expect, it } from 'vitest';
import { enableLinearFallback } from '../../src/parse/pattern/linear.ts';
import { formatProblem } from '../../src/model/problem.ts';
import { loadPack } from '../../src/parse/load-pack.ts';
import { packScanner } from './scan-text.ts';

/** Patterns that are known to take exponential or high polynomial time, and what to attack them with. */
const ATTACKS: readonly (readonly [pattern: string, attack: string])[] = [
  ['^(a+)+$', `${'a'.repeat(5000)}!`],
  ['^(a|a)*$', `${'a'.repeat(5000)}!`],
  ['^(a|aa)+$', `${'a'.repeat(5000)}!`],
  ['^(.*a){12}$', `${'a'.repeat(400)}!`],
  ['^(a*)*b$', 'a'.repeat(5000)],
  ['^(?:(?:a*)*)*b$', 'a'.repeat(3000)],
  ['(x+x+)+y', 'x'.repeat(3000)],
  ['^(\\w+\\s?)*$', `${'word '.repeat(1000)}!!`],
  ['^(\\d+|\\w+)*:$', '1a'.repeat(2000)],
  ['^([a-zA-Z0-9])(([\\-.]|[_]+)?([a-zA-Z0-9]+))*(@){1}[a-z0-9]+[.]{1}[a-z]{2,3}$', `${'a'.repeat(3000)}!`],
  ['^(([^"]|"[^"]*")*)*$', '"'.repeat(3001)],
  ['^\\s*(\\S+\\s*)*:$', 'a '.repeat(2000)],
  ['^(.+)+=(.+)+;$', '='.repeat(1500)],
  ['^((ab)*)+c$', 'ab'.repeat(3000)],
  ['^(a?){16}a{16}b$', 'a'.repeat(3000)],
  ['^(?:.*,){11}P', `${'1,'.repeat(200)}Q`],
  ['\\s+$', `${' '.repeat(20_000)}x`],
  ['(.*)(.*)(.*)(.*)(.*)[^a]$', 'a'.repeat(2000)],
  ['^([01]+)*2$', '01'.repeat(3000)],
  ['^(?<k>[^=]*=)*(?<v>[^=]*)*$', '=a'.repeat(2000) + '='],
  ['(?<user>.*)@(?<host>.*)\\.(?<tld>.*)\\.end$', '@.'.repeat(1500)],
  ['^((?<a>\\d{1,3})\\.?)+x$', '1.'.repeat(3000)],
  ['^(?:[a-z]+)*[A-Z]$', 'a'.repeat(5000)],
  ['^(?:\\/[^\\/]+)+\\/?$', `${'/a'.repeat(3000)}//`],
  ['(?:a|b|ab)*c', 'ab'.repeat(2500)],
  ['^(?:(?:\\+|-)?\\d+)*e$', '+1'.repeat(3000)],
  ['^(<[^>]*>)*(<\\/[^>]*>)*$', `${'<a>'.repeat(2000)}<`],
  ['^(?:"(?:[^"\\\\]|\\\\.)*"|\\S)*$', `${'"a'.repeat(2000)} `],
  ['(?:\\w*\\.)*\\w+\\(.*\\)$', 'a.'.repeat(1500)],
  ['^(.*)\\1?x$', 'a'.repeat(100)],
  ['^(?=(a+))\\1b', 'a'.repeat(100)],
  ['^(?i:a+)+$', 'a'.repeat(100)],
];

describe('catastrophic patterns', () => {
  enableLinearFallback();

  it.each(ATTACKS)('%s either stays linear or is refused at load', (pattern, attack) => {
    const yaml = JSON.stringify({ name: 'x', description: 'x', pattern });
    const { pack, problems } = loadPack(yaml, 'pack.yaml');
    if (pack === undefined) {
      expect(problems.map(formatProblem).join()).toMatch(/linear time|invalid expression/);
      return;
    }
    const text = `before\n${`${attack}\n`.repeat(3)}after\n`;
    for (const records of [false, true]) {
      for (const lineByLine of [false, true]) {
        // A pattern that is not linear here never comes back: the runner's time limit is the assertion.
        expect(packScanner({ pattern }, { records, lineByLine }).scan(text).counts.lines).toBe(5);
      }
    }
  });

  it.each(['\\s+$', '(?<u>[a-z.]+)@x', '^(?<a>.*)b(?<c>.*)d$', '(?:a|b|ab)*c'])(
    '%s bears lines of a mebibyte',
    (pattern) => {
      const text = [' ', 'a', 'ab', 'b'].map((unit) => `${unit.repeat(1_000_000 / unit.length)}!\n`).join('');
      expect(packScanner({ pattern }, { records: false }).scan(text).counts.lines).toBe(4);
    },
  );

  it.each(['card', 'email', 'token', 'ip', 'phone'])('the mask for %s is linear', (what) => {
    const attacks = [
      '1 '.repeat(200_000),
      'a'.repeat(400_000) + '@',
      '1 '.repeat(5000),
      'a.'.repeat(5000) + '@',
      'token='.repeat(2000),
      '1.'.repeat(5000),
      '+1'.repeat(5000),
      'a:'.repeat(5000),
    ];
    const scanner = packScanner({ format: 'raw', steps: [{ mask: { what: [what] } }] });
    expect(scanner.scan(attacks.map((line) => `${line}\n`).join('')).counts.lines).toBe(attacks.length);
  });
});
