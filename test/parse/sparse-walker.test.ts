import { describe, expect, it } from 'vitest';
import { fc } from '../fuzz.ts';
import { packScanner } from './scan-text.ts';

const PATTERNS = [
  { name: 'failed', pattern: 'failed with code (?<code>\\d+)' },
  { name: 'full', pattern: '^(?<code>disk) full$' },
];
const METRICS = [
  {
    name: 'n_total',
    type: 'counter',
    help: 'Lines.',
    labels: { code: 'code', pattern: '@pattern', line: '@line' },
  },
];

function both(patterns: typeof PATTERNS, text: string | Buffer) {
  const pack = { patterns, metrics: METRICS };
  const [fast, slow] = [false, true].map((lineByLine) => {
    const scanner = packScanner(pack, { lineByLine, records: false });
    const { counts, unmatchedSample } = scanner.scan(text);
    return { counts, unmatchedSample, series: scanner.metrics() };
  });
  expect(fast).toEqual(slow);
  return fast!;
}

describe('lines that are rare', () => {
  const common = fc.constantFrom('all is well', '', '\r', 'the disk is full', 'failed with code', 'é à la ß');
  const rare = fc.constantFrom(
    'failed with code 7',
    'failed with code 7\r',
    'disk full',
    'x failed with code 12 é',
  );
  const lines = fc.array(fc.oneof({ arbitrary: common, weight: 20 }, { arbitrary: rare, weight: 1 }), {
    maxLength: 400,
  });

  it('are found as if each line had been read', () => {
    fc.assert(
      fc.property(lines, fc.boolean(), fc.boolean(), (all, two, newline) => {
        both(two ? PATTERNS : PATTERNS.slice(0, 1), all.join('\n') + (newline ? '\n' : ''));
      }),
      { numRuns: 300 },
    );
  });

  it('may turn out to be many, in the middle of a chunk', () => {
    const text = `${'quiet\n'.repeat(1000)}${'failed with code 3\nnothing\n'.repeat(500)}`;
    expect(both(PATTERNS, text).counts).toMatchObject({ lines: 2000, matched: 500, unmatched: 1500 });
  });

  it('are found in a chunk that is searched piece by piece, up to one with bytes that are not UTF-8', () => {
    const quiet = 'nothing of note happened here\n'.repeat(9000);
    const text = `${quiet}failed with code 3\n${quiet}disk full\n`;
    expect(both(PATTERNS, text).counts).toMatchObject({ lines: 18_002, matched: 2, invalid: 0 });
    const odd = Buffer.concat([Buffer.from(text), Buffer.from([0xff, 0x0a]), Buffer.from(text)]);
    expect(both(PATTERNS, odd).counts).toMatchObject({ lines: 36_005, matched: 4, invalid: 1 });
  });

  it('leave bytes that are not UTF-8 counted', () => {
    const text = Buffer.concat([
      Buffer.from('ok\n'),
      Buffer.from([0xff, 0x0a]),
      Buffer.from('disk full\na\0b\n'),
    ]);
    expect(both(PATTERNS, text).counts).toMatchObject({ lines: 4, matched: 1, invalid: 2 });
  });
});
