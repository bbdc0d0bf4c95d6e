import { existsSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { deflate } from 'node:zlib';
import type { Entry } from '../model/entry.ts';
import { StartRefused } from '../model/start-refused.ts';
import { isDiskTrouble, makeFolderDurably } from '../platform/durable-files.ts';
import type { PartState } from '../platform/stall-watch.ts';
import { assignBatches } from './assign-batches.ts';
import { BufferCursor, type CursorHost } from './buffer-cursor.ts';
import { BufferClosed } from './buffer-closed.ts';
import { BUFFER_DEFAULTS, type BufferOptions, segmentBytesFor } from './buffer-options.ts';
import { BufferSpace } from './buffer-space.ts';
import type { CursorState } from './cursor-journal.ts';
import { CursorSet, settledOnDisk } from './cursor-set.ts';
import { DiskReserve } from './disk-reserve.ts';
import { type Draft, halves } from './draft.ts';
import { encodeEntry } from './entry-codec.ts';
import { EntryReader } from './entry-reader.ts';
import { Mutex } from './mutex.ts';
import { owedLines } from './owed-lines.ts';
import { RecentEntries, type NumberedEntry } from './recent-entries.ts';
import { type DamageReport, NUMBERS_IN_DOUBT, type Recovered, recoverSegments } from './recover-segments.ts';
import { SegmentLog } from './segment-log.ts';
import { Signal } from './signal.ts';
import { SnapshotStore, type SnapshotState } from './snapshot-store.ts';

export interface BufferStats {
  readonly state: 'ok' | 'full';
  readonly fullReason?: 'limit' | 'disk';
  readonly bytes: number;
  readonly limitBytes: number;
  readonly segments: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly nextBatch: number;
  readonly coveredSeq: number;
  readonly commits: number;
  readonly samples: number;
  readonly fdatasyncs: number;
  readonly damage: readonly DamageReport[];
  readonly tornBytes: number;
}

export interface OpenedBuffer {
  readonly buffer: Buffer;
  /** What the agent last gave to `snapshot`, or undefined on a first start. */
  readonly snapshot: SnapshotState | undefined;
  /** The entries after the snapshot, in order; read once, before the first append. */
  readonly replay: AsyncIterable<Entry>;
}

interface Job {
  readonly draft: Draft;
  readonly resolve: (entry: Entry) => void;
  readonly reject: (error: unknown) => void;
}

const deflateAsync = promisify(deflate);

/**
 * The write-ahead log between reading and shipping. What must stay true:
 *
 * - An entry is shown (listeners, then cursors) only after its sync, in order, and the next is written after that:
 *   at most the last frame on disk is not durable.
 * - A segment goes only when every cursor has settled it, with that on disk, and the older of two snapshots covers it.
 * - Trouble with the disk or the limit makes appends wait; it never loses what was handed over and never ends the process.
 */
export class Buffer implements CursorHost {
  readonly clock: BufferOptions['clock'];
  readonly log: BufferOptions['log'];
  /** Fires when an entry was added, and at close. */
  readonly added = new Signal();
  readonly #options: BufferOptions;
  readonly #directory: string;
  readonly #segments: SegmentLog;
  readonly #snapshots: SnapshotStore;
  readonly #cursors: CursorSet;
  readonly #reserve: DiskReserve;
  readonly #recent: RecentEntries;
  readonly #space: BufferSpace;
  readonly #snapshotMutex = new Mutex();
  readonly #listeners: ((entry: Entry) => void)[] = [];
  readonly #queue: Job[] = [];
  readonly #damage: DamageReport[];
  readonly #hadDamage: boolean;
  readonly #tornBytes: number;
  #pumping: Promise<void> | undefined;
  #lastSeq: number;
  #nextBatch: number;
  #closed = false;
  #commits = 0;
  #snapshotsAsked = 0;
  #snapshotsEnded = 0;
  #samples = 0;

  private constructor(options: BufferOptions, parts: Parts) {
    this.#options = options;
    this.#directory = parts.directory;
    this.clock = options.clock;
    this.log = options.log;
    this.#segments = parts.segments;
    this.#snapshots = parts.snapshots;
    this.#reserve = parts.reserve;
    this.#damage = [...parts.damage];
    this.#hadDamage = parts.hadDamage;
    this.#tornBytes = parts.tornBytes;
    this.#lastSeq = parts.lastSeq;
    this.#nextBatch = parts.nextBatch;
    this.#recent = new RecentEntries(options.recentBytes ?? BUFFER_DEFAULTS.recentBytes);
    this.#cursors = new CursorSet(parts.directory, this, () => this.#reader());
    const { segments, snapshots, reserve } = parts;
    this.#space = new BufferSpace(options, {
      segments,
      snapshots,
      reserve,
      cursors: this.#cursors,
      reader: () => this.#reader(),
    });
  }

  static async open(options: BufferOptions): Promise<OpenedBuffer> {
    const directory = path.join(options.dir, 'buffer');
    await makeFolderDurably(directory, 0o700, 'buffer.folder');
    const snapshots = await SnapshotStore.open(directory, options.log);
    const known = Math.max(snapshots.newest?.seq ?? 0, await settledOnDisk(directory, options));
    const recovered = await recoverSegments(directory, known);
    for (const report of recovered.damage)
      options.log.error(report, 'buffer segment is damaged; the file was set aside');
    if (recovered.tornBytes > 0)
      options.log.info({ bytes: recovered.tornBytes }, 'unfinished entry cut off the end of the buffer');
    const firstSeq = recovered.segments[0]?.firstSeq;
    if (snapshots.newest === undefined) refuseWithoutSnapshot(directory, snapshots.allDamaged, firstSeq);
    const segments = new SegmentLog(
      directory,
      recovered.segments,
      segmentBytesFor(options),
      options.durable ?? true,
    );
    const reserve = new DiskReserve(directory, options.reserveBytes ?? BUFFER_DEFAULTS.reserveBytes);
    const buffer = new Buffer(options, {
      ...recovered,
      directory,
      snapshots,
      reserve,
      segments,
      lastSeq: Math.max(recovered.lastSeq, snapshots.newest?.seq ?? 0),
      nextBatch: Math.max(recovered.nextBatch, snapshots.newest?.nextBatch ?? 1),
    });
    await buffer.#openCursors();
    buffer.#burnNumbers(recovered);
    await reserve.hold();
    const from = (snapshots.newest?.seq ?? 0) + 1;
    return {
      buffer,
      snapshot: snapshots.newest?.state,
      replay: buffer.#reader(true).between(from, recovered.lastSeq),
    };
  }

  get lastSeq(): number {
    return this.#lastSeq;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Entries may be missing: damage was found now, or at an earlier start that set a file aside. */
  get hasDamage(): boolean {
    return this.#hadDamage || this.#damage.length > 0 || this.#cursors.hasDamage;
  }

  /** Called with each entry once it is durable, before sinks see it and before `append` resolves. Must not throw. */
  onDurable(listener: (entry: Entry) => void): void {
    this.#listeners.push(listener);
  }

  /**
   * Resolves when the entry is durable, however long the disk or the limit makes it wait. Callers bound what they hand
   * over. A commit of several slices may become several entries; then it is the last of them.
   */
  append(draft: Draft): Promise<Entry> {
    if (this.#closed) return Promise.reject(new BufferClosed());
    return new Promise((resolve, reject) => {
      this.#queue.push({ draft, resolve, reject });
      this.#pumping ??= this.#pump();
    });
  }

  /**
   * A sink's cursor; made at its first use, at the oldest entry there is or after the newest. `before` counts the
   * lines by source that were owed before it was there. One whose journal was damaged begins at the oldest entry.
   */
  cursor(
    name: string,
    startAt: 'oldest' | 'now' = 'oldest',
    before: Readonly<Record<string, number>> = {},
  ): Promise<BufferCursor> {
    if (this.#cursors.isUnreadable(name)) return this.#cursorAnew(name, before);
    if (startAt === 'oldest') return this.#cursors.get(name, { ...this.#oldest(), ...countsOf({}) });
    return this.#cursors.get(name, { at: this.#lastSeq, batch: this.#nextBatch, ...countsOf(before) });
  }

  /** Removes the cursors of all other sinks, so that they no longer hold segments. */
  async retainCursors(names: ReadonlySet<string>): Promise<void> {
    await this.#cursors.retain(names);
    this.advanced();
  }

  /** Stores the agent's state as of `state.seq`, which must be durable. False where the disk would not take it. */
  async snapshot(state: SnapshotState): Promise<boolean> {
    if (state.seq > this.#lastSeq)
      throw new Error(`snapshot of entry ${state.seq}, but the last is ${this.#lastSeq}`);
    this.#snapshotsAsked++;
    return this.#snapshotMutex.run(async () => {
      try {
        await this.#reserve.during(() => this.#snapshots.write(state, this.#nextBatch));
      } catch (error) {
        if (!isDiskTrouble(error)) throw error;
        this.log.warn({ error: error.message }, 'snapshot could not be written; the one before it stays');
        return false;
      } finally {
        this.#snapshotsEnded++;
      }
      this.#space.snapshotTaken();
      return true;
    });
  }

  /** Files of it that were there and are not any more, though nobody of ours removed them. */
  missing(): readonly string[] {
    const { segments } = this.#segments;
    const cursors = this.#cursors.fileNames.map((name) => path.join(this.#directory, name));
    const files = [...segments.map((segment) => segment.path), ...this.#snapshots.files, ...cursors];
    return files.filter((file) => !existsSync(file));
  }

  /** Writes anew what was removed behind our back, as far as it is in memory. A snapshot must follow. */
  async renew(): Promise<void> {
    await makeFolderDurably(this.#directory, 0o700, 'buffer.folder');
    for (const { path: segment } of await this.#space.forgetMissing(() => this.#lastSeq + 1))
      this.#damage.push({ segment, offset: 0, reason: 'the file was removed while the agent ran' });
    this.#snapshots.forgetMissing();
    await this.#cursors.renew();
    await this.#reserve.renew();
  }

  stats(): BufferStats {
    const reason = this.#space.fullReason;
    return {
      state: reason === undefined ? 'ok' : 'full',
      ...(reason === undefined ? {} : { fullReason: reason }),
      bytes: this.#segments.bytes,
      limitBytes: this.#options.maxBytes,
      segments: this.#segments.segments.length,
      firstSeq: this.#segments.segments[0]?.firstSeq ?? this.#lastSeq + 1,
      lastSeq: this.#lastSeq,
      nextBatch: this.#nextBatch,
      coveredSeq: this.#snapshots.coveredSeq,
      commits: this.#commits,
      samples: this.#samples,
      fdatasyncs: this.#segments.syncs,
      damage: this.#damage,
      tornBytes: this.#tornBytes,
    };
  }

  /** For those who watch that it goes on: writing entries, snapshots, and making room. */
  parts(): readonly PartState[] {
    const reason = this.#space.fullReason;
    const full = reason === 'disk' ? 'the disk of state_dir is full or failing' : 'the buffer is full';
    const { isReclaiming, reclaims } = this.#space;
    const [asked, ended] = [this.#snapshotsAsked, this.#snapshotsEnded];
    return [
      {
        part: 'buffer',
        name: 'append',
        waits: this.#pumping !== undefined,
        progress: this.#lastSeq,
        reason: reason === undefined ? undefined : full,
      },
      { part: 'buffer', name: 'snapshot', waits: asked > ended, progress: ended },
      { part: 'buffer', name: 'reclaim', waits: isReclaiming, progress: reclaims },
    ];
  }

  /** Lets a write under way end, refuses those that wait, and stores the cursors. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#space.stop();
    this.added.fire();
    await this.#pumping;
    await this.#snapshotMutex.run(() => Promise.resolve());
    await this.#cursors.close();
    await this.#space.close();
  }

  recent(seq: number): NumberedEntry | undefined {
    return this.#recent.get(seq);
  }

  /** Something that holds segments moved. */
  advanced(): void {
    this.#forget();
    this.#space.advanced();
  }

  #forget(): void {
    this.#recent.forget(this.#cursors.settledThrough, this.#cursors.inDoubt > 0);
  }

  /** From the oldest entry: what the entries hold was not owed before it, and comes to it (again). */
  async #cursorAnew(name: string, owed: Readonly<Record<string, number>>): Promise<BufferCursor> {
    const oldest = this.#oldest();
    const before = new Map(Object.entries(owed));
    for await (const entry of this.#reader().between(oldest.at + 1, this.#lastSeq)) {
      for (const [source, lines] of owedLines(entry).owed)
        before.set(source, Math.max(0, (before.get(source) ?? 0) - lines));
    }
    return this.#cursors.get(name, { ...oldest, ...countsOf(Object.fromEntries(before)) });
  }

  #oldest(): { readonly at: number; readonly batch: number } {
    return { at: (this.#segments.segments[0]?.firstSeq ?? this.#lastSeq + 1) - 1, batch: 1 };
  }

  async #openCursors(): Promise<void> {
    for (const cursor of await this.#cursors.load()) {
      this.#lastSeq = Math.max(this.#lastSeq, cursor.settledThrough);
      this.#nextBatch = Math.max(this.#nextBatch, cursor.settledBatch);
    }
  }

  /**
   * Where a snapshot or a cursor knows of entries that are in no segment, and no torn tail explains it, segments are
   * gone, and with them the numbers that were given to what may have been shipped.
   */
  #burnNumbers({ lastSeq, tornBytes }: Recovered): void {
    if (lastSeq >= this.#lastSeq || tornBytes > 0) return;
    this.#damage.push({ segment: '', offset: 0, reason: 'segments at the end of the buffer are gone' });
    this.log.error(
      { lastInSegments: lastSeq, lastKnown: this.#lastSeq },
      'entries are missing at the end of the buffer; what was in them and not delivered is lost',
    );
    this.#lastSeq += NUMBERS_IN_DOUBT;
    this.#nextBatch += NUMBERS_IN_DOUBT;
  }

  async #pump(): Promise<void> {
    for (let job = this.#queue.shift(); job !== undefined; job = this.#queue.shift()) {
      try {
        job.resolve(await this.#store(job.draft));
      } catch (error) {
        job.reject(error);
      }
    }
    this.#pumping = undefined;
  }

  /** The last entry made of it: a commit that finds no room as a whole goes in parts, each of whole slices. */
  async #store(draft: Draft): Promise<Entry> {
    const parts = halves(draft);
    const stored = await this.#storeWhole(draft, parts !== undefined);
    if (stored !== undefined) return stored;
    const [first, second] = parts!;
    await this.#store(first);
    return this.#store(second);
  }

  async #storeWhole(draft: Draft, divisible: boolean): Promise<Entry | undefined> {
    const deflated = draft.kind === 'samples' ? await deflateAsync(draft.otlp, { level: 1 }) : undefined;
    const entry = this.#numbered(draft);
    const nextBatch = this.#nextBatch + (entry.kind === 'commit' ? entry.batches.length : 0);
    const encoded = encodeEntry(entry, nextBatch, deflated);
    if (!(await this.#space.write(entry.seq, encoded, divisible))) return undefined;
    this.#lastSeq = entry.seq;
    this.#nextBatch = nextBatch;
    if (entry.kind === 'commit') this.#commits++;
    else this.#samples++;
    this.#recent.push(entry, nextBatch, encoded.bytes);
    for (const listener of this.#listeners) listener(entry);
    this.#forget();
    this.added.fire();
    this.#space.wrote(encoded.bytes);
    return entry;
  }

  #numbered(draft: Draft): Entry {
    const seq = this.#lastSeq + 1;
    if (draft.kind === 'samples') return { ...draft, seq };
    const { batchMaxBytes, batchMaxRecords } = { ...BUFFER_DEFAULTS, ...this.#options };
    return {
      ...draft,
      seq,
      batches: assignBatches(draft.slices, this.#nextBatch, { batchMaxBytes, batchMaxRecords }),
    };
  }

  #reader(takesHollow = false): EntryReader {
    const onDamage = (report: DamageReport): void => {
      this.#damage.push(report);
      this.log.error(report, 'buffer segment is damaged; what could not be read is skipped');
    };
    return new EntryReader(this.#segments, onDamage, takesHollow);
  }
}

interface Parts {
  readonly directory: string;
  readonly segments: SegmentLog;
  readonly snapshots: SnapshotStore;
  readonly reserve: DiskReserve;
  readonly damage: readonly DamageReport[];
  readonly hadDamage: boolean;
  readonly tornBytes: number;
  readonly lastSeq: number;
  readonly nextBatch: number;
}

/** The counts of a cursor that nothing was delivered to: of each source, the lines that were owed before it. */
function countsOf(before: Readonly<Record<string, number>>): Omit<CursorState, 'at' | 'batch'> {
  const lost = Object.entries(before)
    .filter(([, lines]) => lines > 0)
    .map(([source, lines]) => [source, { before: lines }] as const);
  return { delivered: {}, records: {}, lost: Object.fromEntries(lost), aside: {}, twice: {} };
}

/** Without the state that old entries led to, going on would count old lines again. */
function refuseWithoutSnapshot(directory: string, allDamaged: boolean, firstSeq: number | undefined): void {
  const reachesBack = firstSeq === undefined ? !allDamaged : firstSeq === 1;
  if (reachesBack) return;
  const what = allDamaged ? 'every snapshot is damaged' : 'the snapshots are missing';
  throw new StartRefused(
    `${directory}: ${what} and older entries are gone, so positions and counters are not known; ` +
      'restore the directory from a copy, or move it away to start anew (files are then read again as start_at says)',
  );
}
