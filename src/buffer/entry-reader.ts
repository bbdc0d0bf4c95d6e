import type { Entry } from '../model/entry.ts';
import type { NumberedEntry } from './recent-entries.ts';
import { CorruptEntry } from './corrupt-entry.ts';
import { decodeEntry } from './entry-codec.ts';
import type { DamageReport, Segment } from './recover-segments.ts';
import { SegmentReader } from './segment-reader.ts';

/** Where the segments are now; they come and go while a reader reads. */
export interface SegmentSource {
  /** The first segment that may hold an entry numbered `seq` or higher. */
  segmentFor(seq: number): Segment | undefined;
}

/** Reads entries in order from disk, one piece of a segment in memory at a time. Damage is reported and stepped over. */
export class EntryReader {
  readonly #source: SegmentSource;
  readonly #onDamage: (report: DamageReport) => void;
  readonly #takesHollow: boolean;
  #open: { readonly reader: SegmentReader; readonly segment: Segment } | undefined;
  /** The open reader may have left behind all entries below this number. */
  #ahead = 0;

  /** `takesHollow`: gives commits of which only the table is left as well. */
  constructor(source: SegmentSource, onDamage: (report: DamageReport) => void, takesHollow = false) {
    this.#source = source;
    this.#onDamage = onDamage;
    this.#takesHollow = takesHollow;
  }

  /**
   * The first entry numbered `seq` or higher that is durable, or undefined if there is none yet. Going on from the one
   * before costs nothing; going back, as when a cursor is rewound, begins the segment anew.
   */
  async read(seq: number): Promise<NumberedEntry | undefined> {
    if (seq < this.#ahead) await this.close();
    this.#ahead = seq;
    for (let wanted = seq; ;) {
      const segment = this.#source.segmentFor(wanted);
      if (segment === undefined) return undefined;
      const reader = await this.#reader(segment);
      if (reader === undefined) {
        wanted = this.#skipVanished(segment, wanted);
        continue;
      }
      reader.extend(segment.bytes);
      const entry = await this.#next(reader, segment, wanted);
      if (entry !== undefined) {
        this.#ahead = entry.entry.seq + 1;
        return entry;
      }
      wanted = Math.max(wanted, segment.lastSeq + 1);
    }
  }

  /** The entries from one number to another, with that included; then the reader is closed. */
  async *numbered(from: number, to: number): AsyncGenerator<NumberedEntry> {
    try {
      for (let seq = from; seq <= to;) {
        const found = await this.read(seq);
        if (found === undefined || found.entry.seq > to) return;
        yield found;
        seq = found.entry.seq + 1;
      }
    } finally {
      await this.close();
    }
  }

  async *between(from: number, to: number): AsyncGenerator<Entry> {
    for await (const { entry } of this.numbered(from, to)) yield entry;
  }

  async close(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    await open?.reader.close();
  }

  async #reader(segment: Segment): Promise<SegmentReader | undefined> {
    if (this.#open?.segment === segment) return this.#open.reader;
    await this.close();
    try {
      const reader = await SegmentReader.open(segment.path, segment.bytes);
      this.#open = { reader, segment };
      return reader;
    } catch (error) {
      // Released between asking for it and opening it.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** A released segment is no longer in the list; one that is was removed behind our back. */
  #skipVanished(segment: Segment, wanted: number): number {
    if (this.#source.segmentFor(wanted) !== segment) return wanted;
    this.#onDamage({ segment: segment.path, offset: 0, reason: 'the file is gone' });
    return segment.lastSeq + 1;
  }

  async #next(reader: SegmentReader, segment: Segment, wanted: number): Promise<NumberedEntry | undefined> {
    for (let found = await reader.next(wanted); found !== undefined; found = await reader.next(wanted)) {
      if (found.kind === 'damage') {
        this.#onDamage({ segment: segment.path, offset: found.offset, reason: found.reason });
        continue;
      }
      if (found.header.kind === 'hollow' && !this.#takesHollow) continue;
      try {
        const entry = decodeEntry(found.header, found.payload, segment.path, found.offset);
        return { entry, nextBatch: found.header.nextBatch };
      } catch (error) {
        if (!(error instanceof CorruptEntry)) throw error;
        this.#onDamage({ segment: segment.path, offset: found.offset, reason: error.reason });
      }
    }
    return undefined;
  }
}
