import { isDiskTrouble } from '../platform/durable-files.ts';
import type { Timer } from '../platform/clock.ts';
import { BufferClosed } from './buffer-closed.ts';
import type { BufferOptions } from './buffer-options.ts';
import type { CursorSet } from './cursor-set.ts';
import type { DiskReserve } from './disk-reserve.ts';
import type { EncodedEntry } from './entry-codec.ts';
import type { EntryReader } from './entry-reader.ts';
import { type FullReason, FullState } from './full-state.ts';
import { Mutex } from './mutex.ts';
import { owedLines } from './owed-lines.ts';
import type { Segment } from './recover-segments.ts';
import type { SegmentLog } from './segment-log.ts';
import { Signal } from './signal.ts';
import type { SnapshotStore } from './snapshot-store.ts';

const RETRY_FIRST_MS = 100;
const RETRY_MOST_MS = 5000;
/** Of all that a disk may refuse, what less of it might not meet. */
const NO_SPACE: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
const SNAPSHOT_EACH_BYTES = 64 << 20;

interface Holders {
  readonly segments: SegmentLog;
  readonly snapshots: SnapshotStore;
  readonly cursors: CursorSet;
  readonly reserve: DiskReserve;
  readonly reader: () => EntryReader;
}

/**
 * Room on disk: entries wait here while the limit or the disk has none, and segments go once every cursor has
 * settled them, with that on disk, and the older of two snapshots covers them. Of the two policies only
 * `drop_oldest` gives records up, and only for the limit: a disk that others filled is waited for.
 */
export class BufferSpace {
  readonly #options: BufferOptions;
  readonly #o: Holders;
  readonly #full: FullState;
  /** Guards the segment log. */
  readonly #mutex = new Mutex();
  /** Fires when segments may have become free. */
  readonly #progress = new Signal();
  #reclaiming: Promise<boolean> | undefined;
  /** How often room was made, or tried to be. */
  reclaims = 0;
  #closed = false;
  #bytesSinceSnapshot = 0;

  constructor(options: BufferOptions, holders: Holders) {
    this.#options = options;
    this.#o = holders;
    this.#full = new FullState(options.log, options.clock);
  }

  get isReclaiming(): boolean {
    return this.#reclaiming !== undefined;
  }

  get fullReason(): FullReason | undefined {
    return this.#full.reason;
  }

