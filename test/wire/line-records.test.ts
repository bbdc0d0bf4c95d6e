import { expect, test } from 'vitest';
import { fc } from '../fuzz.ts';
import { packScanner } from '../parse/scan-text.ts';
import { decodeRecordBlock } from '../../src/wire/otlp-logs.ts';
import { createRecordWriter } from '../../src/wire/record-writer.ts';
import { compileLineRecords } from '../../src/wire/line-records.ts';

const LIMITS = { maxBlockBytes: 1 << 20, maxBlockRecords: 100_000 };
const pack = {
  patterns: [
    {
      name: 'one',
      pattern:
        '^1 (?<at>\\S*) (?<level>\\w*) (?<n>[^ ]*) (?<f>[^ ]*)(?: x(?<maybe>\\w*))?(?: (?<nested>a(?<inner>[^|]*)))?\\|(?<rest>.*)$',
    },
    { name: 'two', pattern: '^2 (?<f>[^ ]*) (?<rest>[^ ]*) (?<at>\\S*)(?<m>\\d*)' },
    { name: 'three', pattern: '^3 (?<at>\\S*)(?: l(?<level>\\w*))?$' },
  ],
  fields: { n: 'int', f: 'float', m: 'int' },
  timestamp: { field: 'at', format: ['iso8601', 'epoch_ns'] },
  severity: { field: 'level', map: { '': 'warn' } },
};

/** The records of some chunks, as bytes and as blocks, by the code for lines or without it. */
function outcome(chunks: readonly string[], byLines: boolean, limits = LIMITS, path = '/var/log/x.log') {
  const records = createRecordWriter(limits);
  const scanner = packScanner(pack, { records: true, lineByLine: !byLines }, { records });
  const fragments = chunks.map((chunk) => scanner.scan(Buffer.from(chunk), { path }));
  return {
    blocks: fragments.flatMap((fragment) => fragment.records),
    counts: fragments.map(({ counts }) => counts),
  };
}

function bytesOf({ blocks }: ReturnType<typeof outcome>): string {
  return Buffer.concat(blocks.map(({ bytes }) => bytes)).toString('latin1');
}

const number = fc.oneof(
  fc.constantFrom('', '-', '0', '007', '12.', '.5', '-3', '1e3', '12.50', '0.0', '4.000', '127', '128', '16383', '16384', '2097152', '268435455', '268435456', '999999999', '1234567890', '123456.789', '0.1', 'x', '12,5'),
  fc.nat().map(String),
  fc.double({ min: 0, max: 1e5, noNaN: true }).map((value) => value.toFixed(3)),
); // prettier-ignore
const moment = fc.constantFrom(
  '2026-01-15T11:59:59Z',
  '2026-01-15T11:59:59.123456789Z',
  '2026-01-15T11:59:58+02:00',
  '1768478399123456789',
  '1969-12-31T23:59:59Z',
  'never',
  '',
);
const level = fc.constantFrom('', 'info', 'INFO', 'error', 'warn', 'odd', 'x'.repeat(200));
const rest = fc.oneof(
  fc.constantFrom('', 'é', 'a\tb', 'a|b', 'b\r'),
  fc.integer({ min: 0, max: 400 }).map((length) => 'abcdefghij'.repeat(40).slice(0, length)),
  fc.constantFrom(15_000, 17_000, 40_000, 140_000).map((length) => 'z'.repeat(length)),
);
const line = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(moment, level, number, number, fc.constantFrom('', ' xy', ' ab', ' x abc'), rest).map(([at, sev, n, f, more, tail]) => `1 ${at} ${sev} ${n} ${f}${more}|${tail}`) },
  { weight: 3, arbitrary: fc.tuple(number, rest, moment, number).map(([f, tail, at, m]) => `2 ${f} ${tail} ${at}${m}`) },
  { weight: 3, arbitrary: fc.tuple(moment, fc.constantFrom('', ' l', ' linfo')).map(([at, sev]) => `3 ${at}${sev}`) },
  { weight: 1, arbitrary: fc.constantFrom('', 'neither', '\0', '1 ') },
); // prettier-ignore
const chunk = fc
  .tuple(fc.array(line, { maxLength: 30 }), fc.constantFrom('\n', '\r\n'))
  .map(([lines, end]) => lines.map((text) => text + end).join(''));

test('records of lines are the same bytes as the record writer makes of them one by one', () => {
  const path = fc.constantFrom('/x', `/${'p'.repeat(200)}`, `/${'p'.repeat(20_000)}`);
  fc.assert(
    fc.property(fc.array(chunk, { minLength: 1, maxLength: 3 }), path, (chunks, where) => {
      const byLines = outcome(chunks, true, LIMITS, where);
      const oneByOne = outcome(chunks, false, LIMITS, where);
      expect(byLines.counts).toEqual(oneByOne.counts);
      expect(bytesOf(byLines)).toBe(bytesOf(oneByOne));
    }),
    { numRuns: 60 },
  );
});

test('blocks keep within their limits, and all records come in order', () => {
  const limits = fc.record({
    maxBlockBytes: fc.constantFrom(1, 300, 5000, 200_000),
    maxBlockRecords: fc.integer({ min: 1, max: 40 }),
  });
  fc.assert(
    fc.property(chunk, limits, (text, some) => {
      const cut = outcome([text], true, some);
      for (const { bytes, count } of cut.blocks) {
        expect(decodeRecordBlock(bytes).length).toBe(count);
        expect(count).toBeLessThanOrEqual(some.maxBlockRecords);
        if (count > 1) expect(bytes.length).toBeLessThanOrEqual(some.maxBlockBytes);
      }
      expect(bytesOf(cut)).toBe(bytesOf(outcome([text], true)));
    }),
    { numRuns: 40 },
  );
});

test('so many texts of severity that there is no room for them leave nothing out', () => {
  const lines = Array.from({ length: 900 }, (_, n) => `1 x ${'s'.repeat(80)}${n} 1 1|rest\n`);
  const text = lines.join('') + lines.toReversed().join('');
  expect(bytesOf(outcome([text, text], true))).toBe(bytesOf(outcome([text, text], false)));
});

test('after very many lines, by then by other code, the records are the same', () => {
  const lines = Array.from({ length: 21_000 }, (_, n) => `2 ${n} rest${n % 7} 2026-01-15T11:59:59Z\n`);
  const chunks = Array.from({ length: 6 }, () => lines.join(''));
  const [byCode, oneByOne] = [true, false].map((byLines) => bytesOf(outcome(chunks, byLines)));
  // Not `toBe`, which would show all of it.
  expect(byCode === oneByOne).toBe(true);
});

test('there is no code for attributes whose name is too long', () => {
  const field = { type: 'text', place: 4, digits: -1 } as const;
  const layout = { stride: 8, begin: 0, end: 1, pattern: 3 };
  const compiled = (key: string): unknown => compileLineRecords({ ...layout, fields: [[{ ...field, key }]] });
  expect(compiled('k'.repeat(68))).toBeUndefined();
  expect(compiled('k'.repeat(66))).toBeDefined();
});

test('a severity that is empty is another than none, on the next line at the same time too', () => {
  const lines = ['', ' l', '', ' linfo', ' linfo', ' l', ' l', ''].map(
    (level) => `3 2026-01-15T11:59:59Z${level}\n`,
  );
  const text = lines.join('');
  expect(bytesOf(outcome([text, text], true))).toBe(bytesOf(outcome([text, text], false)));
});
