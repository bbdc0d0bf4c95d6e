import { existsSync } from 'node:fs';
import path from 'node:path';
import { DurableFile, syncDirectory, unlinkFile } from '../platform/durable-files.ts';
import type { EncodedEntry } from './entry-codec.ts';
import type { Segment } from './recover-segments.ts';
import { encodeSegmentHeader, SEGMENT_HEADER_BYTES, segmentName } from './segment-header.ts';

/**
 * The segments of a buffer: entries go to the end of the last, whole segments go from the front. One call at a time.
 * An append that throws has left nothing behind that a later append builds on.
 */
export class SegmentLog {
  readonly #directory: string;
  readonly #segmentBytes: number;
  readonly #durable: boolean;
  /** Ascending. `bytes` and `lastSeq` of the last grow only after a sync. */
  readonly #segments: Segment[];
  #file: DurableFile | undefined;
  /** A failed write or cut may have left bytes beyond the last segment's `bytes`. */
  #unclean = false;
  #bytes: number;
  #syncs = 0;

  constructor(directory: string, segments: Segment[], segmentBytes: number, durable: boolean) {
    this.#directory = directory;
    this.#segments = segments;
    this.#segmentBytes = segmentBytes;
    this.#durable = durable;
    this.#bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0);
  }

  get segments(): readonly Segment[] {
    return this.#segments;
  }

  /** Of all segments, headers included. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Syncs of entries since the start. */
  get syncs(): number {
    return this.#syncs;
  }

  /** The first segment that may hold an entry numbered `seq` or higher. */
  segmentFor(seq: number): Segment | undefined {
    let low = 0;
    let high = this.#segments.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#segments[middle]!.lastSeq < seq) low = middle + 1;
      else high = middle;
    }
    return this.#segments[low];
  }

  /** Durable when it returns. */
  async append(seq: number, entry: EncodedEntry): Promise<void> {
    const last = this.#segments.at(-1);
    const full = last !== undefined && holdsEntries(last) && last.bytes + entry.bytes > this.#segmentBytes;
    if (last === undefined || last.older === true || full) await this.#begin(seq);
    const segment = this.#segments.at(-1)!;
    const file = await this.#openLast(segment);
    this.#unclean = true;
    try {
      await file.append(entry.parts);
      if (this.#durable) await file.sync();
    } catch (error) {
      // At once: on a full disk, cursors and snapshots, which let segments go, need the space that it took.
      await this.#cut(segment).catch(() => undefined);
      throw error;
    }
    this.#unclean = false;
    this.#syncs++;
    segment.bytes += entry.bytes;
    segment.lastSeq = seq;
    this.#bytes += entry.bytes;
  }

  /** Ends the last segment, so that it can be released; the next entry begins a new one. */
  async seal(nextSeq: number): Promise<void> {
    const last = this.#segments.at(-1);
    if (last !== undefined && holdsEntries(last)) await this.#begin(nextSeq);
  }

  /** Removes whole segments from the front, all of whose entries are numbered `seq` or lower; never the last. */
  async release(seq: number): Promise<boolean> {
    let released = false;
    while (this.#segments.length > 1 && this.#segments[0]!.lastSeq <= seq) {
      const segment = this.#segments[0]!;
      await unlinkFile(segment.path, 'buffer.segment');
      this.#segments.shift();
      this.#bytes -= segment.bytes;
      released = true;
    }
    if (released) await syncDirectory(this.#directory, 'buffer.segment');
    return released;
  }

  /** Forgets segments whose files were removed behind our back, and begins anew where none is left. */
  async forgetMissing(nextSeq: number): Promise<readonly Segment[]> {
    const gone = this.#segments.filter(({ path: file }) => !existsSync(file));
    if (gone.includes(this.#segments.at(-1)!)) {
      await this.close();
      this.#unclean = false;
    }
    for (const segment of gone) {
      this.#segments.splice(this.#segments.indexOf(segment), 1);
      this.#bytes -= segment.bytes;
    }
    if (this.#segments.length === 0) await this.#begin(nextSeq);
    return gone;
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async #begin(firstSeq: number): Promise<void> {
    if (this.#unclean) await this.#cut(this.#segments.at(-1)!);
    const file = path.join(this.#directory, segmentName(firstSeq));
    await unlinkFile(file, 'buffer.segment');
    const handle = await DurableFile.create(file, 'buffer.segment');
    try {
      await handle.append([encodeSegmentHeader(firstSeq)]);
      await handle.sync();
      await syncDirectory(this.#directory, 'buffer.segment');
    } catch (error) {
      await handle.close();
      await unlinkFile(file, 'buffer.segment');
      throw error;
    }
    await this.close();
    this.#file = handle;
    if (this.#segments.at(-1)?.path === file) this.#bytes -= this.#segments.pop()!.bytes;
    this.#segments.push({ path: file, firstSeq, lastSeq: firstSeq - 1, bytes: SEGMENT_HEADER_BYTES });
    this.#bytes += SEGMENT_HEADER_BYTES;
  }

  async #openLast(segment: Segment): Promise<DurableFile> {
    if (this.#unclean) await this.#cut(segment);
    this.#file ??= await DurableFile.open(segment.path, 'buffer.segment');
    return this.#file;
  }

  /** What a failed write or sync left goes before anything else is written: no sync can vouch for it any more. */
  async #cut(segment: Segment): Promise<void> {
    await this.close();
    const file = await DurableFile.open(segment.path, 'buffer.segment');
    try {
      await file.truncate(segment.bytes);
    } catch (error) {
      await file.close();
      throw error;
    }
    this.#file = file;
    this.#unclean = false;
  }
}

function holdsEntries(segment: Segment): boolean {
  return segment.lastSeq >= segment.firstSeq;
}
