import { UNIT } from './arena.ts';
import { appendSample, type ChunkCursor, SAMPLE_BYTES_MAX } from './chunk-codec.ts';
import { ChunkStore, type EncodedChunk, windowOf } from './chunk-store.ts';
import type { HeadColumns } from './head-columns.ts';
import { LateSamples } from './late-samples.ts';

/** An open chunk with as many samples is closed. */
const CHUNK_SAMPLES = 120;

/** The recent samples of all series, in memory that other threads read while this one writes. */
export class Head {
  readonly columns: HeadColumns;
  readonly chunks: ChunkStore;
  readonly #late: LateSamples;
  readonly #cursor: ChunkCursor = { time: 0, step: 0, whole: 0, scale: 0 };

  constructor(columns: HeadColumns, bytesMax: number) {
    this.columns = columns;
    this.chunks = new ChunkStore(columns, bytesMax);
    this.#late = new LateSamples(this.chunks);
  }

  /** A series begins, or comes anew under a number that was free. */
  begin(sid: number): void {
    const { columns } = this;
    columns.lastTime[sid] = -Infinity;
    columns.firstTime[sid] = Infinity;
    columns.openAt[sid] = 0;
    columns.closed[sid] = 0;
  }

  /** Keeps a sample; of two at one instant the later. False where it was there already. Throws ArenaFull. */
  append(sid: number, timeMs: number, value: number, stale: boolean): boolean {
    const { columns, chunks } = this;
    const last = columns.lastTime[sid]!;
    if (!(timeMs > last)) {
      if (timeMs === last && this.#isLast(sid, value, stale)) return false;
      return chunks.changing(sid, () => {
        const isNew = this.#late.insert(sid, timeMs, value, stale);
        if (timeMs === last) this.#setLast(sid, timeMs, value, stale);
        if (timeMs < columns.firstTime[sid]!) columns.firstTime[sid] = timeMs;
        return isNew;
      });
    }
    const version = columns.version[sid]!;
    Atomics.store(columns.version, sid, version + 1);
    try {
      this.#appendNewest(sid, timeMs, value, stale);
    } finally {
      Atomics.store(columns.version, sid, version + 2);
    }
    return true;
  }

  #isLast(sid: number, value: number, stale: boolean): boolean {
    const { columns } = this;
    return stale
      ? columns.lastStale[sid] === 1
      : columns.lastStale[sid] === 0 && Object.is(columns.lastValue[sid], value);
  }

  #appendNewest(sid: number, timeMs: number, value: number, stale: boolean): void {
    const { columns, chunks } = this;
    if (
      columns.openAt[sid] !== 0 &&
      (columns.openCount[sid]! >= CHUNK_SAMPLES || windowOf(columns.openTime[sid]!) !== windowOf(timeMs))
    )
      chunks.close(sid);
    if (columns.openAt[sid] === 0) chunks.open(sid, timeMs);
    else if (columns.openLength[sid]! + SAMPLE_BYTES_MAX > columns.openUnits[sid]! * UNIT)
      chunks.widen(sid, columns.openLength[sid]! + SAMPLE_BYTES_MAX);
    const cursor = this.#cursor;
    cursor.time = columns.openCount[sid] === 0 ? timeMs : columns.lastTime[sid]!;
    cursor.step = columns.step[sid]!;
    cursor.whole = columns.whole[sid]!;
    cursor.scale = columns.scale[sid]!;
    const start = columns.openAt[sid]! * UNIT;
    const at = start + columns.openLength[sid]!;
    const end = appendSample(chunks.arena.shared.bytes, at, cursor, timeMs, value, stale);
    columns.openLength[sid] = end - start;
    columns.openCount[sid]!++;
    columns.step[sid] = cursor.step;
    columns.whole[sid] = cursor.whole;
    columns.scale[sid] = cursor.scale;
    this.#setLast(sid, timeMs, value, stale);
  }

  #setLast(sid: number, timeMs: number, value: number, stale: boolean): void {
    const { columns } = this;
    columns.lastTime[sid] = timeMs;
    columns.lastValue[sid] = value;
    columns.lastStale[sid] = stale ? 1 : 0;
    if (timeMs < columns.firstTime[sid]!) columns.firstTime[sid] = timeMs;
  }

  /** Takes a chunk of a snapshot, newer than all that the series has. */
  restore(sid: number, chunk: EncodedChunk): void {
    const { columns, chunks } = this;
    columns.closed[sid] = chunks.adopt(chunk, columns.closed[sid]!);
  }
}
