import { expect, test } from 'vitest';
import { fc } from '../fuzz.ts';
import { decodeLogsJson, logsJsonPieces } from '../../src/wire/otlp-logs-json.ts';
import {
  decodeLogsRequest,
  decodeRecordBlock,
  encodeLogsRequest,
  totalLength,
} from '../../src/wire/otlp-logs.ts';
import type { RecordGroup } from '../../src/wire/otlp-logs.ts';
import { ProtoWriter } from '../../src/wire/protobuf.ts';
import { createRecordWriter } from '../../src/wire/record-writer.ts';
import { WireError } from '../../src/wire/wire-error.ts';

const scope = { name: 'taffrail', version: '0.1.0' };

function blockOf(...bodies: string[]): Uint8Array {
  const writer = createRecordWriter({ maxBlockBytes: 1 << 20, maxBlockRecords: 1000 });
  writer.reset({ 'log.file.path': '/var/log/a.log' });
  for (const body of bodies) {
    writer.begin(1_700_000_000_000, 5, 1_700_000_000_001, 9, 'INFO');
    writer.attribute(writer.key('n'), bodies.indexOf(body));
    writer.attribute(writer.key('share'), 0.5);
    writer.attribute(writer.key('ok'), false);
    writer.body(body);
    writer.end();
  }
  return writer.drain()[0]!.bytes;
}

/** The request whole; each piece is overwritten by the next. */
function encodeLogsJson(given: readonly RecordGroup[]): Buffer {
  const stored = given.map((group) => ({
    ...group,
    blocks: group.blocks.map((bytes) => ({ bytes, count: decodeRecordBlock(bytes).length })),
  }));
  return Buffer.concat(Array.from(logsJsonPieces(stored), (piece) => Buffer.from(piece)));
}

const groups: RecordGroup[] = [
  {
    resource: { 'host.name': 'h1', source: 'web' },
    scope,
    blocks: [blockOf('one', 'two'), blockOf('drei ⛵')],
  },
  { resource: { 'host.name': 'h1', source: 'db' }, scope, blocks: [blockOf('four')] },
];

test('blocks go into a request unchanged and uncopied, and come back in order under their resources', () => {
  const pieces = encodeLogsRequest(groups);
  for (const block of groups.flatMap(({ blocks }) => blocks)) expect(pieces).toContain(block);
  const whole = Buffer.concat(pieces);
  expect(totalLength(pieces)).toBe(whole.length);
  const decoded = decodeLogsRequest(whole);
  expect(
    decoded.map((group) => [group.resource, group.scope, group.records.map(({ body }) => body)]),
  ).toEqual([
    [{ 'host.name': 'h1', source: 'web' }, scope, ['one', 'two', 'drei ⛵']],
    [{ 'host.name': 'h1', source: 'db' }, scope, ['four']],
  ]);
});

test('JSON carries the same records as protobuf', () => {
  const json = encodeLogsJson(groups);
  expect(decodeLogsJson(json)).toEqual(decodeLogsRequest(Buffer.concat(encodeLogsRequest(groups))));
  expect(JSON.parse(json.toString()).resourceLogs[0].scopeLogs[0].logRecords[0]).toEqual({
    timeUnixNano: '1700000000000000005',
    observedTimeUnixNano: '1700000000001000000',
    severityNumber: 9,
    severityText: 'INFO',
    body: { stringValue: 'one' },
    attributes: [
      { key: 'log.file.path', value: { stringValue: '/var/log/a.log' } },
      { key: 'n', value: { intValue: '0' } },
      { key: 'share', value: { doubleValue: 0.5 } },
      { key: 'ok', value: { boolValue: false } },
    ],
  });
});

