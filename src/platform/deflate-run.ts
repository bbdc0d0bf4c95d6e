import { promisify } from 'node:util';
import { constants, deflateRaw } from 'node:zlib';

const deflateRawAsync = promisify(deflateRaw);

/** Each piece of output costs a turn of the event loop, and memory for all of it at once is let go again. */
const CHUNK_MIN = 1024;
const CHUNK_MAX = 64 * 1024;

/**
 * Raw deflate, level 1, on the thread pool. The stream is flushed and not ended, so that what is made of several runs
 * can be put one after the other, and each has memory of its own, no more than it needs.
 */
export async function deflateRun(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await deflateRawAsync(bytes, optionsFor(bytes)));
}

function optionsFor(bytes: Uint8Array): { level: number; finishFlush: number; chunkSize: number } {
  const chunkSize = Math.min(CHUNK_MAX, Math.max(CHUNK_MIN, bytes.length));
  return { level: 1, finishFlush: constants.Z_SYNC_FLUSH, chunkSize };
}
