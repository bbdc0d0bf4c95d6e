import { containerAttributes, type PathAttributes } from '../model/container-path.ts';
import type { Anchor, Fingerprint, Position } from '../model/position.ts';
import type { Timer } from '../platform/clock.ts';
import type { Content } from './content.ts';
import { NO_ANCHOR, NO_FINGERPRINT } from './fingerprint.ts';
import type { ReadOutcome } from './line-reader.ts';
import type { Compression } from './rotated-name.ts';
import type { SourceSpec } from './source-spec.ts';
import type { TextEncoding } from './text-encoding.ts';

/** So many bytes tell most files apart: a time, or a name and a time. */
export const BEGINNING_BYTES = 64;
const NO_BYTES = new Uint8Array(0);

/** What is known of where a stream's content lies on disk. */
export interface Body {
  readonly path: string;
  /** Where it is opened: the path, unless that does not lead there. */
  readonly place: string;
  /** Where the file really is, if the path leads there by a symbolic link, or does not lead there any more. */
  readonly realPath: string | undefined;
  /** See Member. */
  readonly via: readonly string[];
  readonly linkTarget: string | undefined;
  readonly device: string;
  readonly inode: string;
  readonly compression: Compression;
}

export type StreamState = 'following' | 'replaced' | 'finished' | 'forgotten' | 'parked';

/**
 * One log file followed through its names, copies and compressed forms. Mutable state of the tailer; what is kept
 * over a restart is `position()`.
 *
 * - `following`: it is read as it grows.
 * - `replaced`: its content is no longer where it was; the next look finds the copy, or states the loss.
 * - `finished`: read to its end and let go; kept so that copies of it are recognised. It wakes up if it grows.
 * - `forgotten`: gone from disk and from our books.
 * - `parked`: its source is not configured any more; its position is kept.
 */
export class Stream {
  source: SourceSpec;
  readonly number: number;
  body: Body;
  #state: StreamState = 'following';
  #atEnd = false;
  #released: (() => void)[] = [];
  #attributes: { readonly of: Body; readonly values: PathAttributes } | undefined;

  fingerprint: Fingerprint = NO_FINGERPRINT;
  /** The first bytes of its content, as far as they were seen since the process started; see BEGINNING_BYTES. */
  beginning: Uint8Array = NO_BYTES;
  /** Settled: everything before it is with the committer. */
  offset = 0;
  anchor: Anchor = NO_ANCHOR;
  parserState: string | undefined;
  committedOffset = 0;

  /** Largest size seen since its end was read last. */
  size = 0;
  /** What is left of it, where the latest look saw less. */
  cutTo: number | undefined;
  mtimeNs = 0n;
  /** In the listing of the latest look under this identity. */
  bound = false;
  /** Whether older files of its family are history. Not so for files that came while we were looking. */
  border = false;
  /** When its file had been written last as it was found; 0 after a restart. No copy of it is older. */
  foundAtNs = 0n;
  /** See Position. */
  familySinceMs: number | undefined;
  /** When the file, found empty, had been written last (that is, made). */
  emptyAtNs: bigint | undefined;
  /** Its file was seen to hold what was read of it, since the process started. */
  verified = true;
  /** Looks at everything, in a row, that found neither its file nor a copy. */
  missingLooks = 0;
  /** Monotonic, since its file and every copy of it are missing. */
  missingSinceMs: number | undefined;
  /** The kernel told of a change since the latest look. */
  hinted = false;
  /** It goes on in a file that none of the source's paths leads to, until it was read to its end. */
  astray = false;
  /** Rotated away or unlinked: finished once it has been quiet for a while. */
  retired = false;
  /** Its content may only be delivered once this stream was read to its end. */
  after: Stream | undefined;

  content: Content | undefined;
  encoding: TextEncoding | undefined;
  blockBytes: number;
  /** See Place.scanned. */
  scanned = 0;
  /** Lines up to here were given to the parser, which waits for more before it is done with them. */
  heldTo = 0;
  ahead: { readonly from: number; readonly outcome: Promise<ReadOutcome | undefined> } | undefined;

