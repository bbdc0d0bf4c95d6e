import type { Batch, BatchPart } from '../model/entry.ts';
import type { RecordBlock } from '../model/slice.ts';
import { plainRecords } from '../wire/deflated-block.ts';
import { ProtoReader } from '../wire/protobuf.ts';

/** Some consecutive records of a batch: `first` to `last`, from 0. Part 1 is the whole, its halves are 2 and 3, and so on. */
export interface Piece {
  readonly part: number;
  readonly first: number;
  readonly last: number;
}

/** It depends on nothing but the piece, so that a batch is cut alike after a crash. */
export function halvesOf({ part, first, last }: Piece): readonly [Piece, Piece] {
  const middle = Math.floor((first + last) / 2);
  return [
    { part: 2 * part, first, last: middle },
    { part: 2 * part + 1, first: middle + 1, last },
  ];
}

/** The piece as a batch of its own. Throws WireError where a block cannot be read. */
export function cutBatch(batch: Batch, { first, last }: Piece): Batch {
  let at = 0;
  const parts: BatchPart[] = [];
  for (const part of batch.parts) {
    const blocks: RecordBlock[] = [];
    for (const block of part.blocks) {
      const from = Math.max(first - at, 0);
      const to = Math.min(last + 1 - at, block.count);
      if (from < to) blocks.push(from === 0 && to === block.count ? block : cutBlock(block, from, to));
      at += block.count;
    }
    if (blocks.length > 0) parts.push({ ...part, blocks });
  }
  return { ...batch, parts };
}

/** Its records from `from` up to and without `to`. */
function cutBlock(block: RecordBlock, from: number, to: number): RecordBlock {
  const plain = plainRecords(block);
  const reader = new ProtoReader(plain);
  let start = 0;
  for (let index = 0; index < to; index++) {
    if (index === from) start = reader.at;
    if (!reader.next()) break;
    reader.skip();
  }
  return { count: to - from, bytes: plain.subarray(start, reader.at) };
}
