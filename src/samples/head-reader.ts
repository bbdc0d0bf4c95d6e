import { UNIT } from './arena.ts';
import { decodeSamples } from './chunk-codec.ts';
import { chunkBefore, chunkCount, chunkFirst, chunkLast, chunkStart, HEADER_BYTES } from './chunk-header.ts';
import type { HeadView } from './head-columns.ts';
import { type SampleColumns, widenColumns } from './sample-columns.ts';

/** Chunks of one series in memory; what seems to be more is memory that was given to others meanwhile. */
const CHUNKS_MAX = 100_000;
const SPINS = 200;

/** Reads series of a head while its owner writes: a series that changed meanwhile is read again. */
export class HeadReader {
  readonly #view: HeadView;
  readonly #addresses: number[] = [];
  /** All loads before it are done when it is added to, on every processor. */
  readonly #fence = new Int32Array(new SharedArrayBuffer(4));

  constructor(view: HeadView) {
    this.#view = view;
  }

  /** Appends the samples in [fromMs, toMs] behind the first `length` of the columns, in order of time; gives the new length. */
  read(sid: number, fromMs: number, toMs: number, into: SampleColumns, length: number): number {
    const { version } = this.#view.columns;
    for (let tries = 1; ; tries++) {
      const before = Atomics.load(version, sid);
      if ((before & 1) === 0) {
        const end = this.#readOnce(sid, fromMs, toMs, into, length);
        Atomics.add(this.#fence, 0, 1);
        if (Atomics.load(version, sid) === before) return end;
      }
      if (tries % SPINS === 0) Atomics.wait(version, sid, before, 1);
    }
  }

  /** How many chunks a series has in memory, about: it may change meanwhile. */
  chunks(sid: number): number {
    const { columns, chunks } = this.#view;
    let count = columns.openAt[sid] === 0 ? 0 : 1;
    for (let at = columns.closed[sid]!; at !== 0 && count < CHUNKS_MAX; at = chunkBefore(chunks, at)) {
      if (!this.#isInside(at * UNIT + HEADER_BYTES)) break;
      count++;
    }
    return count;
  }

  #readOnce(sid: number, fromMs: number, toMs: number, into: SampleColumns, length: number): number {
    const { columns, chunks } = this.#view;
    const addresses = this.#addresses;
    addresses.length = 0;
    for (
      let at = columns.closed[sid]!;
      at !== 0 && addresses.length < CHUNKS_MAX;
      at = chunkBefore(chunks, at)
    ) {
      if (!this.#isInside(at * UNIT + HEADER_BYTES)) break;
      if (chunkLast(chunks, at) < fromMs) break;
      if (chunkFirst(chunks, at) <= toMs) addresses.push(at);
    }
    let end = length;
    for (let i = addresses.length - 1; i >= 0; i--) {
      const at = addresses[i]!;
      const range = { fromMs, toMs, firstMs: chunkFirst(chunks, at), lastMs: chunkLast(chunks, at) };
      end = this.#decode(chunkStart(at), chunkCount(chunks, at), range, into, end);
    }
    const open = columns.openAt[sid]!;
    if (open === 0) return end;
    const range = { fromMs, toMs, firstMs: columns.openTime[sid]!, lastMs: columns.lastTime[sid]! };
    if (
      range.firstMs > toMs ||
      range.lastMs < fromMs ||
      !this.#isInside((open + columns.openUnits[sid]!) * UNIT)
    )
      return end;
    return this.#decode(open * UNIT, columns.openCount[sid]!, range, into, end);
  }

  #isInside(end: number): boolean {
    const { chunks } = this.#view;
    if (end > chunks.bytes.length) chunks.refresh();
    return end <= chunks.bytes.length;
  }

  #decode(at: number, count: number, range: ChunkRange, into: SampleColumns, length: number): number {
    widenColumns(into, length + count);
    decodeSamples(this.#view.chunks.bytes, at, count, range.firstMs, into, length);
    return cutToRange(range, into, length, length + count);
  }
}

export interface ChunkRange {
  readonly fromMs: number;
  readonly toMs: number;
  readonly firstMs: number;
  readonly lastMs: number;
}

/** Of the samples from `start` to `end`, which are a whole chunk's, leaves those of the range; gives the new end. */
export function cutToRange(
  { fromMs, toMs, firstMs, lastMs }: ChunkRange,
  { times, values, stale }: SampleColumns,
  start: number,
  end: number,
): number {
  let to = end;
  if (lastMs > toMs) while (to > start && times[to - 1]! > toMs) to--;
  if (firstMs >= fromMs) return to;
  let from = start;
  while (from < to && times[from]! < fromMs) from++;
  times.copyWithin(start, from, to);
  values.copyWithin(start, from, to);
  stale.copyWithin(start, from, to);
  return start + to - from;
}
