import { describe, expect, it } from 'vitest';
import { fc } from '../../fuzz.ts';
import { NO_MATCH, STATUS, UNSURE, compileByteMatcher } from '../../../src/parse/pattern/byte-matcher.ts';
import type { ByteMatcher } from '../../../src/parse/pattern/byte-matcher.ts';
import { LINES, PLACES } from '../../../src/parse/pattern/line-results.ts';
import { INPUT, scratch } from '../../../src/wasm/scratch.ts';
import { parsePattern } from '../../../src/parse/pattern/parse-pattern.ts';
import { packScanner } from '../scan-text.ts';

function matcherOf(source: string, flags = '') {
  return compileByteMatcher(
    [parsePattern({ name: 'line', pattern: source, flags }, {})],
    () => true,
    () => ({ keyed: [], numeric: [] }),
  );
}

/** What the matcher says of one line: its captures, or why it has none. */
function answer(matcher: ByteMatcher, line: string, end: string): (string | undefined)[] | number {
  // What comes behind must not matter.
  expect(scratch.load(Buffer.from(`${line}${end}a1b "ab" 12`))).toBe(true);
  const last = INPUT + Buffer.byteLength(line + end) - 1;
  const { bytes, ints } = scratch;
  if (matcher.run(INPUT, last, 1) === 0) return ints[STATUS]!;
  expect(ints[LINES]).toBe(INPUT);
  expect(ints[LINES + 1]).toBe(INPUT + Buffer.byteLength(line));
  return matcher.patterns[0]!.captures.map((_, n) => {
    const [from, to] = ints.subarray(LINES + PLACES + n * 2);
    return from === 0 ? undefined : bytes.toString('latin1', from, to);
  });
}

function fieldsOf(source: string, line: string, end = '\n') {
  const matcher = matcherOf(source)!;
  const found = answer(matcher, line, end);
  if (typeof found === 'number') return found;
  return Object.fromEntries(matcher.patterns[0]!.captures.map(({ field }, n) => [field, found[n]]));
}

const piece = fc
  .tuple(
    fc.constantFrom('a', 'b', ' ', '1', '\\d', '\\S', '[^"]', '[^b]', '"', '.', '(?<x>a1)', '(?: (?<y>\\d+))', '(?:a|b1)', '(?<z>a|ab)', '(?:"(?<w>[^"]*)")'), // prettier-ignore
    fc.constantFrom('', '', '+', '*', '?', '{2}', '{1,2}', '*?'),
  )
  .filter(([atom, count]) => !atom.startsWith('(') || count === '' || count === '?');
const source = fc
  .tuple(fc.uniqueArray(piece, { minLength: 1, maxLength: 7, selector: ([atom]) => atom }), fc.boolean())
  .map(([parts, end]) => `^${parts.map((part) => part.join('')).join('')}${end ? '$' : ''}`);
const line = fc
  .array(fc.constantFrom('a', 'b', 'ab', ' ', '"', '1', '12', 'é', '\0'), { maxLength: 8 })
  .map((parts) => parts.join(''));

