import type { Entry } from '../model/entry.ts';
import type { AsideEnd, Cursor, Outcome } from '../model/sink.ts';
import type { LossReason } from '../model/line-counts.ts';
import type { Clock, Timer } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { isDiskTrouble } from '../platform/durable-files.ts';
import type { CursorJournal } from './cursor-journal.ts';
import { CursorProgress, type DroppedEntry } from './cursor-progress.ts';
import type { EntryReader } from './entry-reader.ts';
import type { NumberedEntry } from './recent-entries.ts';
import { owedLines } from './owed-lines.ts';
import { orAborted, type Signal } from './signal.ts';

/** What a cursor needs of the buffer. */
export interface CursorHost {
  readonly clock: Clock;
  readonly log: Log;
  readonly lastSeq: number;
  /** Fires when entries were added and when the buffer closes. */
  readonly added: Signal;
  readonly closed: boolean;
  recent(seq: number): NumberedEntry | undefined;
  /** A cursor moved: perhaps a segment can go. */
  advanced(): void;
}

/** How long progress may be on its way to the disk's platters; a crash of the process alone loses none of it. */
const SYNC_INTERVAL_MS = 1000;
const RETRY_MS = 1000;

/** A sink's place in the buffer, kept in its journal. `take` is for one caller at a time. */
export class BufferCursor implements Cursor {
  readonly name: string;
  readonly #host: CursorHost;
  readonly #journal: CursorJournal;
  readonly #reader: EntryReader;
  readonly #progress: CursorProgress;
  #next: number;
  #dirty = false;
  /** Also what a process before us wrote and may not have synced. */
  #unsynced = true;
  #writing: Promise<void> = Promise.resolve();
  #scheduled = false;
  #timer: Timer | undefined;
  #failing = false;

  constructor(name: string, host: CursorHost, journal: CursorJournal, reader: EntryReader) {
    this.name = name;
    this.#host = host;
    this.#journal = journal;
    this.#reader = reader;
    this.#progress = new CursorProgress(journal.state);
    this.#next = journal.state.at + 1;
  }

  get settledThrough(): number {
    return this.#progress.at;
  }

  get settledBatch(): number {
    return this.#progress.batch;
  }

  /** Lines by source over the life of the cursor, of entries up to `settledThrough`. */
  get delivered(): ReadonlyMap<string, number> {
    return this.#progress.delivered;
  }

  /** Records by source, likewise. */
  get records(): ReadonlyMap<string, number> {
    return this.#progress.records;
  }

  /** Lines by source and reason, likewise. */
  get lost(): ReadonlyMap<string, ReadonlyMap<string, number>> {
    return this.#progress.lost;
  }

  /** What the receiver refused and the sink keeps, by id: lines by source. */
  get setAside(): ReadonlyMap<string, ReadonlyMap<string, number>> {
    return this.#progress.setAside;
  }

  /** Lines of it by source. */
  get setAsideLines(): ReadonlyMap<string, number> {
    return this.#progress.setAsideLines;
  }

  /** Lines of `delivered` by source that another store may have too. */
  get possiblyTwice(): ReadonlyMap<string, number> {
    return this.#progress.possiblyTwice;
  }

