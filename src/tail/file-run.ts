import type { Chunk } from '../model/chunk.ts';
import type { PathAttributes } from '../model/container-path.ts';
import type { Anchor } from '../model/position.ts';
import { readAtOnce } from '../platform/files.ts';
import type { BufferPool } from './buffer-pool.ts';
import type { Content } from './content.ts';
import { NO_FINGERPRINT } from './fingerprint.ts';
import { type Place, readLines } from './line-reader.ts';
import { encodingOf } from './text-encoding.ts';

/** What it takes to read on where a chunk ended, on whichever thread. */
export interface RunPlan {
  readonly source: string;
  readonly stream: number;
  readonly path: string;
  readonly attributes?: PathAttributes | undefined;
  readonly descriptor: number;
  /** The end of the chunk, and what stands before it. */
  readonly offset: number;
  readonly anchor: Anchor;
  readonly blockBytes: number;
  readonly maxLineBytes: number;
}

/** A block that was read so, once its lines are scanned: from where to where. */
export interface RunBlock {
  readonly from: number;
  readonly to: number;
  /** At `to`. */
  readonly anchor: Anchor;
  /** See Block. */
  readonly more: boolean;
}

/** What became of a chunk, as far as reading goes. */
interface Scanned {
  readonly consumed: number;
  readonly parserState?: string;
}

/** Whether what follows the chunk can do without it. */
export function leavesNothing(chunk: Chunk, consumed: number, parserState: string | undefined): boolean {
  return consumed === chunk.bytes.length && parserState === undefined;
}

/**
 * Reads and scans the blocks that follow a chunk, one after another. Where anything is not as in the middle of a file it
 * gives nothing more, and whoever owns the file's place reads on there: at the file's end, at content that was replaced,
 * at lines that the parser wants to see again, at an error.
 */
export class FileRun {
  readonly #plan: RunPlan;
  readonly #pool: BufferPool;
  readonly #content: Pick<Content, 'read'>;
  #place: Place | undefined;

  constructor(plan: RunPlan, pool: BufferPool) {
    const { descriptor, offset, anchor } = plan;
    this.#plan = plan;
    this.#pool = pool;
    this.#content = { read: async (...target) => readAtOnce('tail', descriptor, ...target) };
    this.#place = placeAt(offset, anchor);
  }

  /** The chunk's bytes are the scanner's only until it returns. */
  async next<T extends Scanned>(
    scan: (chunk: Chunk) => T,
  ): Promise<{ readonly block: RunBlock; readonly scanned: T } | undefined> {
    const place = this.#place;
    this.#place = undefined;
    if (place === undefined) return undefined;
    const { source, stream, path, attributes, blockBytes, maxLineBytes } = this.#plan;
    const options = { blockBytes, maxLineBytes, encoding: UTF8, pool: this.#pool, finishing: false };
    const outcome = await readLines(this.#content, place, options);
    if (outcome.kind !== 'lines') return undefined;
    const { raw, start, end, from, to, cutBytes, cutLines, anchor, more, pooled } = outcome.block;
    try {
      const bytes = raw.subarray(start, end);
      const chunk = { source, stream, path, attributes, bytes, from, cutBytes, cutLines, to, flush: false };
      const read = { ...chunk, readAtMs: Date.now() };
      const scanned = scan(read);
      if (!leavesNothing(read, scanned.consumed, scanned.parserState)) return undefined;
      if (more) this.#place = placeAt(to, anchor);
      return { block: { from, to, anchor, more }, scanned };
    } finally {
      if (pooled) this.#pool.give(raw);
    }
  }
}

/** Files that are read as they are. */
const UTF8 = encodingOf('utf-8', Buffer.alloc(0));

/** Never the beginning of the file, which is where it has to be known by its first bytes. */
function placeAt(offset: number, anchor: Anchor): Place {
  return { offset, anchor, fingerprint: NO_FINGERPRINT, scanned: 0 };
}
