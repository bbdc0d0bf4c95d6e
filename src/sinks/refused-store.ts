import fs from 'node:fs/promises';
import path from 'node:path';
import type { AsideEnd, Cursor } from '../model/sink.ts';
import { renameDurably, unlinkFile, writeFileAtomically } from '../platform/durable-files.ts';
import type { Log } from '../platform/log.ts';
import { makeFolder } from '../platform/make-folder.ts';
import { decodeRefused, encodeRefused, type RefusedFacts, type RefusedItem } from './refused-item.ts';

const AREA = 'sinks.refused';
const SUFFIX = '.refused';
const ENDING = '.ending';
/** Many small files are slow to list, and the cursor's journal names each. */
const ITEMS_MAX = 10_000;
/** Metrics come again by themselves: of these only the newest are kept, in this part of the room. */
const METRICS_PART = 1 / 8;

export interface RefusedStoreOptions {
  /** The sink's own folder of state. */
  readonly dir: string;
  readonly maxBytes: number;
  /** Whose `setAside` says what counts: a file that it does not name is left over from a crash. */
  readonly cursor: Pick<Cursor, 'setAside' | 'endAside' | 'settledThrough'>;
  readonly log: Log;
}

interface Kept {
  readonly facts: RefusedFacts;
  readonly bytes: number;
}

/**
 * What a receiver refused for good, a file each. The order that keeps the ledger exact: a file is durable before its id
 * is in the cursor's journal, in one line with its entry's progress; the id is out of that journal, durably, before the
 * file goes. What is between the two at a crash is put right at the next start: an entry that was not settled comes again.
 */
export class RefusedStore {
  readonly #o: RefusedStoreOptions;
  readonly #dir: string;
  readonly #kept = new Map<string, Kept>();
  #bytes = 0;
  #metricsBytes = 0;
  #loaded: Promise<void> | undefined;

  constructor(options: RefusedStoreOptions) {
    this.#o = options;
    this.#dir = path.join(options.dir, 'refused');
  }

  /** To be awaited before anything else. */
  load(): Promise<void> {
    this.#loaded ??= this.#load().catch((error: unknown) => {
      // Whoever asks next tries again.
      this.#loaded = undefined;
      throw error;
    });
    return this.#loaded;
  }

  get items(): number {
    return this.#kept.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get maxBytes(): number {
    return this.#o.maxBytes;
  }

  /** The oldest first. */
  list(): readonly RefusedFacts[] {
    return [...this.#kept.values()]
      .map(({ facts }) => facts)
      .sort((a, b) => a.refusedAtMs - b.refusedAtMs || a.id.localeCompare(b.id));
  }

  /** Undefined where there is none, or its file is damaged. */
  async read(id: string): Promise<RefusedItem | undefined> {
    if (!this.#kept.has(id)) return undefined;
    const bytes = await fs.readFile(this.#file(id)).catch(() => undefined);
    return bytes === undefined ? undefined : decodeRefused(bytes);
  }

  /** Durable when it returns. False where there is no room for it. Throws what the disk refuses. */
  async put(item: RefusedItem): Promise<boolean> {
    await this.load();
    const bytes = encodeRefused(item);
    if (item.kind === 'metrics') await this.#makeRoomForMetrics(bytes.length);
    const before = this.#kept.get(item.id)?.bytes ?? 0;
    const isFull = this.#bytes - before + bytes.length > this.#o.maxBytes || this.#kept.size >= ITEMS_MAX;
    if (isFull) return false;
    await writeFileAtomically(this.#file(item.id), [bytes], AREA);
    this.#forget(item.id);
    const { body: _, ...facts } = item;
    this.#note(facts, bytes.length);
    return true;
  }

  /** It was delivered after all, or is given up. */
  async end(id: string, end: AsideEnd): Promise<void> {
    const ending = this.#file(id, ENDING);
    await renameDurably(this.#file(id), ending, AREA);
    await this.#o.cursor.endAside(id, end);
    await unlinkFile(ending, AREA);
    this.#forget(id);
  }

  async #load(): Promise<void> {
    const { cursor, log } = this.#o;
    makeFolder(this.#dir, 0o700);
    this.#kept.clear();
    this.#bytes = this.#metricsBytes = 0;
    for (const name of await fs.readdir(this.#dir)) {
      const file = path.join(this.#dir, name);
      if (name.endsWith('.tmp')) await fs.rm(file, { force: true });
      else if (name.endsWith(ENDING)) await this.#loadEnding(file, name.slice(0, -ENDING.length));
      else if (name.endsWith(SUFFIX)) await this.#loadFile(file, name.slice(0, -SUFFIX.length));
    }
    for (const id of cursor.setAside.keys()) {
      if (this.#kept.has(id)) continue;
      log.error(
        { file: this.#file(id) },
        'what was set aside is gone or damaged; its lines are counted as lost',
      );
      await cursor.endAside(id, { kind: 'lost', reason: 'rejected' });
    }
  }

  async #loadFile(file: string, id: string): Promise<void> {
    const { cursor, log } = this.#o;
    const item = decodeRefused(await fs.readFile(file));
    if (item === undefined || item.id !== id) {
      log.error({ file }, 'a file of what was set aside is damaged; it is renamed');
      await renameDurably(file, `${file}.damaged`, AREA);
      return;
    }
    const { body, ...facts } = item;
    if (facts.kind === 'metrics' || cursor.setAside.has(id))
      this.#note(facts, body.length + Buffer.byteLength(JSON.stringify(facts)));
    else if (facts.entry > cursor.settledThrough) await unlinkFile(file, AREA);
    else {
      log.warn(
        { file },
        'what was set aside is in no ledger (a cursor was damaged or begun anew); its file is renamed',
      );
      await renameDurably(file, `${file}.unclaimed`, AREA);
    }
  }

  /** Its end was decided, and perhaps not written down. */
  async #loadEnding(file: string, id: string): Promise<void> {
    if (!this.#o.cursor.setAside.has(id)) return unlinkFile(file, AREA);
    await renameDurably(file, this.#file(id), AREA);
    await this.#loadFile(this.#file(id), id);
  }

  async #makeRoomForMetrics(bytes: number): Promise<void> {
    const metrics = this.list().filter(({ kind }) => kind === 'metrics');
    for (const { id } of metrics) {
      if (this.#metricsBytes + bytes <= this.#o.maxBytes * METRICS_PART) return;
      await unlinkFile(this.#file(id), AREA);
      this.#forget(id);
    }
  }

  #note(facts: RefusedFacts, bytes: number): void {
    this.#kept.set(facts.id, { facts, bytes });
    this.#bytes += bytes;
    if (facts.kind === 'metrics') this.#metricsBytes += bytes;
  }

  #forget(id: string): void {
    const kept = this.#kept.get(id);
    if (kept === undefined) return;
    this.#kept.delete(id);
    this.#bytes -= kept.bytes;
    if (kept.facts.kind === 'metrics') this.#metricsBytes -= kept.bytes;
  }

  #file(id: string, suffix = SUFFIX): string {
    return path.join(this.#dir, `${id}${suffix}`);
  }
}
