import { describe, expect, test } from 'vitest';
import { fc } from '../fuzz.ts';
import { assignBatches } from '../../src/buffer/assign-batches.ts';
import { CorruptEntry } from '../../src/buffer/corrupt-entry.ts';
import { decodeEntry, encodeEntry } from '../../src/buffer/entry-codec.ts';
import { decodeFrameHeader, encodeFrameHeader, FRAME_HEADER_BYTES } from '../../src/buffer/frame.ts';
import type { Entry } from '../../src/model/entry.ts';
import type { Slice } from '../../src/model/slice.ts';
import { crc32 } from 'node:zlib';
import { block, slice } from './fixtures.ts';

const LIMITS = { batchMaxBytes: 1000, batchMaxRecords: 10 };

function roundTrip(entry: Entry): Entry {
  const bytes = Buffer.concat(encodeEntry(entry, 5).parts);
  const header = decodeFrameHeader(bytes, 0);
  if (typeof header === 'string') throw new Error(header);
  return decodeEntry(header, bytes.subarray(FRAME_HEADER_BYTES), 'x.segment', 0);
}

const name = fc.string({ unit: 'binary', maxLength: 12 });
const count = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array));
const anySlice: fc.Arbitrary<Slice> = fc.record(
  {
    position: fc.record(
      {
        source: name,
        stream: count,
        path: name,
        realPath: name,
        device: name,
        inode: name,
        fingerprint: fc.record({ bytes: count, crc: count }),
        offset: count,
        anchor: fc.record({ bytes: count, crc: count }),
        parserState: name,
        familySinceMs: count,
        cameLater: fc.constant(true),
        finished: fc.constant(true),
      },
      { requiredKeys: ['source', 'stream', 'path', 'device', 'inode', 'fingerprint', 'offset', 'anchor'] },
    ),
    from: count,
    counts: fc.record(
      {
        lines: count,
        bytes: count,
        matched: count,
        unmatched: count,
        unmatchedBytes: count,
        filtered: count,
        filteredBytes: count,
        filteredBy: fc.dictionary(name, count, { noNullPrototype: true }),
        cutLines: count,
        cutBytes: count,
        invalid: count,
        badTimestamps: count,
        events: count,
      },
      {
        requiredKeys: [
          'lines',
          'bytes',
          'matched',
          'unmatched',
          'unmatchedBytes',
          'filtered',
          'filteredBytes',
          'cutLines',
          'cutBytes',
          'invalid',
          'badTimestamps',
          'events',
        ],
      },
    ),
    deltas: bytes,
    records: fc.array(
      fc.record(
        {
          count: fc.nat({ max: 20 }),
          bytes,
          deflated: fc.record({
            plainBytes: fc.integer({ min: 1, max: 2 ** 30 }),
            crc: fc.nat({ max: 2 ** 32 - 1 }),
          }),
        },
        { requiredKeys: ['count', 'bytes'] },
      ),
      { maxLength: 6 },
    ),
    labels: fc.dictionary(name, name, { noNullPrototype: true }),
    missed: fc.record({
      reason: fc.constantFrom('truncated' as const, 'deleted' as const),
      bytes: fc.nat().map((n) => n - 1),
    }),
  },
  { requiredKeys: ['position', 'from', 'counts', 'deltas', 'records', 'labels'] },
);

