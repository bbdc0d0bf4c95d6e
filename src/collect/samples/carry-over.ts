import { WINDOW_MS, windowOf } from '../../samples/chunk-store.ts';
import { encodeChunks } from '../../samples/encode-chunks.ts';
import { orderSamples } from '../../samples/order-samples.ts';
import { sampleColumns, type SampleColumns, widenColumns } from '../../samples/sample-columns.ts';
import type { SampleHead } from '../../samples/sample-head.ts';
import type { BlockSeries } from './block-writer.ts';
import type { OldSamples } from './old-samples.ts';

const ROWS = 50_000;
const REMOVED_SERIES = 2_000;

export interface CarryOverParts {
  readonly old: OldSamples;
  readonly head: SampleHead;
  /** Writes a block of a window, durably. */
  readonly writeBlock: (window: number, series: Iterable<BlockSeries>) => Promise<void>;
  /** What the head holds and its log does not have yet is durable when it resolves. */
  readonly commit: () => Promise<void>;
  readonly snapshot: () => Promise<void>;
  readonly giveWay: () => Promise<void>;
}

/**
 * Brings what an older store held over into the head and blocks, once: first its series and the samples of its last hour,
 * then, window by window from the newest, the rest. Each piece is removed from where it was only when it is durable here,
 * and a piece that comes twice does no harm; so it goes on where a crash ended it.
 */
export class CarryOver {
  readonly #parts: CarryOverParts;
  /** Numbers of series: theirs, by ours in ascending order. */
  #series: { readonly sid: number; readonly old: number }[] = [];

  constructor(parts: CarryOverParts) {
    this.#parts = parts;
  }

  get isPending(): boolean {
    return this.#parts.old.isThere;
  }

  /** Series, metadata and the newest samples: what rules look at first. */
  async begin(): Promise<void> {
    const { old, head, commit } = this.#parts;
    for (const one of old.metadata()) head.describe(one);
    const byOld = new Map<number, number>();
    for (const { sid: theirs, pairs, firstMs } of old.series()) {
      const sid = head.adopt(pairs);
      if (sid === undefined) continue;
      byOld.set(theirs, sid);
      const { firstTime } = head.head.columns;
      firstTime[sid] = Math.min(firstTime[sid]!, firstMs);
    }
    this.#series = Array.from(byOld, ([theirs, sid]) => ({ sid, old: theirs })).sort((a, b) => a.sid - b.sid);
    for (let rows = old.rows(ROWS); rows.length > 0; rows = old.rows(ROWS)) {
      for (const { ts, sid, value } of rows) {
        const ours = byOld.get(sid);
        if (ours !== undefined) head.keep(ours, ts, value ?? NaN, value === null);
      }
      await commit();
      old.removeRows(rows.at(-1)!.ts);
    }
  }

  /** Carries the newest window over that is left; false when there is none, and nothing is left of the old samples. */
  async step(): Promise<boolean> {
    const { old, writeBlock, snapshot, giveWay } = this.#parts;
    const newest = old.newestMs();
    if (newest === undefined) {
      await snapshot();
      old.dropTables();
      return false;
    }
    const window = windowOf(newest);
    await writeBlock(window, this.#seriesOf(window));
    // When each series was last heard of is in the snapshot alone.
    await snapshot();
    for (let i = 0; i < this.#series.length; i += REMOVED_SERIES) {
      const some = this.#series.slice(i, i + REMOVED_SERIES).map(({ old: theirs }) => theirs);
      old.removeChunks(some, window * WINDOW_MS);
      await giveWay();
    }
    old.cutPacks(window * WINDOW_MS);
    return true;
  }

  *#seriesOf(window: number): Generator<BlockSeries> {
    const { old, head } = this.#parts;
    const samples = sampleColumns(1024);
    for (const { sid, old: theirs } of this.#series) {
      let count = 0;
      old.chunkSamples(theirs, window * WINDOW_MS, (window + 1) * WINDOW_MS, (time, value) => {
        widenColumns(samples, count + 1);
        samples.times[count] = time;
        samples.values[count] = value ?? NaN;
        samples.stale[count++] = value === null ? 1 : 0;
      });
      if (count === 0 || !head.table.has(sid)) continue;
      count = orderSamples(samples, 0, count);
      this.#seen(sid, samples, count - 1);
      yield { sid, pairs: head.table.pairs(sid), chunks: encodeChunks(samples, count) };
    }
  }

  #seen(sid: number, { times, values, stale }: SampleColumns, last: number): void {
    const { columns } = this.#parts.head.head;
    columns.firstTime[sid] = Math.min(columns.firstTime[sid]!, times[0]!);
    if (times[last]! <= columns.lastTime[sid]!) return;
    columns.lastTime[sid] = times[last]!;
    columns.lastValue[sid] = values[last]!;
    columns.lastStale[sid] = stale[last]!;
  }
}
