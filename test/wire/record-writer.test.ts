import { expect, test } from 'vitest';
import { fc } from '../fuzz.ts';
import { decodeRecordBlock } from '../../src/wire/otlp-logs.ts';
import { createRecordWriter } from '../../src/wire/record-writer.ts';
import { blockPress } from '../../src/wire/block-press.ts';
import { plainRecords } from '../../src/wire/deflated-block.ts';

const roomy = { maxBlockBytes: 1 << 20, maxBlockRecords: 10_000 };

test('a record comes back with its times, severity, attributes and body', () => {
  const writer = createRecordWriter(roomy);
  writer.reset({ 'log.file.path': '/var/log/app.log' });
  writer.begin(1_700_000_000_123, 456_789, 1_700_000_000_200, 9, 'INFO');
  writer.attribute(writer.key('user'), 'alice');
  writer.attribute(writer.key('ok'), true);
  writer.attribute(writer.key('count'), -3);
  writer.attribute(writer.key('seconds'), 0.25);
  writer.attributeBytes(writer.key('path'), Buffer.from('GET /a HTTP'), 4, 6);
  writer.body('GET /a HTTP');
  writer.end();
  const [block] = writer.drain();
  expect(block!.count).toBe(1);
  expect(decodeRecordBlock(block!.bytes)).toEqual([
    {
      timeMs: 1_700_000_000_123,
      timeNanos: 456_789,
      observedMs: 1_700_000_000_200,
      severity: 9,
      severityText: 'INFO',
      body: 'GET /a HTTP',
      attributes: {
        'log.file.path': '/var/log/app.log',
        user: 'alice',
        ok: true,
        count: -3,
        seconds: 0.25,
        path: '/a',
      },
      traceId: '',
      spanId: '',
      flags: 0,
      eventName: '',
    },
  ]);
});

const attributeValue = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.string({ unit: 'grapheme-ascii', maxLength: 60 }),
  fc.boolean(),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true }),
);

test('whatever the attributes, bodies and block limits, the records come back in order', () => {
  const record = fc.record({
    attributes: fc.dictionary(fc.string({ maxLength: 150 }), attributeValue, { maxKeys: 5 }),
    body: fc.string({ unit: 'binary', maxLength: 20_000 }),
    asBytes: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.array(record, { maxLength: 8 }),
      fc.integer({ min: 1, max: 30_000 }),
      fc.integer({ min: 1, max: 5 }),
      fc.boolean(),
      (records, maxBlockBytes, maxBlockRecords, isPressed) => {
        const limits = { maxBlockBytes, maxBlockRecords };
        const writer = createRecordWriter(isPressed ? { ...limits, press: blockPress() } : limits);
        const blocks = [records.slice(0, 3), records.slice(3)].flatMap((chunk) => {
          writer.reset({});
          for (const { attributes, body, asBytes } of chunk) {
            writer.begin(1, 0, 2, 0, '');
            for (const [name, value] of Object.entries(attributes)) writer.attribute(writer.key(name), value);
            if (asBytes) writer.bodyBytes(Buffer.from(body), 0, Buffer.byteLength(body));
            else writer.body(body);
            writer.end();
          }
          const drained = writer.drain();
          if (isPressed) blockPress().memory().fill(0xaa);
          return drained.map((block) => ({ count: block.count, bytes: plainRecords(block) }));
        });
        for (const { count, bytes } of blocks) {
          expect(count).toBeLessThanOrEqual(maxBlockRecords);
          if (count > 1) expect(bytes.length).toBeLessThanOrEqual(maxBlockBytes);
        }
        const decoded = blocks.flatMap(({ bytes }) => decodeRecordBlock(bytes));
        expect(decoded.map(({ attributes, body }) => ({ attributes, body }))).toEqual(
          records.map(({ attributes, body }) => ({ attributes: { ...attributes }, body })),
        );
      },
    ),
    { numRuns: 200 },
  );
});

test('a body that needs a longer length than usual is moved, not damaged', () => {
  const writer = createRecordWriter(roomy);
  for (const size of [0, 90, 127, 128, 16_000, 16_383, 16_384, 3_000_000]) {
    writer.reset({});
    writer.begin(1, 0, 1, 0, '');
    writer.body('x'.repeat(size));
    writer.end();
    const [block] = writer.drain();
    expect(decodeRecordBlock(block!.bytes)[0]!.body).toHaveLength(size);
  }
});

test('constant attributes are those of the last reset', () => {
  const writer = createRecordWriter(roomy);
  for (const path of ['/a', '/b']) {
    writer.reset({ path });
    writer.begin(1, 0, 1, 0, '');
    writer.body('');
    writer.end();
    expect(decodeRecordBlock(writer.drain()[0]!.bytes)[0]!.attributes).toEqual({ path });
  }
});

test('blocks have memory of their own, so that they can be transferred', () => {
  const writer = createRecordWriter(roomy);
  writer.reset({});
  writer.begin(1, 0, 1, 0, '');
  writer.body('first');
  writer.end();
  const [block] = writer.drain();
  writer.reset({});
  writer.begin(1, 0, 1, 0, '');
  writer.body('other');
  writer.end();
  writer.drain();
  expect(decodeRecordBlock(block!.bytes)[0]!.body).toBe('first');
  expect(block!.bytes.buffer.byteLength).toBe(block!.bytes.length);
});
