import { join } from 'node:path';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Content } from './content.ts';
import { judgeCopy, openCopy } from './copies.ts';
import { compareMembers, isLive, type Member } from './family.ts';
import { ANCHOR_BYTES } from './fingerprint.ts';
import type { OpenFiles } from './open-files.ts';
import { unbound, type CatalogueEvents, type Sight } from './sight.ts';
import type { Stream } from './stream.ts';
import type { SourceState, StreamTable } from './stream-table.ts';

/** Looks at everything without a trace of a stream's file or a copy of it before it counts as gone. */
const MISSING_MAX = 3;
/** So long after that a stream is still remembered, for copies of it that turn up late. */
const REMEMBERED_MS = 60_000;
/** Looks that a family may stay unclear for before unknown files are judged all the same. */
const PUZZLED_MAX = 6;

/** A file that holds what was read of a stream, open. */
interface Copy {
  readonly member: Member;
  readonly content: Content;
}

/** Streams whose file is not, or not any more, what was read: where their content went. */
export class Displaced {
  readonly #table: StreamTable;
  readonly #files: OpenFiles;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #events: CatalogueEvents;

  constructor(table: StreamTable, files: OpenFiles, clock: Clock, log: Log, events: CatalogueEvents) {
    this.#table = table;
    this.#files = files;
    this.#clock = clock;
    this.#log = log;
    this.#events = events;
  }

  /** The reader found other content in the file than it had read. */
  async replaced(stream: Stream): Promise<void> {
    stream.state = 'replaced';
    // The size that was seen is that of another file.
    if (!stream.verified) stream.size = stream.offset;
    const state = this.#table.sources.get(stream.source.name);
    if (state !== undefined) this.#table.unbind(state, stream);
    await this.#files.release(stream);
  }

  /** The compressed copy that the stream went on with is damaged: the rest is lost. */
  giveUp(stream: Stream): void {
    stream.state = 'finished';
    this.#events.noted(stream, { reason: 'deleted', bytes: -1 });
  }

