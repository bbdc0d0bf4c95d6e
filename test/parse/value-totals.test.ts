import { describe, expect, it } from 'vitest';
import { createAggregator } from '../../src/metrics/aggregator.ts';
import { Registry } from '../../src/metrics/registry.ts';
import { fc } from '../fuzz.ts';
import { START_MS, linesOf } from '../metrics/fixtures.ts';
import { packScanner } from './scan-text.ts';

const PATTERN = '^(?<a>[a-z]*) (?<b>\\S*) (?<n>\\S+)(?: (?<t>[\\d.]+))?(?: (?<u>\\w+))?$';

/** What comes of some chunks, on the way over bytes or line by line. */
function outcome(pack: object, chunks: readonly string[], use: { lineByLine: boolean; records: boolean }) {
  const aggregator = createAggregator();
  const registry = new Registry();
  const scanner = packScanner(pack, use, { aggregator });
  const counts = chunks.map((chunk) => {
    const fragment = scanner.scan(Buffer.from(chunk, 'latin1'), { path: '/var/log/x.log' });
    registry.apply(fragment.deltas, START_MS);
    return { counts: fragment.counts, sample: fragment.unmatchedSample };
  });
  return { counts, metrics: linesOf(registry).map(twelveDigits).toSorted(), records: scanner.records };
}

/** Sums of binary fractions depend on the order of adding in their last digits. */
function twelveDigits(line: string): string {
  const at = line.lastIndexOf(' ') + 1;
  return line.slice(0, at) + String(Number(Number(line.slice(at)).toPrecision(12)));
}

function bothWays(pack: object, chunks: readonly string[]) {
  const ways = [false, true].map((records) => {
    const [bytes, lines] = [false, true].map((lineByLine) => outcome(pack, chunks, { lineByLine, records }));
    expect(bytes).toEqual(lines);
    return lines!;
  });
  expect(ways[1]!.metrics).toEqual(ways[0]!.metrics);
  return ways[1]!;
}

const metric = fc.constantFrom(
  { name: 'seen_total', type: 'counter', labels: { a: 'a' } },
  { name: 'all_total', type: 'counter' },
  { name: 'both_total', type: 'counter', labels: { x: 'b', y: 'a', z: { literal: 'z' }, file: '@file' } },
  { name: 'optional_total', type: 'counter', labels: { u: 'u' } },
  { name: 'when_total', type: 'counter', labels: { a: 'a' }, when: { a: ['x', 'ab'] } },
  { name: 'when_n_total', type: 'counter', when: { n: { above: 10 } } },
  { name: 'when_other_total', type: 'counter', value: 'n', labels: { b: 'b' }, when: { u: 'z' } },
  { name: 'n_total', type: 'counter', value: 'n', labels: { a: 'a' } },
  { name: 'n_bytes_total', type: 'counter', value: 'n', unit: 'KiB', labels: { a: 'a' } },
  { name: 'own_total', type: 'counter', value: 'n', labels: { n: 'n' } },
  { name: 't_seconds', type: 'histogram', value: 't', labels: { a: 'a' } },
  { name: 't_ms_seconds', type: 'histogram', value: 't', unit: 'ms', labels: { b: 'b' }, buckets: [0.001, 0.02, 1] },
  { name: 't_hours_seconds', type: 'histogram', value: 'n', unit: 'h', buckets: [3600, 36_000] },
  { name: 't_text_seconds', type: 'histogram', value: 't', unit: 'duration' },
  { name: 'n_last', type: 'gauge', value: 'n', labels: { a: 'a' } },
  { name: 'b_values', type: 'unique', value: 'b', labels: { a: 'a' } },
); // prettier-ignore
/** For records: fields that metrics may read as well. */
const asked = fc.record(
  {
    timestamp: fc.constantFrom({ field: 'n', format: 'epoch_s' }, { field: 'b', format: 'epoch_ms' }),
    severity: fc.constantFrom(
      { field: 'a', map: { ab: 'warn', x: 'error' } },
      { field: 'u', map: { z: 'debug' } },
    ),
  },
  { requiredKeys: [] },
);
const packs = fc
  .tuple(fc.uniqueArray(metric, { minLength: 0, maxLength: 4, selector: ({ name }) => name }), asked)
  .map(([metrics, more]) => ({
    pattern: PATTERN,
    metrics: metrics.map((one) => ({ help: 'x', ...one })),
    ...more,
  }));

// Some have the same length, beginning and end.
const word = fc.constantFrom(
  'x',
  'ab',
  'abcd',
  'abcdefgh',
  'abcdefgx',
  'abcdefghijkl',
  'abcdeyghijkl',
  'abcdefghijklmnopqrstuvwxyz',
  'abcdefghijklmnopqystuvwxyz',
);
const number = fc.oneof(
  fc.nat(200).map(String),
  fc.constantFrom(
    '0',
    '007',
    '1.5',
    '0.25',
    '123456789',
    '1234567890',
    '.5',
    '5.',
    '1.2.3',
    '-',
    '-3',
    '1e3',
    'x',
  ),
);
const line = fc.oneof(
  {
    weight: 12,
    arbitrary: fc
      .tuple(
        word,
        word,
        number,
        fc.option(number, { nil: undefined }),
        fc.option(fc.constantFrom('z', 'yy'), { nil: undefined }),
      ) // prettier-ignore
      .map((parts) => parts.filter((part) => part !== undefined).join(' ')),
  },
  { weight: 1, arbitrary: fc.constantFrom('', 'no match at all here', 'é x 3', 'a\0b x 1', ' x 1', 'x  1') },
);
const chunk = fc
  .tuple(fc.array(line, { minLength: 1, maxLength: 60 }), fc.constantFrom('\n', '\r\n'), fc.boolean())
  .map(([lines, newline, whole]) => lines.join(newline) + (whole ? newline : ''));

