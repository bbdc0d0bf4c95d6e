/* oxlint-disable unicorn/no-thenable -- packs have a key of that name; it is never a function */
import { expect, test } from 'vitest';
import { fc } from '../fuzz.ts';
import { packScanner } from './scan-text.ts';

const METRICS = [
  { name: 'seen_total', type: 'counter', help: 'x', labels: { level: 'level', ok: 'ok', path: 'req.path' } },
  { name: 'spent_seconds', type: 'histogram', help: 'x', value: 'spent', buckets: [0.1, 1, 100] },
];
const json = { format: 'json', metrics: METRICS };
const layered = {
  format: 'json',
  then: { field: 'msg', pattern: '^took (?<spent>\\S+)', otherwise: 'keep' },
  timestamp: { field: 'time', format: ['epoch_ms', 'iso8601'] },
  severity: { field: 'level' },
  metrics: METRICS,
};
const strict = { ...layered, then: { field: 'msg', pattern: '^took (?<spent>\\d+)$', prefix: 'in.' } };
const stepped = {
  ...json,
  steps: [{ drop: { name: 'quiet', when: { level: 'debug' } } }, { mask: { field: 'msg', what: ['email'] } }],
};
const logfmt = { format: 'logfmt', metrics: METRICS };

/** What comes of some chunks; metrics and records. */
function outcome(pack: object, chunks: readonly string[], use: { records: boolean; lineByLine: boolean }) {
  const scanner = packScanner(pack, use);
  const fragments = chunks.map((chunk) => scanner.scan(Buffer.from(chunk, 'latin1')));
  return {
    counts: fragments.map(({ counts, unmatchedSample }) => ({ counts, unmatchedSample })),
    metrics: scanner.metrics(),
    records: scanner.records,
  };
}

function bothWays(pack: object, chunks: readonly string[]): void {
  for (const records of [true, false]) {
    const [bytes, lines] = [false, true].map((lineByLine) => outcome(pack, chunks, { records, lineByLine }));
    expect(bytes).toEqual(lines);
  }
}

const number = fc.oneof(
  fc.constantFrom(0, -1, 1.5, 12.25, 1e3, 1e21, 123456789, 1234567890, 1_768_478_399_123, 0.1, 99.999, -0.5),
  fc.nat(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const text = fc.oneof(
  fc.constantFrom('', 'info', 'debug', 'took 12', 'took 1.5', 'a@example.com', '"', '\\', 'é', 'x'.repeat(60), '-', '2026-01-15T11:59:59Z', '\t', '\u007F'),
  fc.string({ maxLength: 10 }),
); // prettier-ignore
const any = fc.oneof(number, text, fc.boolean(), fc.constant(null), fc.constant([1, 'a']));
const object = fc.oneof(
  { weight: 6, arbitrary: fc.record({ level: text, time: number, req: fc.record({ path: text, n: number }), spent: number, ok: fc.boolean(), msg: text }) },
  { weight: 3, arbitrary: fc.record({ time: text, level: fc.constantFrom(30, 40), msg: text }) },
  { weight: 1, arbitrary: fc.dictionary(fc.constantFrom('level', 'time', 'ok', 'msg', 'a.b', 'x y', 'req', '1'), any, { maxKeys: 4 }) },
); // prettier-ignore
const jsonLine = object.map((one) => JSON.stringify(one));
const spread = object.map((one) => JSON.stringify(one, undefined, 1).replaceAll(/\n\s*/g, ' ').replaceAll(/([{[]) | ([}\]])/g, '$1$2')); // prettier-ignore
const word = fc.constantFrom(
  'a',
  'info',
  '1.5',
  '',
  '"two words"',
  '"a=b"',
  "'q'",
  '"\\""',
  'é',
  'x"y',
  '"open',
);
const pairLine = fc
  .tuple(fc.subarray(['level', 'ok', 'spent', 'msg', 'k'], { minLength: 1 }), fc.array(word, { minLength: 5, maxLength: 5 }))
  .map(([keys, words]) => keys.map((key, n) => `${key}=${words[n]!}`).join(' ')); // prettier-ignore
const odd = fc.constantFrom(
  '',
  'no object',
  '{"level":',
  '{"level":"info"} ',
  '\0',
  '\u00FF',
  'level',
  ' {"level":"a"}',
);

const chunksOf = (line: fc.Arbitrary<string>) =>
  fc.array(
    fc
      .tuple(
        fc.array(fc.oneof({ weight: 8, arbitrary: line }, { weight: 1, arbitrary: odd }), { maxLength: 12 }),
        fc.constantFrom('\n', '\n', '\r\n'),
      )
      .map(([lines, end]) => lines.map((one) => Buffer.from(one).toString('latin1') + end).join('')),
    { minLength: 2, maxLength: 6 },
  );

test('JSON of shapes that are known means the same as JSON that is parsed', () => {
  const packs = fc.constantFrom<object>(json, layered, strict, stepped);
  fc.assert(
    fc.property(packs, chunksOf(fc.oneof(jsonLine, jsonLine, spread)), (pack, chunks) =>
      bothWays(pack, chunks),
    ),
    { numRuns: 60 },
  );
});

test('pairs of shapes that are known mean the same as pairs that are parsed', () => {
  fc.assert(
    fc.property(chunksOf(pairLine), (chunks) => bothWays(logfmt, chunks)),
    { numRuns: 40 },
  );
});

test('a log of ever new shapes is read all the same', () => {
  const chunks = Array.from({ length: 30 }, (_, n) =>
    Array.from({ length: 20 }, (__, i) => `{"level":"l${i}","k${n * 20 + i}":${i},"spent":0.5}\n`).join(''),
  );
  bothWays(json, [...chunks, ...chunks]);
});

test('integers that JavaScript would make others of stay what they are', () => {
  const ids = [
    '884863263974716886',
    '884863263974716887',
    '-9007199254740993',
    '9007199254740991',
    '1e400',
    '12.5',
  ];
  const text = ids.map((id) => `{"level":${id},"spent":1e2,"msg":"1234567890123456789 \\" "}\n`).join('');
  for (const lineByLine of [true, false]) {
    const scanner = packScanner(json, { records: true, lineByLine });
    for (let n = 0; n < 3; n++) scanner.scan(Buffer.from(text));
    const levels = [
      '884863263974716886',
      '884863263974716887',
      '-9007199254740993',
      9007199254740991,
      '1e400',
      12.5,
    ];
    expect(scanner.records.map(({ fields }) => fields['level'])).toEqual([...levels, ...levels, ...levels]);
    expect(scanner.records[0]!.fields).toMatchObject({ spent: 100, msg: '1234567890123456789 " ' });
    expect(scanner.metrics()).toContain('seen_total{level="884863263974716887"} 3');
  }
});

test('a line of a known shape may be longer than what is tried as an expression, or have many keys', () => {
  const keys = Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`key${n}`, n]));
  const long = JSON.stringify({ level: 'x'.repeat(50_000), spent: 1 });
  const wide = JSON.stringify({ ...keys, level: 'info', spent: 0.25 });
  bothWays(json, [`${long}\n${wide}\n`, `${wide}\n${long}\n`.repeat(3)]);
});
