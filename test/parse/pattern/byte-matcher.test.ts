import { describe, expect, it } from 'vitest';
import { fc } from '../../fuzz.ts';
import { NO_MATCH, UNSURE, compileByteMatcher } from '../../../src/parse/pattern/byte-matcher.ts';
import { parsePattern } from '../../../src/parse/pattern/parse-pattern.ts';
import { packScanner } from '../scan-text.ts';

function matcherOf(source: string, flags = '') {
  return compileByteMatcher(parsePattern({ name: 'line', pattern: source, flags }, {}), () => true);
}

function fieldsOf(source: string, line: string, end = '\n') {
  const matcher = matcherOf(source)!;
  const bytes = Buffer.from(`${line}${end}`);
  const at = matcher.match(bytes, 0);
  if (at < 0) return at;
  expect(at).toBe(Buffer.byteLength(line));
  return Object.fromEntries(
    matcher.captures.map(({ field }, n) => {
      const [from, to] = matcher.places.subarray(n * 2);
      return [field, from === -1 ? undefined : bytes.toString('latin1', from, to)];
    }),
  );
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
            const bytes = Buffer.from(`x\n${one}${end}`);
            const at = matcher.match(bytes, 2);
            if (at === UNSURE) continue;
            sure++;
            const match = new RegExp(pattern).exec(one);
            if (at === NO_MATCH) {
              expect(match, `${pattern} on ${one}`).toBeNull();
              continue;
            }
            expect(at).toBe(2 + one.length);
            const groups = matcher.captures.map((_, n) =>
              matcher.places[n * 2] === -1
                ? undefined
                : bytes.toString('latin1', matcher.places[n * 2], matcher.places[n * 2 + 1]),
            );
            expect(groups, `${pattern} on ${one}`).toEqual(
              matcher.captures.map(({ group }) => match![group]),
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
});
