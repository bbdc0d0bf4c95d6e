import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { LineFormatInput, Pack } from '../../../src/config/pack-schema.ts';
import { layerPatterns } from '../../../src/parse/line-parsers.ts';
import { loadPack } from '../../../src/parse/load-pack.ts';
import { parsePattern } from '../../../src/parse/pattern/parse-pattern.ts';
import type { Pattern } from '../../../src/parse/pattern/parse-pattern.ts';
import { compileMatcher } from '../../../src/parse/pattern/pattern-matcher.ts';
import { TextDispatch } from '../../../src/parse/pattern/text-dispatch.ts';
import { fc } from '../../fuzz.ts';

/** Which pattern wins when each is tried, which when the dispatch is asked, and how many were tried then. */
function both(patterns: readonly Pattern[]) {
  const matchers = patterns.map((pattern) => compileMatcher(pattern, true));
  const dispatch = new TextDispatch(patterns);
  let tries = 0;
  const asked = (text: string): number | undefined =>
    dispatch.candidates(text).find((i) => dispatch.mayMatch(i, text) && (tries++, matchers[i]!.test(text)));
  const plain = (text: string): number | undefined => {
    const found = matchers.findIndex((matcher) => matcher.test(text));
    return found < 0 ? undefined : found;
  };
  return { asked, plain, tries: () => tries };
}

function patternsOf(...sources: string[]): Pattern[] {
  return sources.map((pattern, n) => parsePattern({ name: `p${n}`, pattern }, {}));
}

const PACKS = join(import.meta.dirname, '../../../parsers');

function* layers(layer: LineFormatInput & Pick<Pack, 'then'>): Generator<LineFormatInput> {
  yield layer;
  if (layer.then !== undefined) yield* layers(layer.then as LineFormatInput & Pick<Pack, 'then'>);
}

function casesOf(folder: string): string {
  const cases = join(folder, 'cases');
  return readdirSync(cases)
    .map((name) => readFileSync(join(cases, name, 'input.log'), 'latin1'))
    .join('\n');
}

describe('patterns told apart before they are tried', () => {
  const packs = readdirSync(PACKS).map((name) => join(PACKS, name));

  test.each(packs)('are found as when all are tried: %s', (folder) => {
    const file = join(folder, 'pack.yaml');
    const pack = loadPack(readFileSync(file, 'utf8'), file).pack!;
    const text = casesOf(folder);
    const lines = text.split('\n');
    // Messages within lines, and events of several lines.
    const messages = lines.map((line) => line.slice(line.indexOf(': ') + 2));
    const events = lines.map((_, n) => lines.slice(n, n + 3).join('\n'));
    for (const layer of layers(pack)) {
      const { asked, plain } = both(layerPatterns(layer, pack));
      for (const each of [...lines, ...messages, ...events]) expect(asked(each)).toBe(plain(each));
    }
  });

  test('are tried where the word behind their common beginning is theirs, in their order', () => {
    const patterns = patternsOf(
      '^(?<n>\\d+) alpha (?<rest>.*)$',
      '^(?<n>\\d+) beta$',
      '^(?<any>.*) beta and more$',
      '^(?<n>\\d+) beta(?<rest>.*)$',
      '^gamma$',
    );
    const dispatch = new TextDispatch(patterns);
    const mayMatch = (text: string): number[] =>
      dispatch.candidates(text).filter((candidate) => dispatch.mayMatch(candidate, text));
    expect(mayMatch('1 beta')).toEqual([1, 3]);
    expect(mayMatch('1 beta and more')).toEqual([1, 2, 3]);
    expect(mayMatch('x beta and more')).toEqual([2]);
    expect(mayMatch('1 alpha ')).toEqual([0]);
    expect(mayMatch('1 delta')).toEqual([]);
    expect(mayMatch('gamma')).toEqual([4]);
  });

  test('spare the patterns of a log most tries', () => {
    const file = join(PACKS, 'kafka/pack.yaml');
    const pack = loadPack(readFileSync(file, 'utf8'), file).pack!;
    const patterns = layerPatterns(pack, pack);
    const { asked, tries } = both(patterns);
    const lines = casesOf(join(PACKS, 'kafka')).split('\n');
    for (const line of lines) asked(line);
    expect(tries()).toBeLessThan((lines.length * patterns.length) / 4);
  });

  test('may have newlines in their common beginning, where a text has several lines', () => {
    const { asked } = both(patternsOf('^job (?<job>\\d+):\\s+finished', '^job (?<job>\\d+):\\s+failed'));
    expect(asked('job 1: failed')).toBe(1);
    expect(asked('job 1:\n  failed')).toBe(1);
    expect(asked('job 1:\n  finished')).toBe(0);
  });

  test('may be of more families than can be told apart together', () => {
    const families = Array.from({ length: 40 }, (_, n) => `^[0-9]{${n % 9}}${'-'.repeat(n)}(?<a>\\d+) `);
    const patterns = patternsOf(
      ...families.flatMap((head) => [`${head}alpha$`, `${head}beta$`, `${head}gamma$`]),
    );
    const { asked, plain } = both(patterns);
    for (const text of ['1 alpha', '1 beta', '1-2 gamma', `12345678${'-'.repeat(17)}1 beta`, '1 delta'])
      expect(asked(text)).toBe(plain(text));
  });

  const shared = fc.constantFrom('a+', '\\s+', '[^b]+', '\\d+', ' ', '\\n', '(?:ab)?', '\\w+ ', '[^\\]]*\\]');
  const heads = fc.array(shared, { minLength: 1, maxLength: 3 }).map((parts) => `^${parts.join('')}`);
  const tails = fc.array(fc.constantFrom('bb', 'bcd', 'b1', 'cb ', '\\]x', '.*'), {
    minLength: 2,
    maxLength: 5,
  });
  const letters = fc.array(
    fc.constantFrom('a', 'b', 'bb', 'bcd', 'b1', 'cb ', 'ab', ' ', '\n', '1', ']', 'x'),
    {
      maxLength: 9,
    },
  );

  test('are found as when all are tried, where they begin alike', () => {
    fc.assert(
      fc.property(heads, tails, fc.array(letters, { minLength: 1, maxLength: 12 }), (head, ends, texts) => {
        const { asked, plain } = both(patternsOf(...ends.map((end) => head + end)));
        for (const text of texts) expect(asked(text.join(''))).toBe(plain(text.join('')));
      }),
      { numRuns: 2000 },
    );
  });

  const word = fc.constantFrom('aa', 'ab', 'ba', 'abc', 'abcd', '11', '1', ' ', '-');
  const part = fc.constantFrom('aa', 'abc', 'abcd', '\\d', '\\d+', '[a-c]+', '.*', '.', '(?:aa|11)', '(?:ab)?', ' ', '-', '\\w+', '\\n?'); // prettier-ignore
  const source = fc
    .tuple(fc.boolean(), fc.array(part, { minLength: 1, maxLength: 5 }), fc.boolean())
    .map(([start, parts, end]) => `${start ? '^' : ''}${parts.join('')}${end ? '$' : ''}`);

  test('are found as when all are tried, whatever they are', () => {
    fc.assert(
      fc.property(
        fc.array(source, { minLength: 1, maxLength: 8 }),
        fc.array(
          fc.array(fc.oneof(word, fc.constant('\n')), { maxLength: 8 }).map((words) => words.join('')),
          {
            minLength: 1,
            maxLength: 12,
          },
        ),
        (sources, texts) => {
          const { asked, plain } = both(patternsOf(...sources));
          for (const text of texts) expect(asked(text)).toBe(plain(text));
        },
      ),
    );
  });
});
