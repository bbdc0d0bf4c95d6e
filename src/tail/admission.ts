import { errorCode } from '../platform/files.ts';
import type { Log } from '../platform/log.ts';
import { shownPath } from '../platform/path-bytes.ts';
import { gzipContentSize, readHead } from './copies.ts';
import { detectEncoding } from './detect-encoding.ts';
import { placeOf, type Family, type Member } from './family.ts';
import { ANCHOR_BYTES, anchorBefore, fingerprintOf, NO_ANCHOR } from './fingerprint.ts';
import { openContent, type OpenFiles, type Opened } from './open-files.ts';
import type { Stream } from './stream.ts';
import type { SourceState, StreamTable } from './stream-table.ts';
import { encodingOf } from './text-encoding.ts';

/** How a file that no stream is known for becomes one. */
export class Admission {
  readonly #table: StreamTable;
  readonly #files: OpenFiles;
  readonly #log: Log;

  constructor(table: StreamTable, files: OpenFiles, log: Log) {
    this.#table = table;
    this.#files = files;
    this.#log = log;
  }

  /** A file whose content does not matter: opened and entered. `undefined` as with `open`. */
  async admit(state: SourceState, family: Family, member: Member): Promise<Stream | undefined> {
    const opened = await this.open(state, member);
    return opened === undefined ? undefined : this.enter(state, family, member, opened, 'history');
  }

  /**
   * Enters a file with the handle by which it was judged, so that it may be renamed or deleted, and its inode be given
   * to another, from before the judgement on. The handle is closed where it is not kept.
   */
  async enter(
    state: SourceState,
    family: Family,
    member: Member,
    opened: Opened,
    start: 'beginning' | 'end' | 'history',
  ): Promise<Stream | undefined> {
    try {
      const head = await readHead(opened.content);
      const place = start === 'beginning' ? undefined : await placeAtEnd(state, member, opened, head);
      const stream = this.#table.enter(state, family, member, opened.stat);
      stream.familySinceMs = family.sinceMs;
      stream.fingerprint = fingerprintOf(head);
      stream.knowBeginning(head);
      stream.size = opened.stat.size;
      stream.mtimeNs = stream.foundAtNs = opened.stat.mtimeNs;
      if (head.length === 0) stream.emptyAtNs = opened.stat.mtimeNs;
      detectEncoding(stream, head, this.#log);
      stream.bound = true;
      stream.retired = !member.matching;
      if (place !== undefined) {
        stream.offset = stream.committedOffset = place.offset;
        stream.anchor = place.anchor;
      }
      if (start === 'history' || (start === 'end' && opened.content.sealed)) {
        stream.state = 'finished';
        await opened.content.close();
      } else await this.#files.attach(stream, opened.content);
      return stream;
    } catch (error) {
      await opened.content.close();
      this.#unreadable(state, member, error);
      return undefined;
    }
  }

  /** `undefined` where it cannot be opened or has just become another file: to be tried again. */
  async open(state: SourceState, member: Member): Promise<Opened | undefined> {
    try {
      const opened = await openContent(placeOf(member), member.compression);
      if (opened?.stat.id === member.stat.id) {
        state.unreadable.delete(placeOf(member));
        state.unreadableAnew?.delete(placeOf(member));
        return opened;
      }
      await opened?.content.close();
    } catch (error) {
      this.#unreadable(state, member, error);
    }
    return undefined;
  }

  #unreadable(state: SourceState, member: Member, error: unknown): void {
    const code = errorCode(error) || String(error);
    const path = placeOf(member);
    if ((state.unreadableAnew?.get(path) ?? state.unreadable.get(path)) !== code) {
      const fields = { source: state.spec.name, path: shownPath(path), code };
      this.#log.warn(fields, 'a file cannot be read; it is tried again');
    }
    (state.unreadableAnew ?? state.unreadable).set(path, code);
  }
}

/** The start of the line that the file ends with. */
async function placeAtEnd(
  state: SourceState,
  member: Member,
  opened: Opened,
  head: Buffer,
): Promise<{ offset: number; anchor: typeof NO_ANCHOR }> {
  const { size } = opened.stat;
  if (member.compression === 'gzip') {
    return { offset: await gzipContentSize(opened.descriptor, size), anchor: NO_ANCHOR };
  }
  if (member.compression !== 'none') return { offset: 0, anchor: NO_ANCHOR };
  const encoding = encodingOf(state.spec.encoding, head);
  const start = Math.max(0, size - state.spec.maxLineBytes - ANCHOR_BYTES);
  const aligned = start - (start % encoding.unit);
  const tail = Buffer.allocUnsafe(size - aligned);
  const got = await opened.content.read(tail, 0, tail.length, aligned);
  const end = encoding.afterLastNewline(tail, 0, got - (got % encoding.unit));
  if (end !== -1) return { offset: aligned + end, anchor: anchorBefore(tail, end) };
  // A line beyond the limit, or the first line of the file: it is not ours to cut.
  return aligned === 0 ? { offset: 0, anchor: NO_ANCHOR } : { offset: size, anchor: anchorBefore(tail, got) };
}
