import { UNIT } from './arena.ts';
import {
  appendSample,
  type ChunkCursor,
  decodeSamples,
  resetCursor,
  SAMPLE_BYTES_MAX,
} from './chunk-codec.ts';
import { sampleColumns, type SampleColumns } from './sample-columns.ts';
import { chunkBefore, chunkCount, chunkFirst, chunkStart } from './chunk-header.ts';
import { type ChunkStore, type EncodedChunk, windowOf } from './chunk-store.ts';

/** A chunk that late samples made larger is divided. */
const CHUNK_SAMPLES_MAX = 240;

/** Puts samples that are not the newest into the chunk where they belong, which is written anew with them. */
export class LateSamples {
  readonly #store: ChunkStore;
  readonly #cursor: ChunkCursor = { time: 0, step: 0, whole: 0, scale: 0 };
  readonly #bytes = new Uint8Array((CHUNK_SAMPLES_MAX + 8) * SAMPLE_BYTES_MAX);
  readonly #samples = sampleColumns(CHUNK_SAMPLES_MAX + 8);

  constructor(store: ChunkStore) {
    this.#store = store;
  }

  /** Inside of a change of the series. False where the sample was there already. */
  insert(sid: number, timeMs: number, value: number, stale: boolean): boolean {
    const { columns } = this.#store;
    if (columns.openAt[sid] !== 0 && timeMs >= columns.openTime[sid]!) {
      if (columns.openCount[sid]! < CHUNK_SAMPLES_MAX) return this.#insertOpen(sid, timeMs, value, stale);
      this.#store.close(sid);
    }
    const { after, address } = this.#place(sid, timeMs);
    const { shared } = this.#store.arena;
    if (address !== 0 && windowOf(chunkFirst(shared, address)) === windowOf(timeMs))
      return this.#rewrite(sid, after, address, { timeMs, value, stale });
    setSample(this.#samples, 0, { timeMs, value, stale });
    this.#store.link(sid, after, this.#store.adopt(this.#encode(0, 1), address));
    return true;
  }

  #insertOpen(sid: number, timeMs: number, value: number, stale: boolean): boolean {
    const { columns, arena } = this.#store;
    const count = columns.openCount[sid]!;
    decodeSamples(
      arena.shared.bytes,
      columns.openAt[sid]! * UNIT,
      count,
      columns.openTime[sid]!,
      this.#samples,
      0,
    );
    const more = merge(this.#samples, count, { timeMs, value, stale });
    if (more < 0) return false;
    const { bytes, length } = this.#encode(0, count + more);
    this.#store.widen(sid, length + SAMPLE_BYTES_MAX);
    arena.shared.bytes.set(bytes.subarray(0, length), columns.openAt[sid]! * UNIT);
    columns.openLength[sid] = length;
    columns.openCount[sid] = count + more;
    columns.step[sid] = this.#cursor.step;
    columns.whole[sid] = this.#cursor.whole;
    columns.scale[sid] = this.#cursor.scale;
    return true;
  }

  /** The chunk that begins at or before the instant, or else the first one of its window; and the one after it in time. */
  #place(sid: number, timeMs: number): { readonly after: number; readonly address: number } {
    const { columns, arena } = this.#store;
    const { shared } = arena;
    const window = windowOf(timeMs);
    let after = 0;
    let address = columns.closed[sid]!;
    while (address !== 0 && chunkFirst(shared, address) > timeMs) {
      const before = chunkBefore(shared, address);
      const begins = before === 0 || windowOf(chunkFirst(shared, before)) !== window;
      if (begins && windowOf(chunkFirst(shared, address)) === window) break;
      after = address;
      address = before;
    }
    return { after, address };
  }

  #rewrite(sid: number, after: number, address: number, sample: Sample): boolean {
    const { shared } = this.#store.arena;
    const count = chunkCount(shared, address);
    decodeSamples(shared.bytes, chunkStart(address), count, chunkFirst(shared, address), this.#samples, 0);
    const more = merge(this.#samples, count, sample);
    if (more < 0) return false;
    const total = count + more;
    const half = total > CHUNK_SAMPLES_MAX ? total >>> 1 : 0;
    let before = chunkBefore(shared, address);
    if (half > 0) before = this.#store.adopt(this.#encode(0, half), before);
    this.#store.link(sid, after, this.#store.adopt(this.#encode(half, total), before));
    this.#store.release(address);
    return true;
  }

  #encode(from: number, to: number): EncodedChunk {
    const { times, values, stale } = this.#samples;
    const bytes = this.#bytes;
    resetCursor(this.#cursor, times[from]!);
    let length = 0;
    for (let i = from; i < to; i++)
      length = appendSample(bytes, length, this.#cursor, times[i]!, values[i]!, stale[i] === 1);
    return { firstMs: times[from]!, lastMs: times[to - 1]!, count: to - from, bytes, length };
  }
}

interface Sample {
  readonly timeMs: number;
  readonly value: number;
  readonly stale: boolean;
}

function setSample({ times, values, stale }: SampleColumns, at: number, sample: Sample): void {
  times[at] = sample.timeMs;
  values[at] = sample.value;
  stale[at] = sample.stale ? 1 : 0;
}

/** Puts a sample among `count` others: 1 where it is one more, 0 where it took another's place, -1 where it was there. */
function merge(columns: SampleColumns, count: number, sample: Sample): number {
  const { times, values, stale } = columns;
  let at = count;
  while (at > 0 && times[at - 1]! >= sample.timeMs) at--;
  const takes = at < count && times[at] === sample.timeMs;
  if (takes && (stale[at] === 1 ? sample.stale : !sample.stale && Object.is(values[at], sample.value)))
    return -1;
  if (!takes) {
    times.copyWithin(at + 1, at, count);
    values.copyWithin(at + 1, at, count);
    stale.copyWithin(at + 1, at, count);
  }
  setSample(columns, at, sample);
  return takes ? 0 : 1;
}
