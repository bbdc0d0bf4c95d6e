import type { Batch } from '../model/entry.ts';
import { plainBytesOf, type Slice } from '../model/slice.ts';
import { cutBatches } from './commit-codec.ts';

export interface BatchLimits {
  readonly batchMaxBytes: number;
  readonly batchMaxRecords: number;
}

/** Many servers and proxies refuse a body of more than 1 MiB, and what is refused for its size is lost. */
const SENT_BYTES = 768 * 1024;
/** Records that do not become this much smaller are unusual. */
const LEAST_RATIO = 6;

/**
 * Cuts the records of a commit into batches: in order, greedily, never splitting a block. Where they compress badly
 * batches are smaller than `batchMaxBytes`.
 */
export function assignBatches(slices: readonly Slice[], firstBatch: number, limits: BatchLimits): Batch[] {
  const blockCounts: number[] = [];
  let blocks = 0;
  let bytes = 0;
  let sent = 0;
  let records = 0;
  const sentMax = Math.max(SENT_BYTES, limits.batchMaxBytes / LEAST_RATIO);
  for (const block of slices.flatMap((slice) => slice.records)) {
    const size = plainBytesOf(block);
    const over =
      bytes + size > limits.batchMaxBytes ||
      sent + block.bytes.length > sentMax ||
      records + block.count > limits.batchMaxRecords;
    if (blocks > 0 && over) {
      blockCounts.push(blocks);
      blocks = bytes = sent = records = 0;
    }
    blocks++;
    bytes += size;
    sent += block.bytes.length;
    records += block.count;
  }
  if (blocks > 0) blockCounts.push(blocks);
  return cutBatches(slices, firstBatch, blockCounts);
}
