import type { Batch } from '../model/entry.ts';
import { plainBytesOf, type Slice } from '../model/slice.ts';
import { cutBatches } from './commit-codec.ts';

export interface BatchLimits {
  readonly batchMaxBytes: number;
  readonly batchMaxRecords: number;
}

/** Cuts the records of a commit into batches: in order, greedily, never splitting a block. */
export function assignBatches(slices: readonly Slice[], firstBatch: number, limits: BatchLimits): Batch[] {
  const blockCounts: number[] = [];
  let blocks = 0;
  let bytes = 0;
  let records = 0;
  for (const block of slices.flatMap((slice) => slice.records)) {
    const size = plainBytesOf(block);
    const over = bytes + size > limits.batchMaxBytes || records + block.count > limits.batchMaxRecords;
    if (blocks > 0 && over) {
      blockCounts.push(blocks);
      blocks = bytes = records = 0;
    }
    blocks++;
    bytes += size;
    records += block.count;
  }
  if (blocks > 0) blockCounts.push(blocks);
  return cutBatches(slices, firstBatch, blockCounts);
}
