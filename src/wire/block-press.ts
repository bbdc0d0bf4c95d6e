import { crc32 } from 'node:zlib';
import type { Copy } from './deflate/deflater.ts';
import { threadDeflater } from './deflate/thread-deflater.ts';
import type { Press } from './record-writer.ts';

/** What is smaller is compressed with what travels beside it, which does it more good. */
const WORTH_IT_BYTES = 4 * 1024;
/** What of a block is looked at lies in the processor's cache. Leaves room for a record in a deflater's input. */
export const BLOCK_BYTES_MAX = 512 * 1024;

/**
 * Deflates blocks of records: once, here, so that they go through memory, disk and network at a tenth of their size.
 * Blocks lie in memory that `copy` gets for them; of their own by default.
 */
export function blockPress(copy?: Copy): Press {
  return {
    memory: () => threadDeflater().input,

    pressed({ count, bytes }) {
      if (bytes.length >= WORTH_IT_BYTES) {
        const deflated = threadDeflater().deflate(bytes, copy);
        if (deflated.length < bytes.length)
          return { count, bytes: deflated, deflated: { plainBytes: bytes.length, crc: crc32(bytes) } };
      }
      return { count, bytes: new Uint8Array(bytes) };
    },
  };
}