test('JSON is the same whatever the records hold', () => {
  const value = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.double(),
    fc.integer(),
    fc.nat({ max: 300 }),
    fc.tuple(fc.nat({ max: 1e8 }), fc.nat({ max: 7 })).map(([digits, decimals]) => digits / 10 ** decimals),
    fc.boolean(),
    fc.constant(-0),
  );
  const record = fc.record({
    timeMs: fc.integer({ min: 0, max: 4e12 }),
    nanos: fc.integer({ min: 0, max: 999_999 }),
    severity: fc.integer({ min: 0, max: 24 }),
    text: fc.string({ maxLength: 8 }),
    attributes: fc.uniqueArray(fc.tuple(fc.string({ unit: 'binary', maxLength: 90 }), value), {
      maxLength: 6,
      selector: ([key]) => key,
    }),
    body: fc.string({ unit: 'binary', maxLength: 700 }),
  });
  fc.assert(
    fc.property(fc.array(fc.array(record, { maxLength: 4 }), { maxLength: 3 }), (blocks) => {
      const written = blocks.flatMap((records) => {
        const writer = createRecordWriter({ maxBlockBytes: 1 << 20, maxBlockRecords: 1000 });
        writer.reset({});
        for (const one of records) {
          writer.begin(one.timeMs, one.nanos, 5, one.severity, one.text);
          for (const [key, any] of one.attributes) writer.attribute(writer.key(key), any);
          writer.body(one.body);
          writer.end();
        }
        return writer.drain().map(({ bytes }) => bytes);
      });
      const group = { resource: { a: 'b' }, scope, blocks: written };
      const json = encodeLogsJson([group]);
      expect(decodeLogsJson(json)).toEqual(decodeLogsRequest(Buffer.concat(encodeLogsRequest([group]))));
      // Numbers and texts as JavaScript writes them.
      const text = json.toString();
      expect(JSON.stringify(JSON.parse(text))).toBe(text.replaceAll(/-0\.0(?!\d)/g, '0'));
    }),
  );
});

test('JSON may take many times the room of what it is made of', () => {
  const writer = createRecordWriter({ maxBlockBytes: 1 << 20, maxBlockRecords: 1000 });
  writer.reset({});
  const bodies = [0, 15, 16, 17, 200, 16_000, 16_300, 16_400, 30_000, 90_000].flatMap((length) => [
    '\u001F'.repeat(length),
    'a"\\\n'.repeat(length / 4),
  ]);
  for (const body of bodies) {
    writer.begin(1, 0, 1, 0, body.slice(0, 40));
    if (body.length === 17) writer.attribute(writer.key('tiny'), 1e-7);
    writer.body(body);
    writer.end();
  }
  const blocks = writer.drain().map(({ bytes }) => bytes);
  const text = encodeLogsJson([{ resource: {}, scope, blocks }]).toString();
  expect(JSON.stringify(JSON.parse(text))).toBe(text);
  expect(decodeLogsJson(Buffer.from(text))[0]!.records.map(({ body }) => body)).toEqual(bodies);
});

test('JSON of records that another writer made carries what they hold', () => {
  const writer = new ProtoWriter();
  const start = writer.open(2);
  writer.blob(9, new Uint8Array(16).fill(7));
  writer.close(start);
  const foreign = { resource: {}, scope, blocks: [blockOf('one'), writer.copy(), blockOf('two')] };
  const [decoded] = decodeLogsJson(encodeLogsJson([foreign]));
  expect(decoded!.records.map(({ body, traceId }) => [body, traceId])).toEqual([
    ['one', ''],
    [null, '07'.repeat(16)],
    ['two', ''],
  ]);
});

test('JSON numbers may be written as numbers or strings', () => {
  const decode = (record: object): unknown =>
    decodeLogsJson(
      Buffer.from(JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: [record] }] }] })),
    )[0]!.records[0];
  expect(decode({ timeUnixNano: 1_700_000_000_000_000_000, severityNumber: '9' })).toMatchObject({
    timeMs: 1_700_000_000_000,
    severity: 9,
  });
  const value = (any: object): unknown => (decode({ body: any }) as { body: unknown }).body;
  expect(value({ intValue: '9223372036854775807' })).toBe('9223372036854775807');
  expect(value({ intValue: 5 })).toBe(5);
  expect(value({ doubleValue: 'NaN' })).toBeNaN();
  expect(value({ bytesValue: 'AQI=' })).toBe('AQI=');
  expect(value({ kvlistValue: { values: [{ key: '__proto__', value: { stringValue: 'x' } }] } })).toEqual(
    Object.fromEntries([['__proto__', 'x']]),
  );
});