  async endAside(id: string, end: AsideEnd): Promise<void> {
    if (!this.#progress.endAside(id, end)) return;
    this.#changed();
    await this.persist();
  }

  /** Dropped entries that are still under way to the receiver. */
  get inDoubt(): number {
    return this.#progress.inDoubt;
  }

  /** Lines by source of the entries passed, as the entries say. */
  get passed(): ReadonlyMap<string, number> {
    return this.#progress.passed;
  }

  /** Lines of entries that a damaged segment held: `owed` is all that was ever owed. Only when everything is settled. */
  reconcile(owed: ReadonlyMap<string, number>): void {
    if (this.settledThrough < this.#host.lastSeq) return;
    if (this.#progress.reconcile(owed, 'buffer_damaged')) this.#changed();
  }

  async take(signal: AbortSignal): Promise<Entry | undefined> {
    while (!signal.aborted && !this.#host.closed) {
      const added = this.#host.added.current;
      const found = await this.#read();
      // What was dropped while it was read from disk is counted already.
      if (found !== undefined && found.entry.seq < this.#next) continue;
      if (found !== undefined) {
        this.#next = found.entry.seq + 1;
        this.#progress.take(found.entry.seq, found.nextBatch, owedLines(found.entry).owed);
        return found.entry;
      }
      await orAborted(added, signal);
    }
    return undefined;
  }

  /** Another sink takes over, while nobody takes: what the one before took and did not settle comes again. */
  rewind(): void {
    this.#progress.giveBack();
    this.#next = this.#progress.at + 1;
  }

  settle(seq: number, outcome: Outcome): void {
    if (this.#progress.settle(seq, outcome)) this.#changed();
  }

  stopped(seq: number, arrived: Outcome): void {
    if (this.#progress.stopped(seq, arrived)) this.#changed();
  }

  /** Gives up entries, all up to `through`, so that their segment can go. */
  drop(entries: readonly DroppedEntry[], through: number, reason: LossReason): void {
    this.#progress.drop(entries, through, reason);
    this.#next = Math.max(this.#next, this.#progress.at + 1);
    this.#changed();
  }

  /** Progress so far is on disk, for good, when it returns. */
  async persist(): Promise<void> {
    const before = this.#writing;
    const run = before.then(async () => {
      await this.#write();
      if (this.#unsynced) await this.#journal.sync();
      this.#unsynced = false;
    });
    this.#writing = run.catch(() => {});
    return run;
  }

  /** Its file was removed behind our back. */
  async renew(): Promise<void> {
    await this.persist();
    await this.#journal.renew();
  }

  async close(): Promise<void> {
    this.#timer?.cancel();
    await this.persist().catch((error: unknown) => this.#failed(error));
    await this.#reader.close();
    await this.#journal.close();
  }

  /** The sink is gone from the configuration. */
  async remove(): Promise<void> {
    await this.#writing;
    // What the disk refused is not tried again: that would bring the file back.
    this.#timer?.cancel();
    this.#dirty = this.#unsynced = false;
    await this.#reader.close();
    await this.#journal.remove();
  }

  async #read(): Promise<NumberedEntry | undefined> {
    if (this.#next > this.#host.lastSeq) return undefined;
    const recent = this.#host.recent(this.#next);
    if (recent !== undefined) {
      await this.#reader.close();
      return recent;
    }
    while (!this.#host.closed) {
      try {
        return await this.#reader.read(this.#next);
      } catch (error) {
        if (!isDiskTrouble(error)) throw error;
        this.#host.log.error({ sink: this.name, code: error.code }, 'buffer cannot be read; trying again');
        await this.#reader.close();
        await new Promise<void>((resolve) => this.#host.clock.setTimeout(resolve, RETRY_MS));
      }
    }
    return undefined;
  }

  #changed(): void {
    this.#dirty = true;
    this.#schedule();
    this.#host.advanced();
  }

  /** Coalesces: while one write is under way, all changes wait for the next. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#writing = this.#writing
      .then(async () => {
        this.#scheduled = false;
        await this.#write();
      })
      .catch((error: unknown) => this.#failed(error));
  }

  async #write(): Promise<void> {
    if (!this.#dirty) return;
    this.#dirty = false;
    try {
      await this.#journal.write(this.#progress.state());
    } catch (error) {
      this.#dirty = true;
      throw error;
    }
    this.#unsynced = true;
    this.#failing = false;
    this.#syncLater();
  }

  #syncLater(): void {
    if (this.#timer !== undefined) return;
    this.#timer = this.#host.clock.setTimeout(() => {
      this.#timer = undefined;
      this.persist().catch((error: unknown) => this.#failed(error));
    }, SYNC_INTERVAL_MS);
  }

  #failed(error: unknown): void {
    if (!this.#failing) {
      this.#host.log.error(
        { sink: this.name, error: String(error) },
        'cursor cannot be written; kept in memory and tried again',
      );
    }
    this.#failing = true;
    if (!this.#host.closed) this.#syncLater();
  }
}
