import snappy from 'snappyjs';
import { expect, test } from 'vitest';
import { fc } from '../fuzz.ts';
import type { FlatSample } from '../../src/model/sample-set.ts';
import { ProtoWriter } from '../../src/wire/protobuf.ts';
import { RemoteWriteEncoder, decodeWriteRequest } from '../../src/wire/remote-write.ts';
import { uncompressBlock } from '../../src/wire/compression/snappy-block.ts';
import { WireError } from '../../src/wire/wire-error.ts';

const sample = (more: Partial<FlatSample>): FlatSample => ({
  name: 'up',
  type: 'gauge',
  labels: {},
  timeMs: 1_700_000_000_000,
  value: 1,
  stale: false,
  ...more,
});

test('samples of one series travel together, sorted by time, with sorted labels', () => {
  const labels = { zone: 'b', app: 'shop' };
  const encoder = new RemoteWriteEncoder({ host: 'h1', zone: 'ignored' });
  const { body, series, samples } = encoder.encode([
    sample({ labels, timeMs: 2000, value: 2 }),
    sample({ labels, timeMs: 1000 }),
  ]);
  expect({ series, samples }).toEqual({ series: 1, samples: 2 });
  const [decoded] = decodeWriteRequest(body);
  expect(Object.entries(decoded!.labels)).toEqual([
    ['__name__', 'up'],
    ['app', 'shop'],
    ['host', 'h1'],
    ['zone', 'b'],
  ]);
  expect([...decoded!.times]).toEqual([1000, 2000]);
  expect([...decoded!.values]).toEqual([1, 2]);
  expect(decoded!.stale).toBeUndefined();
});

test('a stale marker is 0x7ff0000000000002 on the wire, and an ordinary NaN is none', () => {
  const { body } = new RemoteWriteEncoder().encode([
    sample({ stale: true, value: NaN }),
    sample({ name: 'nan', value: NaN }),
  ]);
  const message = Buffer.from(uncompressBlock(body, 1 << 20));
  expect(message.includes(Buffer.from('09020000000000f07f', 'hex'))).toBe(true);
  const [stale, nan] = decodeWriteRequest(body);
  expect([...stale!.stale!]).toEqual([1]);
  expect(nan!.stale).toBeUndefined();
  expect(nan!.values[0]).toBeNaN();
});

test('names that the protocol forbids are left out and counted; empty values are no labels', () => {
  const { body, invalid, samples } = new RemoteWriteEncoder().encode([
    sample({ name: 'a-b' }),
    sample({ labels: { 'x.y': '1' } }),
    sample({ labels: { empty: '' } }),
    sample({ name: '' }),
  ]);
  expect({ invalid, samples }).toEqual({ invalid: 3, samples: 1 });
  expect(decodeWriteRequest(body).map(({ labels }) => labels)).toEqual([{ __name__: 'up' }]);
});

test.each([
  [
    'unsorted',
    [
      ['b', '1'],
      ['__name__', 'up'],
    ],
    /sorted and unique: __name__ comes after b/,
  ],
  [
    'repeated',
    [
      ['__name__', 'up'],
      ['a', '1'],
      ['a', '2'],
    ],
    /sorted and unique: a comes after a/,
  ],
  [
    'empty',
    [
      ['__name__', 'up'],
      ['a', ''],
    ],
    /label a is empty/,
  ],
  [
    'bad label name',
    [
      ['__name__', 'up'],
      ['a.b', '1'],
    ],
    /"a.b" is not valid/,
  ],
  ['nameless', [['a', '1']], /metric name "" is not valid/],
  ['bad metric name', [['__name__', 'a b']], /"a b" is not valid/],
])('a request with %s labels is refused', (_what, labels, message) => {
  const writer = new ProtoWriter();
  const series = writer.open(1);
  for (const [name, value] of labels) {
    const label = writer.open(1);
    writer.text(1, name!);
    writer.text(2, value!);
    writer.close(label);
  }
  writer.close(series);
  expect(() => decodeWriteRequest(snappy.compress(writer.copy()))).toThrow(message);
});

test('what snappyjs compresses comes back, whatever it is', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 3000 }),
    fc
      .tuple(fc.uint8Array({ minLength: 1, maxLength: 20 }), fc.integer({ min: 1, max: 9000 }))
      .map(([part, times]) => {
        const whole = new Uint8Array(part.length * times);
        for (let i = 0; i < whole.length; i++) whole[i] = part[i % part.length]!;
        return whole;
      }),
  );
  fc.assert(
    fc.property(bytes, (original) => {
      expect(Buffer.compare(uncompressBlock(snappy.compress(original), 1 << 20), original)).toBe(0);
    }),
  );
});

test('hostile blocks end in a WireError, also those that would send a decoder backwards', () => {
  const backwards = Uint8Array.from([0x10, 0xfc, 0xf0, 0xff, 0xff, 0xff, 1, 2, 3, 4]);
  expect(() => uncompressBlock(backwards, 1 << 20)).toThrow(WireError);
  expect(() => uncompressBlock(Uint8Array.from([0xff, 0xff, 0xff, 0xff, 0x0f]), 1 << 20)).toThrow(
    /at most 1048576/,
  );
  expect(() => uncompressBlock(Uint8Array.from([0x80, 0x80, 0x10, 0]), 1 << 20)).toThrow(/claims/);
  expect(() => uncompressBlock(new Uint8Array(0), 1 << 20)).toThrow(/no length/);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        decodeWriteRequest(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(WireError);
      }
    }),
    { numRuns: 1000 },
  );
});

test('a request with too many samples is refused', () => {
  const labels = {};
  const many = Array.from({ length: 20 }, (_, i) => sample({ labels, timeMs: i }));
  const { body } = new RemoteWriteEncoder().encode(many);
  expect(() => decodeWriteRequest(body, { maxBytes: 1 << 20, maxSamples: 19 })).toThrow(
    /more than 19 samples/,
  );
});

test('metadata of a request go to whoever asks for them', () => {
  const writer = new ProtoWriter(256);
  for (const [type, name] of [
    [1, 'requests_total'],
    [6, 'build_info'],
    [99, 'new'],
  ] as const) {
    const at = writer.open(3);
    writer.uint(1, type);
    writer.text(2, name);
    writer.text(4, 'What it is.');
    writer.text(5, 'bytes');
    writer.close(at);
  }
  const body = snappy.compress(writer.bytes.subarray(0, writer.length));
  const found: unknown[] = [];
  expect(decodeWriteRequest(body, undefined, (metadata) => void found.push(metadata))).toEqual([]);
  const rest = { help: 'What it is.', unit: 'bytes' };
  expect(found).toEqual([
    { name: 'requests_total', type: 'counter', ...rest },
    { name: 'build_info', type: 'info', ...rest },
    { name: 'new', type: 'unknown', ...rest },
  ]);
  expect(decodeWriteRequest(body)).toEqual([]);
});
