import { Arena, UNIT } from './arena.ts';
import {
  chunkBefore,
  chunkCount,
  chunkFirst,
  chunkLast,
  chunkLength,
  chunkMark,
  chunkStart,
  HEADER_BYTES,
  setChunkBefore,
  setChunkMark,
  writeHeader,
} from './chunk-header.ts';
import type { HeadColumns } from './head-columns.ts';

/** No chunk goes over the border of two windows: a block file is one window. */
export const WINDOW_MS = 7_200_000;
const OPEN_BYTES = 48;

export function windowOf(timeMs: number): number {
  return Math.floor(timeMs / WINDOW_MS);
}

/** Samples of one series, encoded. */
export interface EncodedChunk {
  readonly firstMs: number;
  readonly lastMs: number;
  readonly count: number;
  /** Holds the samples at its beginning. */
  readonly bytes: Uint8Array;
  readonly length: number;
}

/** The chunks of all series: for each an open one, to which is appended, and closed ones from the newest to the oldest. */
export class ChunkStore {
  readonly columns: HeadColumns;
  readonly arena: Arena;
  /** How many chunks each window has. */
  readonly windows = new Map<number, number>();

  constructor(columns: HeadColumns, bytesMax: number) {
    this.columns = columns;
    this.arena = new Arena(bytesMax);
  }

  /** Readers that see a series change read it once more: so its memory can be given out again at once. */
  changing<T>(sid: number, change: () => T): T {
    const { version } = this.columns;
    const before = version[sid]!;
    Atomics.store(version, sid, before + 1);
    try {
      return change();
    } finally {
      Atomics.store(version, sid, before + 2);
    }
  }

  open(sid: number, timeMs: number): void {
    const { columns } = this;
    columns.openAt[sid] = this.arena.allocate(OPEN_BYTES);
    columns.openUnits[sid] = OPEN_BYTES / UNIT;
    columns.openLength[sid] = 0;
    columns.openCount[sid] = 0;
    columns.openTime[sid] = timeMs;
    columns.step[sid] = 0;
    columns.whole[sid] = 0;
    columns.scale[sid] = 0;
    this.#count(timeMs, 1);
  }

  /** Room for that many bytes in the open chunk; what is in it stays. */
  widen(sid: number, bytes: number): void {
    const { columns, arena } = this;
    const had = columns.openUnits[sid]! * UNIT;
    if (bytes <= had) return;
    let room = had;
    while (room < bytes) room *= 2;
    const from = columns.openAt[sid]!;
    const to = arena.allocate(room);
    arena.shared.bytes.copyWithin(to * UNIT, from * UNIT, from * UNIT + had);
    columns.openAt[sid] = to;
    columns.openUnits[sid] = room / UNIT;
    arena.release(from, had);
  }

  /** The open chunk becomes a closed one of just its size. */
  close(sid: number): void {
    const { columns, arena } = this;
    const length = columns.openLength[sid]!;
    const from = columns.openAt[sid]!;
    const address = arena.allocate(HEADER_BYTES + length);
    arena.shared.bytes.copyWithin(chunkStart(address), from * UNIT, from * UNIT + length);
    writeHeader(arena.shared, address, {
      before: columns.closed[sid]!,
      firstMs: columns.openTime[sid]!,
      lastMs: columns.lastTime[sid]!,
      count: columns.openCount[sid]!,
      length,
    });
    columns.closed[sid] = address;
    columns.openAt[sid] = 0;
    arena.release(from, columns.openUnits[sid]! * UNIT);
  }

  /** Puts a chunk into memory, before which in time `before` comes; the caller links it. */
  adopt(chunk: EncodedChunk, before: number): number {
    const address = this.arena.allocate(HEADER_BYTES + chunk.length);
    const { shared } = this.arena;
    shared.bytes.set(chunk.bytes.subarray(0, chunk.length), chunkStart(address));
    writeHeader(shared, address, { ...chunk, before });
    this.#count(chunk.firstMs, 1);
    return address;
  }

  /** Lets `address` come before `after`, or be the newest where `after` is 0. */
  link(sid: number, after: number, address: number): void {
    if (after === 0) this.columns.closed[sid] = address;
    else setChunkBefore(this.arena.shared, after, address);
  }

  /** Gives back a closed chunk that is not linked any more. */
  release(address: number): void {
    const { shared } = this.arena;
    this.#count(chunkFirst(shared, address), -1);
    this.arena.release(address, HEADER_BYTES + chunkLength(shared, address));
  }

  #count(timeMs: number, by: number): void {
    const window = windowOf(timeMs);
    const chunks = (this.windows.get(window) ?? 0) + by;
    if (chunks > 0) this.windows.set(window, chunks);
    else this.windows.delete(window);
  }

  /** Gives up all that a series has. */
  clear(sid: number): void {
    const { columns } = this;
    this.changing(sid, () => {
      if (columns.openAt[sid] !== 0) this.close(sid);
      for (let at = columns.closed[sid]!; at !== 0;) {
        const before = chunkBefore(this.arena.shared, at);
        this.release(at);
        at = before;
      }
      columns.closed[sid] = 0;
    });
  }

  isEmpty(sid: number): boolean {
    return this.columns.openAt[sid] === 0 && this.columns.closed[sid] === 0;
  }

  /** Each chunk of a series, the open one too, oldest first: views of shared memory. */
  chunksOf(sid: number, window?: number): EncodedChunk[] {
    const { columns } = this;
    const { shared } = this.arena;
    const found: EncodedChunk[] = [];
    for (let at = columns.closed[sid]!; at !== 0; at = chunkBefore(shared, at)) {
      if (window !== undefined && windowOf(chunkFirst(shared, at)) !== window) continue;
      const [start, length] = [chunkStart(at), chunkLength(shared, at)];
      const bytes = shared.bytes.subarray(start, start + length);
      const [firstMs, lastMs] = [chunkFirst(shared, at), chunkLast(shared, at)];
      found.unshift({ firstMs, lastMs, count: chunkCount(shared, at), bytes, length });
    }
    if (columns.openAt[sid] === 0 || (window !== undefined && windowOf(columns.openTime[sid]!) !== window))
      return found;
    const [start, length] = [columns.openAt[sid]! * UNIT, columns.openLength[sid]!];
    const bytes = shared.bytes.subarray(start, start + length);
    const [firstMs, lastMs] = [columns.openTime[sid]!, columns.lastTime[sid]!];
    return [...found, { firstMs, lastMs, count: columns.openCount[sid]!, bytes, length }];
  }

  /** Marks the chunks that a series has in a window, as a block is made of them. */
  mark(sid: number, window: number, mark: number): void {
    const { columns, arena } = this;
    if (columns.openAt[sid] !== 0 && windowOf(columns.openTime[sid]!) === window)
      this.changing(sid, () => this.close(sid));
    for (let at = columns.closed[sid]!; at !== 0; at = chunkBefore(arena.shared, at))
      if (windowOf(chunkFirst(arena.shared, at)) === window) setChunkMark(arena.shared, at, mark);
  }

  /** Gives up the chunks of a window that still carry the mark: what changed since then does not. */
  drop(sid: number, window: number, mark: number): void {
    const { shared } = this.arena;
    let after = 0;
    for (let at = this.columns.closed[sid]!; at !== 0;) {
      const before = chunkBefore(shared, at);
      if (windowOf(chunkFirst(shared, at)) === window && chunkMark(shared, at) === mark) {
        const link = after;
        this.changing(sid, () => this.link(sid, link, before));
        this.release(at);
      } else after = at;
      at = before;
    }
  }
}