  /**
   * Durable when it resolves, however long that takes. Rejects only when stopped. One at a time. What is `divisible` is
   * not waited for where a part of it may fit and the whole does not: then it is false, and nothing is written.
   */
  async write(seq: number, entry: EncodedEntry, divisible = false): Promise<boolean> {
    if (divisible && entry.bytes > this.#options.maxBytes) return false;
    await this.#room(seq, entry.bytes);
    return this.#append(seq, entry, divisible);
  }

  /** Something that holds segments moved. */
  advanced(): void {
    this.#progress.fire();
    if (!this.#closed && this.#isReleasable()) void this.#reclaim();
  }

  /** Each so many bytes a snapshot is asked for, so that a start has little to replay. */
  wrote(bytes: number): void {
    this.#bytesSinceSnapshot += bytes;
    if (this.#bytesSinceSnapshot < Math.min(SNAPSHOT_EACH_BYTES, this.#options.maxBytes / 4)) return;
    this.#bytesSinceSnapshot = 0;
    this.#options.wantSnapshot?.();
  }

  snapshotTaken(): void {
    this.#bytesSinceSnapshot = 0;
    this.advanced();
  }

  /** Whoever waits for room waits no more. */
  stop(): void {
    this.#closed = true;
    this.#progress.fire();
  }

  /** Segments whose files were removed behind our back; entries go on in a new one. */
  forgetMissing(nextSeq: () => number): Promise<readonly Segment[]> {
    return this.#mutex.run(() => this.#o.segments.forgetMissing(nextSeq()));
  }

  async close(): Promise<void> {
    await this.#reclaiming;
    await this.#mutex.run(() => this.#o.segments.close());
  }

  /** Waits until the limit allows `bytes` more. An entry larger than the limit goes into an empty buffer. */
  async #room(seq: number, bytes: number): Promise<void> {
    for (;;) {
      if (this.#closed) throw new BufferClosed();
      if (this.#o.segments.bytes + bytes <= this.#options.maxBytes || this.#isEmpty()) break;
      const progress = this.#progress.current;
      if (await this.#makeRoom(seq, this.#options.whenFull === 'drop_oldest')) continue;
      this.#full.enter('limit', `max_bytes ${this.#options.maxBytes}`);
      // Not for progress alone: a snapshot or a cursor that the disk refused is not tried again by itself.
      await this.#progressWithin(progress, RETRY_MOST_MS);
    }
    this.#full.leave('limit');
  }

  /** The same bytes, again and again, until they are durable. */
  async #append(seq: number, entry: EncodedEntry, divisible: boolean): Promise<boolean> {
    for (let wait = RETRY_FIRST_MS; ; wait = Math.min(wait * 2, RETRY_MOST_MS)) {
      const progress = this.#progress.current;
      try {
        await this.#mutex.run(() => this.#o.segments.append(seq, entry));
        break;
      } catch (error) {
        if (!isDiskTrouble(error)) throw error;
        const released = await this.#makeRoom(seq, false);
        if (this.#closed) throw new BufferClosed();
        if (released) continue;
        if (divisible && NO_SPACE.has(error.code ?? '')) return false;
        this.#full.enter('disk', error.message);
      }
      await this.#progressWithin(progress, wait);
      if (this.#closed) throw new BufferClosed();
    }
    if (this.#full.leave('disk')) await this.#o.reserve.hold();
    return true;
  }

  async #progressWithin(progress: Promise<void>, ms: number): Promise<void> {
    let timer: Timer | undefined;
    const over = new Promise<void>((resolve) => {
      timer = this.#options.clock.setTimeout(resolve, ms);
    });
    await Promise.race([progress, over]);
    timer?.cancel();
  }

  /** True if segments went. `nextSeq` is the entry that wants the room. */
  async #makeRoom(nextSeq: number, mayDrop: boolean): Promise<boolean> {
    const { segments, snapshots, cursors } = this.#o;
    const last = segments.segments.at(-1);
    const only = segments.segments.length === 1;
    if (last !== undefined && (mayDrop ? only : last.lastSeq <= this.#releasableSeq())) {
      await this.#mutex.run(() => segments.seal(nextSeq)).catch(ignoreDiskTrouble);
    }
    if (await this.#reclaim()) return true;
    if (mayDrop && (await this.#dropOldest()) && (await this.#reclaim())) return true;
    const first = segments.segments[0];
    const waitsForSnapshot = first !== undefined && first.lastSeq > snapshots.coveredSeq;
    if (waitsForSnapshot && first.lastSeq <= cursors.settledThrough) this.#options.wantSnapshot?.();
    return false;
  }

  /** Gives up the records of the oldest segment for every cursor that has not settled them. */
  async #dropOldest(): Promise<boolean> {
    const { segments, cursors, reader } = this.#o;
    const first = segments.segments[0];
    if (first === undefined || first.lastSeq <= cursors.settledThrough) return false;
    const dropped = [];
    try {
      for await (const { entry, nextBatch } of reader().numbered(first.firstSeq, first.lastSeq)) {
        dropped.push({ seq: entry.seq, nextBatch, lines: owedLines(entry) });
      }
    } catch (error) {
      ignoreDiskTrouble(error);
      return false;
    }
    this.#full.dropping(first.path);
    cursors.drop(dropped, first.lastSeq);
    return true;
  }

  #releasableSeq(): number {
    return Math.min(this.#o.cursors.settledThrough, this.#o.snapshots.coveredSeq);
  }

  #isReleasable(): boolean {
    const [first, second] = this.#o.segments.segments;
    return second !== undefined && first!.lastSeq <= this.#releasableSeq();
  }

  #isEmpty(): boolean {
    return this.#o.segments.segments.every((segment) => segment.lastSeq < segment.firstSeq);
  }

  /** Removes what can go; one at a time. */
  #reclaim(): Promise<boolean> {
    this.#reclaiming ??= this.#reclaimOnce()
      .catch((error: unknown) => {
        ignoreDiskTrouble(error);
        return false;
      })
      .then((released) => {
        this.#reclaiming = undefined;
        this.reclaims++;
        // Cursors may have moved meanwhile, and found us busy.
        if (released) this.advanced();
        return released;
      });
    return this.#reclaiming;
  }

  /** Cursors are on disk first: a start must not find a cursor before the first segment. */
  async #reclaimOnce(): Promise<boolean> {
    if (!this.#isReleasable()) return false;
    const { segments, cursors, reserve } = this.#o;
    const upTo = this.#releasableSeq();
    await reserve.during(() => cursors.persist());
    return this.#mutex.run(() => segments.release(upTo));
  }
}

function ignoreDiskTrouble(error: unknown): void {
  if (!isDiskTrouble(error)) throw error;
}
