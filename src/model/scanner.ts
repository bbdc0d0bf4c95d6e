import type { Chunk } from './chunk.ts';
import type { Fragment } from './slice.ts';

/** A pack and the use made of it, compiled. Pure but for what it keeps between chunks of one call to the next (caches). */
export interface Scanner {
  scan(chunk: Chunk): Fragment;
}