describe('a pattern as code over bytes', () => {
  it('says nothing that the expression does not say', () => {
    let compiled = 0;
    let sure = 0;
    fc.assert(
      fc.property(
        source,
        fc.array(line, { minLength: 8, maxLength: 8 }),
        fc.constantFrom('\n', '\r\n'),
        (pattern, lines, end) => {
          const matcher = matcherOf(pattern);
          if (matcher === undefined) return;
          compiled++;
          for (const one of lines) {
            const found = answer(matcher, one, end);
            if (found === UNSURE) continue;
            sure++;
            const match = new RegExp(pattern).exec(one);
            if (found === NO_MATCH) expect(match, `${pattern} on ${one}`).toBeNull();
            else
              expect(found, `${pattern} on ${one}`).toEqual(
                matcher.patterns[0]!.captures.map(({ group }) => match![group]),
              );
          }
        },
      ),
      { numRuns: 3000 },
    );
    expect(compiled).toBeGreaterThan(500);
    expect(sure).toBeGreaterThan(2000);
  });

  it('leaves out a part that does not fit, and asks again where leaving it out may have been wrong', () => {
    const pattern = '^(?<a>\\d+)(?: (?<b>\\d+))?(?:\\s.*)?$';
    expect(fieldsOf(pattern, '1 2')).toEqual({ a: '1', b: '2' });
    expect(fieldsOf(pattern, '1 x')).toEqual({ a: '1', b: undefined });
    expect(fieldsOf(pattern, '1 2 x')).toEqual({ a: '1', b: '2' });
    expect(fieldsOf(pattern, '1 2x')).toBe(UNSURE);
  });

  it('takes a carriage return before the newline as a part of the line end, and no other', () => {
    expect(fieldsOf('^(?<a>\\S+)$', 'ab', '\r\n')).toEqual({ a: 'ab' });
    expect(fieldsOf('^(?<a>\\S+)$', 'a\rb')).toBe(UNSURE);
  });

  it('does not judge bytes that are not ASCII', () => {
    expect(fieldsOf('^(?<a>\\S+)$', 'aé')).toBe(UNSURE);
    expect(fieldsOf('^(?<a>a+)', 'aé')).toBe(UNSURE);
    expect(fieldsOf('^b', 'aé')).toBe(NO_MATCH);
  });

  it('takes a set that takes pairs of surrogates whole for the set, since its lines are ASCII', () => {
    expect(fieldsOf('^(?<a>[^ ])(?<b>.{2}) (?<c>\\S+).*$', 'abc de fx')).toEqual({
      a: 'a',
      b: 'bc',
      c: 'de',
    });
    expect(parsePattern({ name: 'line', pattern: '^(?<a>[^ ])$' }, {}).source).toContain('DC00');
  });

  it('is not made for what may have to go back', () => {
    for (const pattern of ['^(?:ab)+$', '^(?=a)a', 'a', '^a|b', '^(?<a>a)\\1', '^a\\b'])
      expect(matcherOf(pattern), pattern).toBeUndefined();
  });
});

describe('walking a chunk by bytes', () => {
  const text = ['a 1', 'b x', 'é 2', 'c\0 3', 'a 4', '', 'zz', 'é'];

  for (const newline of ['\n', '\r\n'])
    for (const records of [true, false]) {
      it(`gives what going line by line gives, ${JSON.stringify(newline)} ${records ? 'with' : 'without'} records`, () => {
        const pack = {
          pattern: '^(?<key>\\S+) (?<n>\\d+)$',
          fields: { n: 'int' },
          metrics: [
            { name: 'n_total', type: 'counter', help: 'n', value: 'n', labels: { key: 'key' } },
            { name: 'seen_total', type: 'counter', help: 'n', labels: { key: 'key' } },
          ],
        };
        const bytes = Buffer.concat([
          Buffer.from(text.join(newline) + newline),
          Buffer.from([0xff, 0x20, 0x35]),
          Buffer.from(`${newline}tail 6`),
        ]);
        const [one, other] = [false, true].map((lineByLine) => {
          const scanner = packScanner(pack, { records, lineByLine });
          const { counts } = scanner.scan(bytes);
          return { counts, metrics: scanner.metrics(), records: scanner.records };
        });
        expect(one).toEqual(other);
        expect(one!.counts).toMatchObject({ lines: 10, invalid: 2 });
      });
    }

  it('gives the records of several patterns that going line by line gives', () => {
    const pack = {
      patterns: [
        { name: 'took', pattern: '^(?<who>\\w+) took (?<ms>\\d+)ms(?: for (?<what>.+))?$' },
        { name: 'failed', pattern: '^(?<who>\\w+) failed: (?<why>.*)$' },
        { name: 'level', pattern: '^<(?<level>\\w+)> (?<who>\\w+)' },
      ],
      fields: { ms: 'int' },
      severity: { field: 'level' },
      metrics: [
        { name: 'seen_total', type: 'counter', help: 'n', labels: { who: 'who', pattern: '@pattern' } },
      ],
    };
    const lines = [
      'ann took 12ms',
      'bo failed: no',
      '<warn> ann is late',
      'ann took 7ms for bo',
      'cy',
      'é failed: x',
      '<error> bo',
    ];
    const [one, other] = [false, true].map((lineByLine) => {
      const scanner = packScanner(pack, { records: true, lineByLine });
      const { counts } = scanner.scan(`${[...lines, ...lines.toReversed()].join('\n')}\n`);
      return { counts, metrics: scanner.metrics(), records: scanner.records };
    });
    expect(one).toEqual(other);
    expect(one!.counts).toMatchObject({ lines: 14, matched: 10 });
    expect(one!.records.length).toBe(14);
  });
});
