import { expect, test } from 'vitest';
import { assignBatches } from '../../src/buffer/assign-batches.ts';
import type { RecordBlock } from '../../src/model/slice.ts';
import { slice } from './fixtures.ts';

const KIB = 1024;
const LIMITS = { batchMaxBytes: 4096 * KIB, batchMaxRecords: 8192 };

function deflated(plainKib: number, sentKib: number, count = 100): RecordBlock {
  return {
    count,
    bytes: new Uint8Array(sentKib * KIB),
    deflated: { plainBytes: plainKib * KIB, crc: 0 },
  };
}

/** How many blocks each batch has. */
function cut(blocks: readonly RecordBlock[], limits = LIMITS): number[] {
  const batches = assignBatches([slice({ records: blocks })], 1, limits);
  return batches.map(({ parts }) => parts.reduce((sum, part) => sum + part.blocks.length, 0));
}

test('a batch is full at its bytes before compression, or at its records', () => {
  expect(cut(Array.from({ length: 9 }, () => deflated(1024, 100)))).toEqual([4, 4, 1]);
  expect(cut(Array.from({ length: 5 }, () => deflated(10, 1, 4096)))).toEqual([2, 2, 1]);
});

test('what compresses badly goes in smaller batches, which receivers of at most 1 MiB take', () => {
  expect(cut(Array.from({ length: 5 }, () => deflated(512, 300)))).toEqual([2, 2, 1]);
  expect(cut(Array.from({ length: 3 }, () => ({ count: 1, bytes: new Uint8Array(500 * KIB) })))).toEqual([
    1, 1, 1,
  ]);
});

test('who asks for larger requests gets them', () => {
  const limits = { ...LIMITS, batchMaxBytes: 12 * 1024 * KIB };
  expect(
    cut(
      Array.from({ length: 9 }, () => deflated(1024, 300)),
      limits,
    ),
  ).toEqual([6, 3]);
});

test('a block is never split', () => {
  expect(cut([deflated(8192, 1500), deflated(10, 1)])).toEqual([1, 1]);
});
