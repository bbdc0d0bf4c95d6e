import { expect, test } from 'vitest';
import type { Batch } from '../../src/model/entry.ts';
import type { RecordBlock } from '../../src/model/slice.ts';
import { cutBatch, halvesOf, type Piece } from '../../src/sinks/cut-batch.ts';
import { plainRecords } from '../../src/wire/deflated-block.ts';
import { deflatedPiece } from '../../src/wire/gzip-body.ts';
import { decodeRecordBlock } from '../../src/wire/otlp-logs.ts';
import { fc } from '../fuzz.ts';
import { recordBlock } from './fixtures.ts';

function bodies({ parts }: Batch): unknown[] {
  return parts.flatMap(({ blocks }) =>
    blocks.flatMap((block) => {
      const records = decodeRecordBlock(plainRecords(block));
      expect(records).toHaveLength(block.count);
      return records.map(({ body }) => body);
    }),
  );
}

function deflated(block: RecordBlock): RecordBlock {
  return { count: block.count, ...deflatedPiece(plainRecords(block)) };
}

test('pieces hold each record once and in order, however often they are cut, whatever the blocks are', () => {
  const sizes = fc.array(
    fc.record({
      count: fc.integer({ min: 1, max: 9 }),
      packed: fc.boolean(),
      source: fc.constantFrom('a', 'b'),
    }),
    {
      minLength: 1,
      maxLength: 6,
    },
  );
  fc.assert(
    fc.property(sizes, fc.integer({ min: 1, max: 12 }), (blocks, most) => {
      let line = 0;
      const parts = blocks.map(({ count, packed, source }) => {
        const block = recordBlock(
          Array.from({ length: count }, () => `line ${line++}`),
          `/var/log/${source}.log`,
        );
        return { source, path: '', labels: {}, blocks: [packed ? deflated(block) : block] };
      });
      const batch: Batch = { number: 7, parts };
      const pieces: Piece[] = [{ part: 1, first: 0, last: line - 1 }];
      const seen = new Set<number>();
      const found: unknown[] = [];
      for (let piece = pieces.shift(); piece !== undefined; piece = pieces.shift()) {
        expect(seen.has(piece.part)).toBe(false);
        seen.add(piece.part);
        if (piece.last - piece.first >= most) pieces.unshift(...halvesOf(piece));
        else found.push(...bodies(cutBatch(batch, piece)));
      }
      expect(found).toEqual(Array.from({ length: line }, (_, i) => `line ${i}`));
    }),
    { numRuns: 60 },
  );
});

test('a part keeps its source, file and labels, and whole blocks as they are', () => {
  const one = recordBlock(['a', 'b'], '/x');
  const two = recordBlock(['c', 'd'], '/y');
  const labels = { service: 'shop' };
  const batch: Batch = {
    number: 1,
    parts: [
      { source: 'x', path: '/x', labels, blocks: [one] },
      { source: 'y', path: '/y', labels: {}, blocks: [two] },
    ],
  };
  const cut = cutBatch(batch, { part: 2, first: 0, last: 2 });
  expect(cut.parts.map(({ source, path, labels: own }) => [source, path, own])).toEqual([
    ['x', '/x', labels],
    ['y', '/y', {}],
  ]);
  expect(cut.parts[0]!.blocks[0]).toBe(one);
  expect(cutBatch(batch, { part: 3, first: 3, last: 3 }).parts).toHaveLength(1);
});
