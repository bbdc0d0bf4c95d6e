import { dirname, join } from 'node:path';
import type { Clock } from '../platform/clock.ts';
import { errorCode } from '../platform/files.ts';
import type { Log } from '../platform/log.ts';
import { Admission } from './admission.ts';
import { isComplete, judgeCopy } from './copies.ts';
import { eachLimited } from './each-limited.ts';
import { compareMembers, groupNames, isLive, statMembers } from './family.ts';
import type { Family, Group, Member } from './family.ts';
import { ANCHOR_BYTES } from './fingerprint.ts';
import type { OpenFiles } from './open-files.ts';
import type { Stream } from './stream.ts';
import type { SourceState, StreamTable } from './stream-table.ts';
import { listFiles, walk, type Folder } from './walk.ts';

export interface Missed {
  readonly reason: 'truncated' | 'deleted';
  /** -1 where unknown. */
  readonly bytes: number;
}

/** What the catalogue tells the tailer. */
export interface CatalogueEvents {
  /** The stream may have something to read. */
  ready(stream: Stream): void;
  /** The stream is no longer what it was; `missed` where content is known to be gone. */
  noted(stream: Stream, missed?: Missed): void;
  /** Something could not be decided yet: look again soon, at this path or ('') at everything. */
  undecided(path: string): void;
  /** A file has grown and the kernel gave no hint. */
  silent(stream: Stream): void;
  /** A folder was seen for the first time, or is not the one that had this path before. */
  folderFound(path: string, anew: boolean): void;
}

/** What one look has found of a family. */
interface Sight {
  readonly family: Family;
  readonly members: readonly Member[];
  /** Nothing was known of the family before. */
  readonly first: boolean;
}

type Bound = Map<Stream, Member>;

/** So many of the files that were rotated before our first look are remembered, as the border of what is ours. */
const HISTORY_KEPT = 4;
/** Looks at everything without a trace of a stream's file or a copy of it before it counts as gone. */
const MISSING_MAX = 3;
/** Looks that a family may stay unclear for before unknown files are judged all the same. */
const PUZZLED_MAX = 6;
const AT_ONCE = 16;

/**
 * Which files there are, and which stream each of them is.
 *
 * - A name is a hint. That content moved (truncated, copied, inode used again) is found by the reader, which marks
 *   the stream `replaced`; here its copy is looked for, and the file that it had is then a new one.
 * - In a family, a file that no stream is known for was never read if it is newer than the oldest known one; older
 *   ones were there before us: history, unless the globs match them.
 * - Nothing is declared lost on the word of a listing that failed.
 */
export class Catalogue {
  readonly #table: StreamTable;
  readonly #files: OpenFiles;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #events: CatalogueEvents;
  readonly #admission: Admission;
  readonly #startedAtMs: number;
  /** Watched folders and which they are. */
  readonly #folderIds = new Map<string, string>();
  /** Real paths of files that are reached by a symbolic link. */
  readonly #links = new Map<string, string>();

  constructor(table: StreamTable, files: OpenFiles, clock: Clock, log: Log, events: CatalogueEvents) {
    this.#table = table;
    this.#files = files;
    this.#clock = clock;
    this.#log = log;
    this.#events = events;
    this.#admission = new Admission(table, files, log);
    this.#startedAtMs = clock.now();
  }

  /** The path by which a source reaches a file, where it does so by a symbolic link. */
  nameOf(path: string): string {
    return this.#links.get(path) ?? path;
  }