test.each([
  ['not JSON', '{"resourceLogs": [', /^not JSON/],
  ['an array', '[]', /the request: expected an object, got \[\]/],
  ['logs that are no array', '{"resourceLogs": 3}', /resourceLogs: expected an array, got 3/],
  [
    'a short trace id',
    '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"traceId":"abc"}]}]}]}',
    /resourceLogs\[0\]\.scopeLogs\[0\]\.logRecords\[0\]\.traceId: expected 32 hexadecimal digits, got "abc"/,
  ],
  [
    'a time in words',
    '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"now"}]}]}]}',
    /timeUnixNano: expected nanoseconds since 1970, got "now"/,
  ],
])('the error for %s says what and where', (_what, json, message) => {
  expect(() => decodeLogsJson(Buffer.from(json))).toThrow(message);
});

test('int64 beyond 2^53 keeps its digits, bytes become base64, an unknown field is passed over', () => {
  const writer = new ProtoWriter();
  const record = writer.open(2);
  writer.uint(99, 7);
  const body = writer.open(5);
  const list = writer.open(5);
  for (const write of [
    (): void => writer.int64(3, -5),
    (): void => {
      writer.tag(3, 0);
      writer.raw(Buffer.from('ffffffffffffffff7f', 'hex'));
    },
    (): void => writer.blob(7, Uint8Array.from([1, 2])),
  ]) {
    const value = writer.open(1);
    write();
    writer.close(value);
  }
  writer.close(list);
  writer.close(body);
  writer.close(record);
  expect(decodeRecordBlock(writer.copy())[0]!.body).toEqual([-5, '9223372036854775807', 'AQI=']);
});

test('values nested without end are refused, not followed', () => {
  let nested: Uint8Array = new Uint8Array(0);
  for (let i = 0; i < 100; i++) {
    const writer = new ProtoWriter();
    const list = writer.open(5);
    writer.blob(1, nested);
    writer.close(list);
    nested = writer.copy();
  }
  const writer = new ProtoWriter();
  const record = writer.open(2);
  writer.blob(5, nested);
  writer.close(record);
  expect(() => decodeRecordBlock(writer.copy())).toThrow(/nested deeper than 12 at byte \d+/);
});

test('a request of very many empty records is refused', () => {
  const records = Buffer.alloc(2 * 600_000, Buffer.from([0x12, 0]));
  const pieces = encodeLogsRequest([{ resource: {}, scope, blocks: [records] }]);
  expect(() => decodeLogsRequest(Buffer.concat(pieces))).toThrow(/more than 500000 records/);
});

test('damage of any kind ends in a WireError or in records, never in another error', () => {
  const whole = Buffer.concat(encodeLogsRequest(groups));
  const damage = fc.record({
    at: fc.nat(whole.length - 1),
    byte: fc.nat(255),
    cut: fc.option(fc.nat(whole.length), { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(damage, { minLength: 1, maxLength: 4 }), (damages) => {
      let bytes = Buffer.from(whole);
      for (const { at, byte, cut } of damages) {
        if (at < bytes.length) bytes[at] = byte;
        if (cut !== undefined) bytes = bytes.subarray(0, cut);
      }
      try {
        decodeLogsRequest(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(WireError);
        expect((error as WireError).offset).toBeGreaterThanOrEqual(0);
      }
    }),
    { numRuns: 2000 },
  );
});

test('any JSON ends in a WireError or in records', () => {
  const keys = fc.constantFrom(
    'resourceLogs',
    'resource',
    'attributes',
    'scopeLogs',
    'logRecords',
    'body',
    'stringValue',
    'key',
    'value',
    'traceId',
  );
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 8 },
      fc.constantFrom(null, 1, 'x', true, ''),
      fc.array(tie('tree'), { maxLength: 2 }),
      fc.dictionary(keys, tie('tree'), { maxKeys: 3 }),
    ),
  }));
  fc.assert(
    fc.property(tree, (value) => {
      try {
        decodeLogsJson(Buffer.from(JSON.stringify(value)));
      } catch (error) {
        expect(error).toBeInstanceOf(WireError);
      }
    }),
    { numRuns: 1000 },
  );
});