describe('entry codec', () => {
  test('a commit comes back as it was', () => {
    fc.assert(
      fc.property(fc.array(anySlice, { maxLength: 5 }), count, (slices, timeMs) => {
        const batches = assignBatches(slices, 3, LIMITS);
        const entry: Entry = { kind: 'commit', seq: 17, timeMs, slices, batches };
        expect(roundTrip(entry)).toEqual(entry);
      }),
    );
  });

  test('samples come back as they were', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), count, (otlp, points) => {
        const entry: Entry = { kind: 'samples', seq: 2, timeMs: 5, otlp: Buffer.from(otlp), points };
        expect(roundTrip(entry)).toEqual(entry);
      }),
    );
  });

  test('any payload decodes or is refused as corrupt with segment and offset', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.constantFrom('commit' as const, 'samples' as const),
        (noise, kind) => {
          expectEntryOrCorrupt(kind, Buffer.from(noise));
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('a payload with changed bytes and a checksum that fits decodes or is refused', () => {
    const entry: Entry = {
      kind: 'commit',
      seq: 1,
      timeMs: 1,
      slices: [slice(), slice({ lines: 3 })],
      batches: [],
    };
    const whole = { ...entry, batches: assignBatches(entry.slices, 1, LIMITS) };
    const good = Buffer.concat(encodeEntry(whole, 5).parts.slice(1));
    fc.assert(
      fc.property(
        fc.nat({ max: good.length - 1 }),
        fc.nat({ max: 255 }),
        fc.nat({ max: good.length }),
        (at, value, length) => {
          const bad = Buffer.from(good.subarray(0, length));
          if (at < bad.length) bad[at] = value;
          expectEntryOrCorrupt('commit', bad);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('a count that promises more than follows allocates nothing', () => {
    const payload = Buffer.from([1, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]);
    expect(() => decode('commit', payload)).toThrow('exceeds what follows');
  });

  test('samples that would inflate beyond what they announce are refused', () => {
    const entry: Entry = { kind: 'samples', seq: 1, timeMs: 1, points: 1, otlp: Buffer.alloc(1 << 20) };
    const payload = Buffer.concat(encodeEntry(entry, 1).parts.slice(1));
    // time, points, then the length as three bytes of varint: announce 16 bytes instead.
    const crafted = Buffer.concat([payload.subarray(0, 2), Buffer.from([16]), payload.subarray(5)]);
    expect(() => decode('samples', crafted)).toThrow(CorruptEntry);
  });

  test('a changed byte in the payload is seen by the checksum', () => {
    const entry: Entry = { kind: 'samples', seq: 1, timeMs: 1, otlp: Buffer.from('hello'), points: 1 };
    const frame = Buffer.concat(encodeEntry(entry, 1).parts);
    const header = decodeFrameHeader(frame, 0);
    if (typeof header === 'string') throw new Error(header);
    const payload = frame.subarray(FRAME_HEADER_BYTES);
    payload[3]! ^= 1;
    expect(() => decodeEntry(header, payload, 'a.segment', 99)).toThrow(
      expect.objectContaining({ segment: 'a.segment', offset: 99, reason: 'entry checksum differs' }),
    );
  });

  test('any 40 bytes are a header or a reason', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat({ max: 60 }), (noise, at) => {
        expect(['string', 'object']).toContain(typeof decodeFrameHeader(Buffer.from(noise), at));
      }),
    );
  });
});

describe('assignBatches', () => {
  test('keeps blocks in order, whole, and within the limits unless one block is larger', () => {
    const sizes = fc.array(fc.tuple(fc.integer({ min: 1, max: 15 }), fc.integer({ min: 1, max: 1500 })), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(fc.array(sizes, { maxLength: 4 }), (groups) => {
        const slices = groups.map((sizes) =>
          slice({ records: sizes.map(([n, length]) => block(n, length)) }),
        );
        const batches = assignBatches(slices, 10, LIMITS);
        expect(batches.map((batch) => batch.number)).toEqual(batches.map((_, index) => 10 + index));
        const dealt = batches.map((batch) => batch.parts.flatMap((part) => part.blocks));
        expect(dealt.flat()).toEqual(slices.flatMap((one) => one.records));
        for (const blocks of dealt) {
          const total = blocks.reduce((sum, each) => sum + each.bytes.length, 0);
          const records = blocks.reduce((sum, each) => sum + each.count, 0);
          expect(blocks.length === 1 || (total <= 1000 && records <= 10)).toBe(true);
        }
      }),
    );
  });

  test('a part carries source, path and labels of its slice', () => {
    const [batch] = assignBatches([slice(), slice({ labels: { service: 'till' } })], 1, LIMITS);
    expect(batch!.parts.map(({ source, path, labels }) => ({ source, path, labels }))).toEqual([
      { source: 'web', path: '/var/log/web.log', labels: { service: 'shop' } },
      { source: 'web', path: '/var/log/web.log', labels: { service: 'till' } },
    ]);
  });
});

function decode(kind: 'commit' | 'samples', payload: Buffer): Entry {
  const crcs = { payloadCrc: crc32(payload), tableCrc: 7 };
  const header = { kind, seq: 1, nextBatch: 1, payloadBytes: payload.length, ...crcs };
  expect(decodeFrameHeader(encodeFrameHeader(header), 0)).toEqual(header);
  return decodeEntry(header, payload, 'x.segment', 24);
}

function expectEntryOrCorrupt(kind: 'commit' | 'samples', payload: Buffer): void {
  try {
    expect(decode(kind, payload).kind).toBe(kind);
  } catch (error) {
    expect(error).toBeInstanceOf(CorruptEntry);
    expect(error).toMatchObject({ segment: 'x.segment', offset: 24 });
  }
}