describe('lines that only add to the totals of their labels', () => {
  it('count as they do one by one', () => {
    let matched = 0;
    fc.assert(
      fc.property(packs, fc.array(chunk, { minLength: 1, maxLength: 3 }), (pack, chunks) => {
        for (const { counts } of bothWays(pack, chunks).counts) matched += counts.matched;
      }),
      { numRuns: 600 },
    );
    expect(matched).toBeGreaterThan(5000);
  });

  it('count as they do one by one where there are several patterns', () => {
    const pattern = fc.constantFrom(
      '^app: start (?<a>\\w+)$',
      '^app: stop (?<a>\\w+) after (?<n>\\d+)$',
      '^app: stop (?<a>\\w+)',
      '^app: stopped',
      '^(?<b>\\w+): (?<n>\\d+)$',
      '^(?<b>\\w+): (?<a>\\w+) (?<t>[\\d.]+)$',
      '^sys(?:\\[(?<n>\\d+)\\])?: (?<a>\\w+)$',
      '^sys(?:\\[\\d+\\])?: login by (?<a>\\w+)$',
      '^sys(?:\\[\\d+\\])?: logout by (?<a>\\w+)(?: after (?<t>[\\d.]+))?$',
      '^\\w+ ab$',
    );
    // A metric's field must be one that a line can have.
    const ALL = '^all (?<a>\\w+) (?<b>\\w+) (?<n>\\d+) (?<t>[\\d.]+)$';
    const some = fc
      .uniqueArray(pattern, { minLength: 2, maxLength: 6 })
      .map((list) => [...list, ALL].map((one, i) => ({ name: `p${i}`, pattern: one })));
    const of = fc
      .uniqueArray(
        fc.constantFrom(
          { name: 'all_total', labels: { pattern: '@pattern', a: 'a' } },
          { name: 'seen_total', labels: { b: 'b' } },
          { name: 'n_total', value: 'n', labels: { a: 'a', b: 'b' } },
          { name: 'first_total', patterns: ['p0', 'p1'], labels: { a: 'a' } },
          { name: 't_seconds', type: 'histogram', value: 't', labels: { pattern: '@pattern' } },
          { name: 'n_last', type: 'gauge', value: 'n' },
        ),
        { minLength: 1, maxLength: 4, selector: ({ name }) => name },
      )
      .map((list) => list.map((one) => ({ help: 'x', type: 'counter', ...one })));
    const part = fc.constantFrom('x', 'ab', 'start', 'stop', '7', '12', '0.5', '1.25');
    const event = fc.oneof(
      fc.tuple(part, part).map(([a, n]) => `app: stop ${a} after ${n}`),
      fc.tuple(fc.constantFrom('app: start', 'app: stop', 'app: stopped', 'sys:', 'sys[3]:', 'x:'), part).map((parts) => parts.join(' ')), // prettier-ignore
      fc.tuple(part, part, part).map(([b, a, t]) => `${b}: ${a} ${t}`),
      fc.tuple(fc.constantFrom('sys: ', 'sys[44]: '), fc.constantFrom('login', 'logout'), part).map(([sys, verb, a]) => `${sys}${verb} by ${a}`), // prettier-ignore
      fc.constantFrom('all x y 7 1.5', 'all x y 8 .5'),
      fc.tuple(part, part).map(([a, t]) => `sys: logout by ${a} after ${t}`),
      fc.constantFrom('nothing', 'app: ', 'app: stöp x', 'sys: login by \0', 'é ab', ''),
    );
    let matched = 0;
    fc.assert(
      fc.property(some, of, fc.array(event, { minLength: 20, maxLength: 60 }), fc.constantFrom('\n', '\r\n'), (patterns, metrics, lines, newline) => {
        const { counts } = bothWays({ patterns, metrics }, [lines.join(newline) + newline, lines.join(newline)]);
        matched += counts[0]!.counts.matched;
      }), // prettier-ignore
      { numRuns: 300 },
    );
    expect(matched).toBeGreaterThan(1500);
  });

  it('do so with more label sets than there are numbers for, in any order', () => {
    const pack = {
      pattern: '^(?<a>\\S+) (?<n>\\d+)(?: (?<t>\\d+\\.\\d+))?$',
      metrics: [
        { name: 'n_total', type: 'counter', help: 'x', value: 'n', labels: { a: 'a' } },
        { name: 't_seconds', type: 'histogram', help: 'x', value: 't', labels: { a: 'a' } },
      ],
    };
    let state = 1;
    const random = (below: number): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    const lines = Array.from({ length: 20_000 }, (_, i) => {
      const set = random(3) === 0 ? i : random(40);
      return `set-${set} ${random(1000)}${random(2) === 0 ? '' : ` ${random(20)}.${random(1000)}`}\n`;
    });
    const { counts, metrics } = bothWays(pack, [
      lines.slice(0, 12_000).join(''),
      lines.slice(12_000).join(''),
    ]);
    expect(counts.map((one) => one.counts.matched)).toEqual([12_000, 8000]);
    expect(metrics.length).toBeGreaterThan(10_000);
  });

  it('forgets what an optional part held in the line before', () => {
    const pack = {
      pattern: '^(?:(?<a>x\\d)|(?<b>y\\d))$',
      metrics: [{ name: 'n_total', type: 'counter', help: 'x', labels: { a: 'a', b: 'b' } }],
    };
    const { metrics } = bothWays(pack, ['y1\nx1\ny1\nx2\n']);
    expect(metrics).toEqual(['n_total{a="x1"} 1', 'n_total{a="x2"} 1', 'n_total{b="y1"} 2']);
  });
});
