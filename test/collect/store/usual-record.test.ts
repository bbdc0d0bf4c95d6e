import { expect, test } from 'vitest';
import { fc } from '../../fuzz.ts';
import { nanosToMs, skimUsualRecord, UNUSUAL } from '../../../src/collect/store/usual-record.ts';
import { decodeRecordBlock } from '../../../src/wire/otlp-logs.ts';
import { createRecordWriter } from '../../../src/wire/record-writer.ts';
import { readNanos } from '../../../src/wire/protobuf.ts';

const value = fc.oneof(
  fc.string({ maxLength: 200 }),
  fc.constant('long '.repeat(200)),
  fc.integer(),
  fc.double(),
  fc.boolean(),
);
const record = fc.record({
  timeMs: fc.constantFrom(0, 1_700_000_000_123),
  attributes: fc.dictionary(fc.string({ minLength: 1, maxLength: 60 }), value, { maxKeys: 8 }),
  body: fc.string({ maxLength: 300 }),
  severity: fc.integer({ min: 0, max: 24 }),
});

/** A run of one record, as our agents send it. */
function encoded(one: typeof record extends fc.Arbitrary<infer T> ? T : never): Buffer {
  const writer = createRecordWriter({ maxBlockBytes: 1e9, maxBlockRecords: 1e9 });
  writer.reset({});
  writer.begin(one.timeMs, 5, 1_600_000_000_000, one.severity, 'INFO');
  for (const [name, content] of Object.entries(one.attributes)) writer.attribute(writer.key(name), content);
  writer.body(one.body);
  writer.end();
  return Buffer.from(writer.drain()[0]!.bytes);
}

/** Where the LogRecord begins in a run of one: behind its tag and length. */
function contentStart(run: Buffer): number {
  let at = 1;
  while (run[at]! >= 0x80) at++;
  return at + 1;
}

test('a record of our agents is read at once, with its time, or the observed time where it has none', () => {
  fc.assert(
    fc.property(record, (one) => {
      const run = encoded(one);
      const expected = one.timeMs > 0 ? one.timeMs : 1_600_000_000_000;
      expect(skimUsualRecord(run, contentStart(run), run.length)).toBe(expected);
    }),
  );
});

test('whatever it lets pass can be decoded', () => {
  fc.assert(
    fc.property(
      record,
      fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 }),
      (one, changes) => {
        const run = encoded(one);
        const start = contentStart(run);
        for (const [at, byte] of changes) run[start + (at % (run.length - start))] = byte;
        if (skimUsualRecord(run, start, run.length) === UNUSUAL) return;
        expect(decodeRecordBlock(run)).toHaveLength(1);
      },
    ),
    { numRuns: 3000 },
  );
});

test('nanoseconds become the same milliseconds as when they are read', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }), (nanos) => {
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64LE(nanos);
      expect(nanosToMs(bytes, 0)).toBe(readNanos(bytes, 0).ms);
    }),
  );
});
