import { join } from 'node:path';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { shownPath } from '../platform/path-bytes.ts';
import { settleClaims } from './claims.ts';
import { hasRest, openCopy } from './copies.ts';
import { compareMembers, isLive, type Member } from './family.ts';
import { ANCHOR_BYTES } from './fingerprint.ts';
import type { OpenFiles } from './open-files.ts';
import { unbound, type Bound, type CatalogueEvents, type Sight } from './sight.ts';
import { Strays, type Copy } from './strays.ts';
import type { Stream } from './stream.ts';
import type { SourceState, StreamTable } from './stream-table.ts';

/** Looks at everything without a trace of a stream's file or a copy of it before it counts as gone. */
const MISSING_MAX = 3;
/** So long after that a stream is still remembered, for copies of it that turn up late. */
const REMEMBERED_MS = 60_000;
/** Looks that a family may stay unclear for before unknown files are judged all the same. */
const PUZZLED_MAX = 6;

/** Streams whose file is not, or not any more, what was read: where their content went. */
export class Displaced {
  readonly #table: StreamTable;
  readonly #files: OpenFiles;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #events: CatalogueEvents;
  /** Of the look that has this map. */
  readonly #strays = new WeakMap<Bound, Strays>();

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
    let verified = true;
    for (const stream of family.streams) {
      if (stream.bound) verified = (await this.#verify(stream, bound.get(stream))) && verified;
    }
    let sure = true;
    for (const stream of family.streams) {
      if (stream.bound) continue;
      if (stream.busy) {
        sure = false;
        this.#events.undecided(stream.path);
      } else if (stream.state === 'replaced') {
        // A read that was under way when the stream was found replaced may have opened its old file once more.
        await this.#files.release(stream);
        sure = (await this.#replace(state, sight, stream, verified)) && sure;
      } else if (stream.content !== undefined) {
        const unlinked = stream.astray || (await this.#isUnlinked(stream));
        sure &&= unlinked;
        if (unlinked && stream.atEnd && (await this.#continueInPlace(state, sight, stream))) continue;
        stream.retired = true;
        this.#events.ready(stream);
      } else sure = (await this.#replace(state, sight, stream, verified)) && sure;
    }
    family.puzzled = sure ? 0 : family.puzzled + 1;
    if (verified && (sure || family.puzzled > PUZZLED_MAX)) return true;
    this.#events.undecided(join(family.folder, family.root));
    return false;
  }

  /** Whether the stream's file holds what was read of it; asked where only the inode says that it is the same file. */
  async #verify(stream: Stream, member: Member | undefined): Promise<boolean> {
    if (member === undefined) return true;
    if (stream.state === 'following' && member.compression === 'none' && member.stat.size < stream.readTo)
      return false;
    if (stream.verified || stream.fingerprint.bytes === 0) return true;
    if (stream.busy) return false;
    const opened = await openCopy(member, stream, this.#clock.now());
    const isSame = typeof opened !== 'string';
    // From here on its handle tells; until it is read it may be deleted, and its inode be another's.
    if (isSame && stream.state === 'following' && stream.content === undefined && !stream.busy)
      await this.#files.attach(stream, opened.content);
    else if (isSame) await opened.content.close();
    // A read that began meanwhile tells by itself.
    if (stream.busy) return false;
    stream.verified = isSame;
    if (opened === 'other') await this.replaced(stream);
    return stream.verified;
  }

  async #isUnlinked(stream: Stream): Promise<boolean> {
    const links = await stream.content?.links().catch(() => 0);
    return links === 0;
  }

  /** `verified`: no file is taken for another stream's that may be a copy of this one. */
  async #replace(state: SourceState, sight: Sight, stream: Stream, verified: boolean): Promise<boolean> {
    const copy = await this.#findCopy(stream, sight, unbound(state, sight));
    if (copy === 'undecided') {
      this.#events.undecided(stream.path);
      return false;
    }
    if (copy !== undefined) {
      await this.#adopt(state, sight, stream, copy);
      return true;
    }
    const complete = sight.complete && verified;
    if (complete && stream.state !== 'finished' && (await this.#followAstray(state, sight, stream)))
      return true;
    // It may have moved to another folder, which only a look at everything can tell; and a listing made while files
    // are renamed can miss some.
    if (complete && ++stream.missingLooks >= MISSING_MAX) {
      this.#miss(state, stream);
      return true;
    }
    // What was read to its end leaves no doubt behind: it can wait for the next look.
    if (stream.state === 'finished') return true;
    this.#events.undecided('');
    return false;
  }

  /** Reads the rest of a file that none of the source's paths leads to any more. */
  async #followAstray(state: SourceState, { bound }: Sight, stream: Stream): Promise<boolean> {
    const strays = this.#strays.get(bound) ?? new Strays();
    this.#strays.set(bound, strays);
    const isKnown = (path: string): boolean => state.roles.of(path).root !== undefined;
    const found = await strays.find(stream, isKnown, this.#clock.now());
    if (found === undefined) return false;
    this.#table.moveAstray(state, stream, found.member);
    stream.state = 'following';
    stream.retired = true;
    await this.#goOn(stream, found);
    const fields = {
      source: stream.source.name,
      path: shownPath(stream.path),
      at: shownPath(found.member.path),
    };
    this.#log.info(fields, 'a file is where its path does not lead any more; its rest is read');
    return true;
  }

  /** A file that took the place of the stream's and begins with all that was read of it: the same log, written anew. */
  async #continueInPlace(state: SourceState, sight: Sight, stream: Stream): Promise<boolean> {
    const heir = unbound(state, sight).find((member) => member.matching && isLive(member));
    if (heir === undefined || stream.offset < ANCHOR_BYTES || heir.stat.size < stream.offset) return false;
    const opened = await openCopy(heir, stream, this.#clock.now());
    if (typeof opened === 'string') return false;
    if (stream.busy) {
      await opened.content.close();
      return false;
    }
    await this.#adopt(state, sight, stream, { member: heir, opened });
    return true;
  }

  async #findCopy(
    stream: Stream,
    { family, bound }: Sight,
    members: readonly Member[],
  ): Promise<Copy | 'undecided' | undefined> {
    let undecided = false;
    for (const member of [...members].sort(compareMembers).toReversed()) {
      // Too few bytes to know by, in a place where a new file is to be expected; but device numbers change at boot.
      if (isLive(member) && stream.offset < ANCHOR_BYTES && member.stat.inode !== stream.body.inode) continue;
      if (member.stat.size === 0 || (isLive(member) && stream.state === 'replaced')) continue;
      const nowMs = this.#clock.now();
      const opened = await openCopy(member, stream, nowMs);
      const held = typeof opened === 'string' ? undefined : { member, opened };
      const verdict = held === undefined ? opened : await settleClaims(held, stream, family, bound, nowMs);
      if (held !== undefined && verdict === 'copy') return held;
      await held?.opened.content.close();
      if (verdict === 'undecided' && !isLive(member)) undecided = true;
    }
    return undecided ? 'undecided' : undefined;
  }

  /** From here on the copy is the stream's file. */
  async #adopt(state: SourceState, sight: Sight, stream: Stream, copy: Copy): Promise<void> {
    const { member, opened } = copy;
    // Of a finished one too: it may have been given up because this copy was not there yet.
    const more = stream.state === 'replaced' || (await hasRest(member, opened, stream).catch(() => true));
    this.#table.move(state, sight.family, stream, member);
    sight.bound.set(stream, member);
    stream.bound = true;
    stream.retired = !isLive(member) || !member.matching;
    if (more) stream.state = 'following';
    await this.#goOn(stream, copy);
  }

  /** With the handle by which the copy was compared: it keeps the inode from becoming another file's. */
  async #goOn(stream: Stream, { member, opened }: Copy): Promise<void> {
    stream.missingLooks = 0;
    stream.missingSinceMs = undefined;
    stream.scanned = 0;
    stream.size = Math.max(stream.offset, member.compression === 'none' ? member.stat.size : 0);
    stream.mtimeNs = member.stat.mtimeNs;
    stream.verified = true;
    if (stream.state === 'following') await this.#files.attach(stream, opened.content);
    else await opened.content.close();
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
      const fields = { source: stream.source.name, path: shownPath(stream.path), ...missed };
      this.#log.error(fields, 'content was gone before it was read, and no copy of it was found');
    }
    stream.state = 'finished';
    stream.size = stream.offset;
    this.#events.noted(stream, missed);
  }
}
