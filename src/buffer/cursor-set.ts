import fs from 'node:fs/promises';
import { isDiskTrouble } from '../platform/durable-files.ts';
import { BufferCursor, type CursorHost } from './buffer-cursor.ts';
import { cursorFileName, CursorJournal, type CursorState, parseCursorFileName } from './cursor-journal.ts';
import { silentLog } from '../platform/log.ts';
import type { DroppedEntry } from './cursor-progress.ts';
import type { EntryReader } from './entry-reader.ts';

/** The cursors of a buffer. One that lies on disk holds its segments even before its sink asks for it. */
export class CursorSet {
  readonly #directory: string;
  readonly #host: CursorHost;
  readonly #reader: () => EntryReader;
  readonly #cursors = new Map<string, BufferCursor>();
  /** Of sinks whose cursor could not be read. */
  readonly #unreadable = new Map<string, CursorJournal>();
  #hasDamage = false;

  constructor(directory: string, host: CursorHost, reader: () => EntryReader) {
    this.#directory = directory;
    this.#host = host;
    this.#reader = reader;
  }

  async load(): Promise<BufferCursor[]> {
    for (const file of await fs.readdir(this.#directory)) {
      const name = parseCursorFileName(file);
      if (name === undefined) continue;
      const journal = await CursorJournal.open(this.#directory, name, this.#host);
      this.#hasDamage ||= journal.damaged;
      if (!journal.found) {
        this.#unreadable.set(name, journal);
        this.#host.log.error(
          { sink: name },
          'cursor is damaged; its sink begins at the oldest entry, and its counts at 0',
        );
        continue;
      }
      await journal.resume();
      this.#cursors.set(name, new BufferCursor(name, this.#host, journal, this.#reader()));
    }
    return [...this.#cursors.values()];
  }

  /** For a sink that begins: after what is settled, whoever used the cursor before. */
  async get(name: string, initial: CursorState): Promise<BufferCursor> {
    const known = this.#cursors.get(name);
    if (known !== undefined) {
      known.rewind();
      return known;
    }
    const journal =
      this.#unreadable.get(name) ?? (await CursorJournal.open(this.#directory, name, this.#host));
    await journal.begin(initial);
    this.#unreadable.delete(name);
    const cursor = new BufferCursor(name, this.#host, journal, this.#reader());
    this.#cursors.set(name, cursor);
    return cursor;
  }

  async retain(names: ReadonlySet<string>): Promise<void> {
    for (const [name, cursor] of this.#cursors) {
      if (names.has(name)) continue;
      this.#cursors.delete(name);
      const entries = this.#host.lastSeq - cursor.settledThrough;
      if (entries > 0) {
        this.#host.log.warn(
          { sink: name, entries },
          'the sink is gone from the configuration; entries that it had not delivered are given up',
        );
      }
      try {
        await cursor.remove();
      } catch (error) {
        if (!isDiskTrouble(error)) throw error;
        // It holds nothing any more; a start removes it, and a sink of its name begins it anew.
        this.#host.log.warn({ sink: name, code: error.code }, 'the cursor of a removed sink stays on disk');
      }
    }
  }

  /** Nothing of it could be read, and its sink has not begun anew yet. */
  isUnreadable(name: string): boolean {
    return this.#unreadable.has(name);
  }

  /** What some lines of a cursor counted could not be read. */
  get hasDamage(): boolean {
    return this.#hasDamage;
  }

  /** Entries that every cursor has settled; without cursors nothing is waited for. */
  get settledThrough(): number {
    let least = Number.MAX_SAFE_INTEGER;
    for (const cursor of this.#cursors.values()) least = Math.min(least, cursor.settledThrough);
    return least;
  }

  /** Entries that were dropped while a sink delivers them. */
  get inDoubt(): number {
    let sum = 0;
    for (const cursor of this.#cursors.values()) sum += cursor.inDoubt;
    return sum;
  }

  drop(entries: readonly DroppedEntry[], through: number): void {
    for (const cursor of this.#cursors.values()) cursor.drop(entries, through, 'buffer_full');
  }

  /** Of the cursors there are. */
  get fileNames(): readonly string[] {
    return [...this.#cursors.keys()].map(cursorFileName);
  }

  /** Their files were removed behind our back. */
  async renew(): Promise<void> {
    for (const cursor of this.#cursors.values()) await cursor.renew();
  }

  async persist(): Promise<void> {
    for (const cursor of this.#cursors.values()) await cursor.persist();
  }

  async close(): Promise<void> {
    for (const cursor of this.#cursors.values()) await cursor.close();
  }
}

/** The newest entry that some cursor says was settled, which so was durable; read before the segments are mended. */
export async function settledOnDisk(directory: string, host: Pick<CursorHost, 'clock'>): Promise<number> {
  let newest = 0;
  for (const file of await fs.readdir(directory)) {
    const name = parseCursorFileName(file);
    if (name === undefined) continue;
    // What is wrong with it is said when it is opened to be used.
    const { found, state } = await CursorJournal.open(directory, name, { clock: host.clock, log: silentLog });
    if (found) newest = Math.max(newest, state.at);
  }
  return newest;
}
