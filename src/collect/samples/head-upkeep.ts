import { DamagedBytes } from '../../samples/byte-source.ts';
import { WINDOW_MS, windowOf } from '../../samples/chunk-store.ts';
import type { SampleHead } from '../../samples/sample-head.ts';
import type { BlockKeeper } from './block-keeper.ts';
import type { GroupCommit } from './group-commit.ts';
import type { HeadLog } from './head-log.ts';
import { removeSnapshotsBefore, writeSnapshot } from './head-snapshot.ts';
import { type StoreShare, oldestOf, usedOf } from './store-share.ts';

/** A window is written to a block so long after its end: late samples mostly come before. */
const GRACE_MS = 10 * 60_000;
/** What comes later still is gathered for as long. */
const LATE_FLUSH_EACH_MS = 10 * 60_000;
const FORGET_EACH_MS = 10 * 60_000;
const SNAPSHOT_EACH_MS = 15 * 60_000;
/** A log larger than this is not read at a restart: a snapshot is made. */
const LOG_BYTES_MAX = 64 * 1024 * 1024;
const LOG_BYTES_WORTH = 1024 * 1024;

export interface UpkeepParts {
  readonly folder: string;
  readonly head: SampleHead;
  readonly log: HeadLog;
  readonly commit: GroupCommit;
  readonly blocks: BlockKeeper;
  readonly retention: { readonly timeMs: number; readonly bytesMax: number };
  readonly share: StoreShare;
  readonly giveWay: () => Promise<void>;
}

/** Keeps the head small and the disk within its limits: blocks, snapshots, retention, series that are gone. */
export class HeadUpkeep {
  readonly #parts: UpkeepParts;
  readonly #flushedMs = new Map<number, number>();
  readonly #unmergeable = new Set<number>();
  /** Forgotten since the last snapshot: the log still speaks of them. */
  #forgotten: number[] = [];
  #forgotMs = 0;
  #snapshotMs = 0;
  #steps = 0;

  constructor(parts: UpkeepParts, nowMs: number) {
    this.#parts = parts;
    this.#forgotMs = nowMs;
    this.#snapshotMs = nowMs;
    this.tellShare();
  }

  /** Blocks that were written, merged or deleted. */
  get steps(): number {
    return this.#steps;
  }

  /** While samples of an older store come, a series without samples may still get some. */
  keepSeries = false;

  /** Does the next thing that is due; false where there is none. `eager` lets nothing wait. */
  async step(nowMs: number, eager = false): Promise<boolean> {
    const did =
      (await this.#flushWindow(nowMs, eager)) || (await this.#removeOld(nowMs)) || (await this.#merge(eager));
    if (did) this.#steps++;
    else this.#forget(nowMs, eager);
    await this.#snapshot(nowMs, did);
    this.tellShare();
    return did;
  }

  /** What is used of the store's room, for whoever else uses it. */
  tellShare(): void {
    const { share, blocks } = this.#parts;
    share.samples[0] = this.usedBytes;
    share.samples[1] = blocks.oldestMs;
  }

  get usedBytes(): number {
    return this.#parts.blocks.bytes + this.#parts.log.bytes;
  }

  async #flushWindow(nowMs: number, eager: boolean): Promise<boolean> {
    const { head, blocks, giveWay } = this.#parts;
    const { chunks } = head.head;
    const current = windowOf(nowMs);
    const isCrowded = chunks.arena.usedBytes > chunks.arena.bytesMax / 2;
    for (const window of [...chunks.windows.keys()].sort((a, b) => a - b)) {
      const isOver = nowMs >= (window + 1) * WINDOW_MS + GRACE_MS || window > current + 1;
      const since = nowMs - (this.#flushedMs.get(window) ?? -Infinity);
      if (!isOver || !(eager || isCrowded || since >= LATE_FLUSH_EACH_MS)) continue;
      this.#unmergeable.delete(window);
      await blocks.flush(window);
      this.#flushedMs.set(window, nowMs);
      await giveWay();
      return true;
    }
    return false;
  }

  async #removeOld(nowMs: number): Promise<boolean> {
    const { blocks, retention, share } = this.#parts;
    const oldest = blocks.oldestMs;
    if (oldest === Infinity) return false;
    const tooLarge = usedOf(share) > retention.bytesMax && oldest <= oldestOf(share);
    if (oldest + WINDOW_MS > nowMs - retention.timeMs && !tooLarge) return false;
    await blocks.removeOldest();
    return true;
  }

  async #merge(eager: boolean): Promise<boolean> {
    const { blocks, head } = this.#parts;
    const window = blocks.toMerge;
    if (window === undefined || this.#unmergeable.has(window)) return false;
    if (!eager && head.head.chunks.windows.has(window) && blocks.parts(window) < 8) return false;
    try {
      await blocks.merge(window);
    } catch (error) {
      if (!(error instanceof DamagedBytes)) throw error;
      this.#unmergeable.add(window);
      return false;
    }
    return true;
  }

  /** Series of which nothing is left. */
  #forget(nowMs: number, eager: boolean): void {
    if (this.keepSeries || (!eager && nowMs - this.#forgotMs < FORGET_EACH_MS)) return;
    this.#forgotMs = nowMs;
    const { head, commit, blocks, retention } = this.#parts;
    const { columns, chunks } = head.head;
    // What is neither in memory nor younger than the oldest block is nowhere.
    const before = blocks.oldestMs === Infinity ? nowMs - retention.timeMs : blocks.oldestMs;
    for (let sid = 1; sid < head.table.next; sid++) {
      if (!head.table.has(sid) || columns.lastTime[sid]! >= before || !chunks.isEmpty(sid)) continue;
      head.forget(sid);
      this.#forgotten.push(sid);
    }
    commit.schedule();
  }

  async #snapshot(nowMs: number, blockWasWritten: boolean): Promise<void> {
    const { log } = this.#parts;
    const isDue = nowMs - this.#snapshotMs >= SNAPSHOT_EACH_MS || blockWasWritten;
    if (log.bytes < LOG_BYTES_MAX && !(isDue && log.bytes > LOG_BYTES_WORTH)) return;
    this.#snapshotMs = nowMs;
    await this.snapshot();
  }

  /** Writes all of the head, so that the log begins anew. */
  async snapshot(): Promise<void> {
    const { folder, head, log, commit, giveWay } = this.#parts;
    const number = await commit.run(() => log.rotate());
    const forgotten = this.#forgotten;
    this.#forgotten = [];
    await writeSnapshot(folder, number, head, giveWay);
    await commit.run(() => log.removeBefore(number));
    await removeSnapshotsBefore(folder, number);
    head.table.reuse(forgotten);
  }
}
