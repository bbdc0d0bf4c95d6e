import { decodeSamples } from './chunk-codec.ts';
import type { EncodedChunk } from './chunk-store.ts';
import { encodeChunks } from './encode-chunks.ts';
import { orderSamples } from './order-samples.ts';
import { sampleColumns } from './sample-columns.ts';

/** Chunks of one series in the order in which they were written, as chunks in the order of time; a later one's samples win. */
export function joinChunks(chunks: readonly EncodedChunk[]): readonly EncodedChunk[] {
  const inTime = chunks.toSorted((a, b) => a.firstMs - b.firstMs);
  if (inTime.every((chunk, i) => i === 0 || inTime[i - 1]!.lastMs < chunk.firstMs)) return inTime;
  const total = chunks.reduce((sum, { count }) => sum + count, 0);
  const samples = sampleColumns(total);
  let at = 0;
  for (const { bytes, count, firstMs } of chunks) {
    decodeSamples(bytes, 0, count, firstMs, samples, at);
    at += count;
  }
  return encodeChunks(samples, orderSamples(samples, 0, total));
}
