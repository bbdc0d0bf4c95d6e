import { expect, test } from 'vitest';
import { fc } from '../../fuzz.ts';
import { labelsFit } from '../../../src/collect/store/record-filter.ts';
import { RecordPeek } from '../../../src/collect/store/record-peek.ts';
import { decodeRecordBlock } from '../../../src/wire/otlp-logs.ts';
import { createRecordWriter } from '../../../src/wire/record-writer.ts';

const KEYS = [
  'status',
  'http.status',
  'http.method',
  'http_method',
  'host.name',
  '1st.try',
  'é.x',
  'x',
  'job',
  's',
];
const LABELS = [...KEYS, 'http_status', 'host', 'key_1st_try', '__x', 'instance', 'none'];
const value = fc.constantFrom<string | number | boolean>('a', 'b', 7, true);
const record = fc.record({
  timeMs: fc.constantFrom(0, 1_700_000_000_123, 1_700_000_000_456),
  attributes: fc.dictionary(fc.constantFrom(...KEYS), value, { maxKeys: 6 }),
  body: fc.constantFrom('', 'hay', 'a needle', 'näedle'),
});
const labels = fc.array(
  fc.record({ name: fc.constantFrom(...LABELS), value: fc.constantFrom('a', 'b', '7', 'true') }),
  { maxLength: 2 },
);

function blockOf(records: readonly (typeof record extends fc.Arbitrary<infer T> ? T : never)[]): Buffer {
  const writer = createRecordWriter({ maxBlockBytes: 1e9, maxBlockRecords: 1e9 });
  writer.reset({});
  for (const { timeMs, attributes, body } of records) {
    writer.begin(timeMs, timeMs === 0 ? 0 : 99, 1_600_000_000_000, 0, '');
    for (const [name, content] of Object.entries(attributes)) writer.attribute(writer.key(name), content);
    writer.body(body);
    writer.end();
  }
  return Buffer.concat(writer.drain().map(({ bytes }) => bytes));
}

test('it finds the records that decoding all of them would find, beside some with the text elsewhere', () => {
  fc.assert(
    fc.property(
      fc.array(record, { maxLength: 12 }),
      labels,
      fc.constantFrom('', 'needle', 'ä'),
      fc.boolean(),
      (records, wanted, text, late) => {
        const bytes = blockOf(records);
        const filter = { never: false, labels: wanted };
        const fits = ({ ms }: { ms: number }): boolean => !late || ms === 1_700_000_000_456;
        const peek = new RecordPeek({ number: 3, receivedMs: 5, bytes }, filter);
        const found = peek
          .candidates(text, fits)
          .filter(({ place }) => records[place.index]!.body.includes(text));
        const expected = decodeRecordBlock(bytes).flatMap((one, index) => {
          const ms = one.timeMs > 0 ? one.timeMs : one.observedMs;
          const nanos = one.timeMs > 0 ? one.timeNanos : 0;
          const wantedOne =
            labelsFit(one.attributes, filter) && records[index]!.body.includes(text) && fits({ ms });
          return wantedOne ? [{ ms, nanos, block: 3, index }] : [];
        });
        expect(found.map(({ place }) => place)).toEqual(expected);
        for (const { place, start, end } of found)
          expect(decodeRecordBlock(bytes.subarray(start, end))).toEqual([
            decodeRecordBlock(bytes)[place.index],
          ]);
      },
    ),
    { numRuns: 1000 },
  );
});