  isRelevant(path: string): boolean {
    for (const { roles } of this.#table.sources.values()) if (roles.of(path).root !== undefined) return true;
    return false;
  }

  async lookAtAll(): Promise<void> {
    for (const state of this.#table.sources.values()) {
      const { folders, unreadable, missingBases } = await walk(state.pattern);
      state.missingBases = missingBases;
      for (const path of missingBases) this.#folderIds.delete(path);
      state.unreadableBefore = state.unreadable;
      state.unreadable = new Map(unreadable);
      for (const folder of folders) this.#noteFolder(folder);
      await this.#lookAtGroups(state, groupsOf(state, folders, unreadable), true);
      state.fresh = false;
    }
  }

  /** Looks at the families that a path belongs to. */
  async lookAt(path: string): Promise<void> {
    for (const state of this.#table.sources.values()) {
      const { root } = state.roles.of(path);
      if (root === undefined) continue;
      const folder = await listFiles(dirname(path));
      if (typeof folder === 'string') continue;
      const empty = { folder: dirname(path), root, names: [] };
      const group = folder === undefined ? empty : (groupNames(folder, state.roles).get(root) ?? empty);
      if (folder !== undefined) this.#noteLinks(folder);
      await this.#lookAtGroups(state, [group], false);
    }
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

  #noteFolder(folder: Folder): void {
    const known = this.#folderIds.get(folder.path);
    this.#noteLinks(folder);
    if (known === folder.id) return;
    this.#folderIds.set(folder.path, folder.id);
    this.#events.folderFound(folder.path, known !== undefined);
  }

  #noteLinks(folder: Folder): void {
    for (const [name, target] of folder.links) {
      const path = join(folder.path, name);
      if (this.#links.get(target) === path) continue;
      this.#links.set(target, path);
      this.#events.folderFound(dirname(target), false);
    }
  }

  async #lookAtGroups(state: SourceState, groups: readonly Group[], complete: boolean): Promise<void> {
    const sights: Sight[] = [];
    await eachLimited(groups, AT_ONCE, async (group) => {
      const sight = await this.#see(state, group);
      if (sight !== undefined) sights.push(sight);
    });
    const bound: Bound = new Map();
    for (const { family, members } of sights) this.#bind(state, family, members, bound);
    await eachLimited(sights, AT_ONCE, async (sight) => {
      const sure = await this.#placeDisplaced(state, sight, bound, complete);
      await this.#placeUnknown(state, sight, bound, sure);
    });
  }