  /**
   * Streams whose file was not found under its identity: followed by handle, found as a copy, or lost. Returns
   * whether the family is now understood, so that files unknown to us can be judged.
   */
  async place(state: SourceState, sight: Sight): Promise<boolean> {
    const { family, bound } = sight;
    let sure = true;
    let verified = true;
    for (const stream of family.streams) {
      if (stream.bound) verified = (await this.#verify(stream, bound.get(stream))) && verified;
      else if (stream.busy) {
        sure = false;
        this.#events.undecided(stream.path);
      } else if (stream.state === 'replaced') {
        // A read that was under way when the stream was found replaced may have opened its old file once more.
        await this.#files.release(stream);
        sure = (await this.#replace(state, sight, stream)) && sure;
      } else if (stream.content !== undefined) {
        const unlinked = await this.#isUnlinked(stream);
        sure &&= unlinked;
        if (unlinked && stream.atEnd && (await this.#continueInPlace(state, sight, stream))) continue;
        stream.retired = true;
        this.#events.ready(stream);
      } else sure = (await this.#replace(state, sight, stream)) && sure;
    }
    family.puzzled = sure ? 0 : family.puzzled + 1;
    if (verified && (sure || family.puzzled > PUZZLED_MAX)) return true;
    this.#events.undecided(join(family.folder, family.root));
    return false;
  }

  /** Whether the stream's file holds what was read of it; asked where only the inode says that it is the same file. */
  async #verify(stream: Stream, member: Member | undefined): Promise<boolean> {
    if (member === undefined) return true;
    if (stream.state === 'following' && member.compression === 'none' && member.stat.size < stream.offset)
      return false;
    if (stream.verified || stream.fingerprint.bytes === 0) return true;
    if (stream.busy) return false;
    const verdict = await judgeCopy(member, stream, this.#clock.now());
    // A read that began meanwhile tells by itself.
    if (stream.busy) return false;
    stream.verified = verdict === 'copy';
    if (verdict === 'other') await this.replaced(stream);
    return stream.verified;
  }

  async #isUnlinked(stream: Stream): Promise<boolean> {
    const links = await stream.content?.links().catch(() => 0);
    return links === 0;
  }

  async #replace(state: SourceState, sight: Sight, stream: Stream): Promise<boolean> {
    const copy = await this.#findCopy(stream, unbound(state, sight));
    if (copy === 'undecided') {
      this.#events.undecided(stream.path);
      return false;
    }
    if (copy !== undefined) {
      await this.#adopt(state, sight, stream, copy);
      return true;
    }
    // It may have moved to another folder, which only a look at everything can tell; and a listing made while files
    // are renamed can miss some.
    if (sight.complete && ++stream.missingLooks >= MISSING_MAX) {
      this.#miss(state, stream);
      return true;
    }
    // What was read to its end leaves no doubt behind: it can wait for the next look.
    if (stream.state === 'finished') return true;
    this.#events.undecided('');
    return false;
  }

  /** A file that took the place of the stream's and begins with all that was read of it: the same log, written anew. */
  async #continueInPlace(state: SourceState, sight: Sight, stream: Stream): Promise<boolean> {
    const heir = unbound(state, sight).find((member) => member.matching && isLive(member));
    if (heir === undefined || stream.offset < ANCHOR_BYTES || heir.stat.size < stream.offset) return false;
    const content = await openCopy(heir, stream, this.#clock.now());
    if (typeof content === 'string') return false;
    if (stream.busy) {
      await content.close();
      return false;
    }
    await this.#adopt(state, sight, stream, { member: heir, content });
    return true;
  }

  async #findCopy(stream: Stream, members: readonly Member[]): Promise<Copy | 'undecided' | undefined> {
    let undecided = false;
    for (const member of [...members].sort(compareMembers).toReversed()) {
      // Too few bytes to know by, in a place where a new file is to be expected; but device numbers change at boot.
      if (isLive(member) && stream.offset < ANCHOR_BYTES && member.stat.inode !== stream.body.inode) continue;
      if (member.stat.size === 0 || (isLive(member) && stream.state === 'replaced')) continue;
      const content = await openCopy(member, stream, this.#clock.now());
      if (typeof content !== 'string') return { member, content };
      if (content === 'undecided' && !isLive(member)) undecided = true;
    }
    return undecided ? 'undecided' : undefined;
  }

  /** From here on the copy is the stream's file; its handle, held since it was compared, keeps it from being another's. */
  async #adopt(state: SourceState, sight: Sight, stream: Stream, { member, content }: Copy): Promise<void> {
    this.#table.move(state, sight.family, stream, member);
    sight.bound.set(stream, member);
    stream.bound = true;
    stream.missingLooks = 0;
    stream.missingSinceMs = undefined;
    stream.scanned = 0;
    stream.size = Math.max(stream.offset, member.compression === 'none' ? member.stat.size : 0);
    stream.mtimeNs = member.stat.mtimeNs;
    stream.retired = !isLive(member) || !member.matching;
    stream.verified = true;
    const hasMore = member.compression === 'none' && member.stat.size !== stream.offset;
    if (stream.state === 'replaced' || hasMore) stream.state = 'following';
    if (stream.state === 'following') await this.#files.attach(stream, content);
    else await content.close();
    this.#events.noted(stream);
    this.#events.ready(stream);
  }

  /**
   * No trace of it was found for some looks: what follows need not wait any longer. It is remembered for a while all
   * the same, because a copy of it that turns up late (compressed in between, say) must not be read as something new.
   */
  #miss(state: SourceState, stream: Stream): void {
    const nowMs = this.#clock.monotonic();
    if (stream.state !== 'finished') this.#conclude(stream);
    stream.missingSinceMs ??= nowMs;
    if (nowMs - stream.missingSinceMs < REMEMBERED_MS) return;
    stream.state = 'forgotten';
    this.#table.remove(state, stream);
    this.#events.noted(stream);
  }

  #conclude(stream: Stream): void {
    const reason = stream.state === 'replaced' ? 'truncated' : 'deleted';
    // Of a file that vanished while we were not running nothing is known, not even whether there was a rest.
    const bytes = Math.max(0, stream.size - stream.offset);
    const missed = bytes === 0 ? undefined : ({ reason, bytes } as const);
    if (missed !== undefined) {
      const fields = { source: stream.source.name, path: stream.path, ...missed };
      this.#log.error(fields, 'content was gone before it was read, and no copy of it was found');
    }
    stream.state = 'finished';
    stream.size = stream.offset;
    this.#events.noted(stream, missed);
  }
}