  queued = false;
  /** Being read, or its chunk is with the parser. */
  busy = false;
  /** The end of what was taken last; while it is busy that may be past what is settled. */
  takenTo = 0;
  /** Each time something was done with it: read, settled, or tried in vain. */
  steps = 0;
  /** Up to where its file was seen to go when its end was read last. */
  seenTo = 0;
  /** Something happened while it was busy. */
  dirty = false;
  flushDue = false;
  finishing = false;
  /** Since when nothing was appended, monotonic; undefined while there is something to read. */
  quietSinceMs: number | undefined;
  lingerTimer: Timer | undefined;
  multilineTimer: Timer | undefined;
  retryTimer: Timer | undefined;
  retries = 0;
  error: string | undefined;

  constructor(source: SourceSpec, number: number, body: Body, blockBytes: number) {
    this.source = source;
    this.number = number;
    this.body = body;
    this.blockBytes = blockBytes;
  }

  get state(): StreamState {
    return this.#state;
  }

  set state(state: StreamState) {
    this.#state = state;
    this.#releaseUnlessBlocking();
  }

  /** Nothing was left to read when it was looked at last. */
  get atEnd(): boolean {
    return this.#atEnd;
  }

  set atEnd(atEnd: boolean) {
    this.#atEnd = atEnd;
    this.#releaseUnlessBlocking();
  }

  /** Whether streams that come after it must wait. */
  get blocking(): boolean {
    return (this.#state === 'following' && !this.#atEnd) || this.#state === 'replaced';
  }

  /** Called once, when it is blocking no more. */
  onRelease(released: () => void): void {
    this.#released.push(released);
  }

  #releaseUnlessBlocking(): void {
    if (this.#released.length === 0 || this.blocking) return;
    const released = this.#released;
    this.#released = [];
    for (const each of released) each();
  }

  get id(): string {
    return `${this.body.device}:${this.body.inode}`;
  }

  get path(): string {
    return this.body.path;
  }

  /** Where its file is opened. */
  get place(): string {
    return this.body.place;
  }

  /** What its paths say of a container. */
  get attributes(): PathAttributes {
    const { body } = this;
    if (this.#attributes?.of !== body) {
      const paths = [body.realPath, ...body.via, body.path, body.linkTarget];
      this.#attributes = { of: body, values: containerAttributes(paths) };
    }
    return this.#attributes.values;
  }

  /** As far as its file was seen to go by those who read it. */
  get readTo(): number {
    return this.busy ? Math.max(this.offset, this.takenTo) : this.offset;
  }

  /** The content begins with these bytes; more of them than were known before are remembered. */
  knowBeginning(head: Uint8Array): void {
    const bytes = Math.min(BEGINNING_BYTES, head.length);
    if (bytes > this.beginning.length) this.beginning = Uint8Array.prototype.slice.call(head, 0, bytes);
  }

  /** A read has found its end at `size`. What a look saw since that read began is not known to be gone. */
  endedAt(size: number): void {
    this.size = this.dirty ? Math.max(this.size, size) : size;
  }

  /** Takes up where a committed position stands. */
  restore(position: Position): void {
    this.fingerprint = position.fingerprint;
    this.offset = this.committedOffset = position.offset;
    this.anchor = position.anchor;
    this.parserState = position.parserState;
    this.verified = false;
    this.familySinceMs = position.familySinceMs;
    this.border = position.cameLater !== true;
    if (position.finished !== true) return;
    this.state = 'finished';
    this.size = this.body.compression === 'none' ? position.offset : 0;
  }

  position(): Position {
    return {
      source: this.source.name,
      stream: this.number,
      path: this.state === 'forgotten' ? '' : this.body.path,
      ...(this.body.realPath === undefined ? {} : { realPath: this.body.realPath }),
      ...(this.body.linkTarget === undefined ? {} : { linkTarget: this.body.linkTarget }),
      device: this.body.device,
      inode: this.body.inode,
      fingerprint: this.fingerprint,
      offset: this.offset,
      anchor: this.anchor,
      ...(this.parserState === undefined ? {} : { parserState: this.parserState }),
      ...(this.familySinceMs === undefined ? {} : { familySinceMs: this.familySinceMs }),
      // Without a time (positions of older versions) names alone decide after a restart.
      ...(this.border || this.familySinceMs === undefined ? {} : { cameLater: true }),
      ...(this.state === 'finished' || this.state === 'forgotten' ? { finished: true } : {}),
    };
  }

  cancelTimers(): void {
    this.lingerTimer?.cancel();
    this.multilineTimer?.cancel();
    this.retryTimer?.cancel();
    this.lingerTimer = this.multilineTimer = this.retryTimer = undefined;
  }
}