  async #see(state: SourceState, group: Group): Promise<Sight | undefined> {
    try {
      const members = await statMembers(group, state.roles);
      const known = state.families.has(join(group.folder, group.root));
      if (!known && !members.some((member) => member.matching)) return undefined;
      const family = this.#table.family(state, group.folder, group.root);
      for (const stream of family.streams) stream.bound = false;
      return { family, members, first: family.streams.size === 0 };
    } catch (error) {
      state.unreadable.set(join(group.folder, group.root), errorCode(error));
      this.#events.undecided('');
      return undefined;
    }
  }

  #bind(state: SourceState, family: Family, members: readonly Member[], bound: Bound): void {
    for (const member of members) {
      const stream = state.byId.get(member.stat.id);
      if (stream === undefined || stream.state === 'replaced') continue;
      const other = bound.get(stream);
      // Two names for one file: the one that the stream has stays.
      if (other !== undefined && member.path !== stream.path) continue;
      bound.set(stream, member);
    }
    for (const member of members) {
      const stream = state.byId.get(member.stat.id);
      if (stream !== undefined && bound.get(stream) === member) this.#bindTo(state, family, stream, member);
    }
  }

  #bindTo(state: SourceState, family: Family, stream: Stream, member: Member): void {
    const { size, mtimeNs } = member.stat;
    const moved = member.path !== stream.path;
    const changed = size !== stream.size || mtimeNs !== stream.mtimeNs;
    if (moved) this.#table.move(state, family, stream, member);
    if (changed && !stream.hinted && stream.mtimeNs !== 0n && this.#isOld(mtimeNs))
      this.#events.silent(stream);
    stream.hinted = false;
    stream.missingLooks = 0;
    stream.bound = true;
    stream.retired = !member.matching || (!isLive(member) && family.latest !== stream);
    // What was there and is not there any more is remembered until the reader has found out.
    stream.size = Math.max(size, size < stream.offset ? stream.size : 0);
    stream.mtimeNs = mtimeNs;
    if (stream.state === 'finished') {
      if (!changed || member.compression !== 'none' || size === stream.offset) return;
      stream.state = 'following';
    }
    if (changed || moved) this.#events.ready(stream);
  }

  #isOld(mtimeNs: bigint): boolean {
    return this.#clock.now() - Number(mtimeNs / 1_000_000n) > 1_000;
  }

  /**
   * Streams whose file was not found under its identity: followed by handle, found as a copy, or lost. Returns
   * whether the family is now understood, so that files unknown to us can be judged.
   */
  async #placeDisplaced(state: SourceState, sight: Sight, bound: Bound, complete: boolean): Promise<boolean> {
    const { family } = sight;
    let sure = true;
    for (const stream of family.streams) {
      if (stream.bound) sure &&= await this.#verify(stream, bound.get(stream));
      else if (stream.busy) {
        sure = false;
        this.#events.undecided(stream.path);
      } else if (stream.content !== undefined) {
        const unlinked = await this.#isUnlinked(stream);
        sure &&= unlinked;
        if (unlinked && stream.atEnd && (await this.#continueInPlace(state, sight, stream, bound))) continue;
        stream.retired = true;
        this.#events.ready(stream);
      } else sure &&= await this.#replace(state, sight, stream, bound, complete);
    }
    family.puzzled = sure ? 0 : family.puzzled + 1;
    if (sure || family.puzzled > PUZZLED_MAX) return true;
    this.#events.undecided(join(family.folder, family.root));
    return false;
  }

  /** Whether the stream's file holds what was read of it; asked once after a restart, later reads tell. */
  async #verify(stream: Stream, member: Member | undefined): Promise<boolean> {
    if (member === undefined) return true;
    if (stream.state === 'following' && member.compression === 'none' && member.stat.size < stream.offset)
      return false;
    if (stream.verified || stream.fingerprint.bytes === 0) return true;
    if (stream.busy) return false;
    const verdict = await judgeCopy(member, stream, this.#clock.now());
    stream.verified = verdict === 'copy';
    if (verdict === 'other') await this.replaced(stream);
    return stream.verified;
  }

  async #isUnlinked(stream: Stream): Promise<boolean> {
    const links = await stream.content?.links().catch(() => 0);
    return links === 0;
  }

  async #replace(
    state: SourceState,
    sight: Sight,
    stream: Stream,
    bound: Bound,
    complete: boolean,
  ): Promise<boolean> {
    const copy = await this.#findCopy(stream, unbound(state, sight, bound));
    if (copy === 'undecided') {
      this.#events.undecided(stream.path);
      return false;
    }
    if (copy !== undefined) {
      this.#adopt(state, sight.family, stream, copy, bound);
      return true;
    }
    // It may have moved to another folder, which only a look at everything can tell; and a listing made while files
    // are renamed can miss some.
    if (complete && ++stream.missingLooks >= MISSING_MAX) {
      this.#lose(state, stream);
      return true;
    }
    this.#events.undecided('');
    return false;
  }

  /** A file that took the place of the stream's and begins with all that was read of it: the same log, written anew. */
  async #continueInPlace(state: SourceState, sight: Sight, stream: Stream, bound: Bound): Promise<boolean> {
    const heir = unbound(state, sight, bound).find((member) => member.matching && isLive(member));
    if (heir === undefined || stream.offset < ANCHOR_BYTES || heir.stat.size < stream.offset) return false;
    if ((await judgeCopy(heir, stream, this.#clock.now())) !== 'copy' || stream.busy) return false;
    await this.#files.release(stream);
    this.#adopt(state, sight.family, stream, heir, bound);
    return true;
  }

  async #findCopy(stream: Stream, members: readonly Member[]): Promise<Member | 'undecided' | undefined> {
    let undecided = false;
    for (const member of [...members].sort(compareMembers).toReversed()) {
      // Too few bytes to know by, in a place where a new file is to be expected; but device numbers change at boot.
      if (isLive(member) && stream.offset < ANCHOR_BYTES && member.stat.inode !== stream.body.inode) continue;
      if (member.stat.size === 0 || (isLive(member) && stream.state === 'replaced')) continue;
      const verdict = await judgeCopy(member, stream, this.#clock.now());
      if (verdict === 'copy') return member;
      if (verdict === 'undecided' && !isLive(member)) undecided = true;
    }
    return undecided ? 'undecided' : undefined;
  }

  #adopt(state: SourceState, family: Family, stream: Stream, member: Member, bound: Bound): void {
    this.#table.move(state, family, stream, member);
    bound.set(stream, member);
    stream.bound = true;
    stream.missingLooks = 0;
    stream.scanned = 0;
    stream.size = Math.max(stream.offset, member.compression === 'none' ? member.stat.size : 0);
    stream.mtimeNs = member.stat.mtimeNs;
    stream.retired = !isLive(member) || !member.matching;
    const hasMore = member.compression === 'none' && member.stat.size !== stream.offset;
    if (stream.state === 'replaced' || hasMore) stream.state = 'following';
    this.#events.noted(stream);
    this.#events.ready(stream);
  }

  #lose(state: SourceState, stream: Stream): void {
    const reason = stream.state === 'replaced' ? 'truncated' : 'deleted';
    // Of a file that vanished while we were not running nothing is known, not even whether there was a rest.
    const bytes = Math.max(0, stream.size - stream.offset);
    const missed = stream.state === 'finished' || bytes === 0 ? undefined : ({ reason, bytes } as const);
    if (missed !== undefined) {
      const fields = { source: stream.source.name, path: stream.path, ...missed };
      this.#log.error(fields, 'content was gone before it was read, and no copy of it was found');
    }
    stream.state = 'forgotten';
    this.#table.remove(state, stream);
    this.#events.noted(stream, missed);
  }

  /** Files that no stream is known for, oldest first. */
  async #placeUnknown(state: SourceState, sight: Sight, bound: Bound, sure: boolean): Promise<void> {
    const { family, first } = sight;
    const members = unbound(state, sight, bound).sort(compareMembers);
    const history: Member[] = [];
    for (const member of members) {
      const seen = `${member.stat.size}:${member.stat.mtimeNs}`;
      if (family.passed.get(member.stat.id) === seen) continue;
      const decision = await this.#judge(state, sight, member, bound, sure);
      if (decision === 'older') continue;
      if (decision === 'pass') family.passed.set(member.stat.id, seen);
      else if (decision === 'history') history.push(member);
      else if (decision === 'read' && (await this.#begin(state, family, member, bound, first))) continue;
      else if (decision === 'read' && isComplete(member, this.#clock.now())) continue;
      else {
        // What is newer waits too, so that order is kept.
        this.#events.undecided(member.path);
        break;
      }
    }
    for (const member of history.slice(-HISTORY_KEPT)) {
      const stream = await this.#admission.admit(state, family, member, 'history');
      if (stream !== undefined) this.#events.noted(stream);
    }
    if (family.passed.size > 2 * members.length + 64) family.passed.clear();
  }

  async #judge(
    state: SourceState,
    { family, first }: Sight,
    member: Member,
    bound: Bound,
    sure: boolean,
  ): Promise<'read' | 'history' | 'older' | 'pass' | 'later'> {
    if (member.compression === 'unsupported') return 'pass';
    if (!sure && !isLive(member)) return 'later';
    if (!member.matching) {
      if (first) return this.#wasBeforeUs(state, member) ? 'history' : 'read';
      const floor = oldestKnown(family, bound, member);
      if (floor !== undefined && compareMembers(member, floor) <= 0) return 'older';
    }
    if (family.streams.size === 0 || (isLive(member) && member.stat.size === 0)) return 'read';
    if (member.stat.size === 0) return 'pass';
    return await this.#judgeAgainstStreams(family, member, bound);
  }

  async #judgeAgainstStreams(
    family: Family,
    member: Member,
    bound: Bound,
  ): Promise<'read' | 'pass' | 'later'> {
    for (const stream of family.streams) {
      const own = bound.get(stream);
      // A copy is made under a name that is as old as that of the original, or older.
      if (own !== undefined && compareMembers(member, own) > 0) continue;
      if (isLive(member) && (stream.state === 'replaced' || stream.offset < ANCHOR_BYTES)) continue;
      const verdict = await judgeCopy(member, stream, this.#clock.now());
      if (verdict === 'undecided' && !isLive(member)) return 'later';
      if (verdict !== 'copy') continue;
      if (own === undefined || !isDoubtful(member, stream, own)) return 'pass';
      if ((await judgeCopy(own, stream, this.#clock.now())) !== 'copy') return 'later';
    }
    return 'read';
  }

  #wasBeforeUs(state: SourceState, member: Member): boolean {
    return state.fresh || Number(member.stat.mtimeNs / 1_000_000n) < this.#startedAtMs;
  }

  async #begin(
    state: SourceState,
    family: Family,
    member: Member,
    bound: Bound,
    first: boolean,
  ): Promise<boolean> {
    const fromEnd = first && state.fresh && state.spec.startAt === 'end';
    const stream = await this.#admission.admit(state, family, member, fromEnd ? 'end' : 'beginning');
    if (stream === undefined) return false;
    bound.set(stream, member);
    // Were it not known after a crash, the file would be taken for one to be read from its end.
    if (state.spec.startAt === 'end') this.#events.noted(stream);
    const before = family.latest;
    if (before?.state === 'following' || before?.state === 'replaced') {
      stream.after = before;
      before.atEnd = false;
      this.#events.ready(before);
    }
    family.latest = stream;
    this.#events.ready(stream);
    return true;
  }
}

/** Families found in the folders, and known ones that were not found; but none in a folder that cannot be read. */
function groupsOf(
  state: SourceState,
  folders: readonly Folder[],
  unreadable: ReadonlyMap<string, string>,
): Group[] {
  const groups = new Map<string, Group>();
  for (const folder of folders) {
    for (const [root, group] of groupNames(folder, state.roles)) groups.set(join(folder.path, root), group);
  }
  for (const [key, { folder, root }] of state.families) {
    const hidden = [...unreadable.keys()].some((path) => folder === path || folder.startsWith(`${path}/`));
    if (!hidden && !groups.has(key)) groups.set(key, { folder, root, names: [] });
  }
  return [...groups.values()];
}

function unbound(state: SourceState, sight: Sight, bound: Bound): Member[] {
  return sight.members.filter((member) => {
    const stream = state.byId.get(member.stat.id);
    return stream === undefined || !bound.has(stream);
  });
}

/** A few equal bytes and different sizes: rather two files with one header than a file and its copy. */
function isDoubtful(member: Member, stream: Stream, own: Member): boolean {
  if (member.compression !== 'none') return false;
  return stream.offset < ANCHOR_BYTES && own.stat.size !== member.stat.size;
}

/**
 * The oldest file with content that a stream is bound to. A file that was empty when it was found does not count for
 * what was written since: that may have been in it, and copied and cut before it was read.
 */
function oldestKnown(family: Family, bound: Bound, unknown: Member): Member | undefined {
  let oldest: Member | undefined;
  for (const stream of family.streams) {
    const member = bound.get(stream);
    if (member === undefined || stream.fingerprint.bytes === 0) continue;
    if (stream.emptyAtNs !== undefined && unknown.stat.mtimeNs > stream.emptyAtNs) continue;
    if (oldest === undefined || compareMembers(member, oldest) < 0) oldest = member;
  }
  return oldest;
}
