import { expect, test } from 'vitest';
import { fc } from '../../fuzz.ts';
import { decompressBlock } from '../../../src/collect/store/record-block.ts';
import { readRecordBatch } from '../../../src/collect/store/record-batch.ts';
import { decodeRecordBlock } from '../../../src/wire/otlp-logs.ts';
import { WireError } from '../../../src/wire/wire-error.ts';
import { logsRequest } from '../requests.ts';

const HOUR = 3_600_000;

test('records of several hours are sorted into a block for each, in their order', () => {
  const times = [0, 10, HOUR, 20, HOUR + 1, 2 * HOUR].map((ms) => 1_699_999_200_000 + ms);
  const records = times.map((timeMs, i) => ({ timeMs, body: `r${i}` }));
  const { streams, records: total } = readRecordBatch(logsRequest({ 'taffrail.source': 'web' }, records), 0);
  expect(total).toBe(6);
  const blocks = streams[0]!.blocks.map(({ encoding, bytes }) =>
    decodeRecordBlock(decompressBlock(encoding, bytes)).map(({ body }) => body),
  );
  expect(blocks).toEqual([['r0', 'r1', 'r3'], ['r2', 'r4'], ['r5']]);
  expect(streams[0]!.blocks.every(({ minMs, maxMs }) => maxMs - minMs < HOUR)).toBe(true);
});

test('a large request is cut into blocks that can be read one at a time', () => {
  const records = Array.from({ length: 5000 }, (_, i) => ({
    timeMs: 1_700_000_000_000,
    body: `${i} `.repeat(40),
  }));
  const { streams } = readRecordBatch(logsRequest({}, records), 0);
  const bodies = streams[0]!.blocks.flatMap(({ encoding, bytes }) =>
    decodeRecordBlock(decompressBlock(encoding, bytes)).map(({ body }) => body),
  );
  expect(streams[0]!.blocks.length).toBeGreaterThan(2);
  expect(bodies).toEqual(records.map(({ body }) => body));
});

/** A request with some of its bytes spoilt, cut or doubled. */
const damaged = fc
  .tuple(fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 8 }), fc.nat(), fc.boolean())
  .map(([changes, cut, doubled]) => {
    const whole = Buffer.from(
      logsRequest({ a: 'b' }, [{ timeMs: 1_700_000_000_000, body: 'hello', attributes: { n: 1, s: 'x' } }]),
    );
    for (const [at, byte] of changes) whole[at % whole.length] = byte;
    const part = cut % 3 === 0 ? whole.subarray(0, cut % whole.length) : whole;
    return doubled ? Buffer.concat([part, part]) : part;
  });

test('whatever bytes come, they are refused with a reason or can be read back later', () => {
  fc.assert(
    fc.property(fc.oneof(damaged, fc.uint8Array({ maxLength: 200 })), (bytes) => {
      let batch;
      try {
        batch = readRecordBatch(bytes, 1000);
      } catch (error) {
        expect(error).toBeInstanceOf(WireError);
        return;
      }
      const decoded = batch.streams.flatMap(({ blocks }) =>
        blocks.flatMap((block) => decodeRecordBlock(decompressBlock(block.encoding, block.bytes))),
      );
      expect(decoded).toHaveLength(batch.records);
    }),
    { numRuns: 2000 },
  );
});
