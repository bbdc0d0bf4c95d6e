import { appendSample, type ChunkCursor, resetCursor, SAMPLE_BYTES_MAX } from './chunk-codec.ts';
import type { EncodedChunk } from './chunk-store.ts';
import type { SampleColumns } from './sample-columns.ts';

const CHUNK_SAMPLES = 240;

/** The first `count` samples, which are in the order of time, as chunks. */
export function encodeChunks(
  { times, values, stale }: SampleColumns,
  count: number,
): readonly EncodedChunk[] {
  const chunks: EncodedChunk[] = [];
  const cursor: ChunkCursor = { time: 0, step: 0, whole: 0, scale: 0 };
  for (let from = 0; from < count; from += CHUNK_SAMPLES) {
    const to = Math.min(count, from + CHUNK_SAMPLES);
    const bytes = new Uint8Array((to - from) * SAMPLE_BYTES_MAX);
    resetCursor(cursor, times[from]!);
    let length = 0;
    for (let i = from; i < to; i++)
      length = appendSample(bytes, length, cursor, times[i]!, values[i]!, stale[i] === 1);
    chunks.push({ firstMs: times[from]!, lastMs: times[to - 1]!, count: to - from, bytes, length });
  }
  return chunks;
}
