import { dirname, join } from 'node:path';
import type { Clock } from '../platform/clock.ts';
import { errorCode } from '../platform/files.ts';
import type { Log } from '../platform/log.ts';
import { Displaced } from './displaced.ts';
import { eachLimited } from './each-limited.ts';
import { groupNames, isLive, statMembers } from './family.ts';
import type { Family, Group, Member } from './family.ts';
import { Newcomers } from './newcomers.ts';
import type { OpenFiles } from './open-files.ts';
import type { Bound, CatalogueEvents, Sight } from './sight.ts';
import type { Stream } from './stream.ts';
import type { SourceState, StreamTable } from './stream-table.ts';
import { listFiles, walk, type Folder } from './walk.ts';

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
  readonly #clock: Clock;
  readonly #events: CatalogueEvents;
  readonly #displaced: Displaced;
  readonly #newcomers: Newcomers;
  /** Watched folders and which they are. */
  readonly #folderIds = new Map<string, string>();
  /** Real paths of files that are reached by a symbolic link. */
  readonly #links = new Map<string, string>();

  constructor(table: StreamTable, files: OpenFiles, clock: Clock, log: Log, events: CatalogueEvents) {
    this.#table = table;
    this.#clock = clock;
    this.#events = events;
    this.#displaced = new Displaced(table, files, clock, log, events);
    this.#newcomers = new Newcomers(table, files, clock, log, events);
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
    const found = new Set<string>();
    for (const state of this.#table.sources.values()) {
      for (const folder of await this.#lookAtSource(state)) found.add(folder.path);
    }
    for (const path of this.#folderIds.keys()) if (!found.has(path)) this.#folderIds.delete(path);
  }

  async #lookAtSource(state: SourceState): Promise<readonly Folder[]> {
    const { folders, unreadable, missingBases } = await walk(state.pattern);
    state.missingBases = missingBases;
    const anew = new Map(unreadable);
    state.unreadableAnew = anew;
    try {
      for (const folder of folders) this.#noteFolder(folder);
      await this.#lookAtGroups(state, groupsOf(state, folders, unreadable), true);
      state.unreadable = anew;
    } finally {
      state.unreadableAnew = undefined;
    }
    state.fresh = false;
    return folders;
  }

  /** Looks at the families that the paths belong to, once at each however many of its files are meant. */
  async lookAt(paths: readonly string[]): Promise<void> {
    for (const state of this.#table.sources.values()) {
      const rootsIn = new Map<string, Set<string>>();
      for (const path of paths) {
        const { root } = state.roles.of(path);
        if (root === undefined) continue;
        const folder = dirname(path);
        rootsIn.set(folder, (rootsIn.get(folder) ?? new Set()).add(root));
      }
      for (const [folder, roots] of rootsIn) await this.#lookAtFamilies(state, folder, roots);
    }
  }

  async #lookAtFamilies(state: SourceState, path: string, roots: ReadonlySet<string>): Promise<void> {
    const folder = await listFiles(path);
    if (typeof folder === 'string') return;
    const found = folder === undefined ? undefined : groupNames(folder, state.roles);
    if (folder !== undefined) this.#noteLinks(folder);
    const groups = [...roots].map((root): Group => found?.get(root) ?? { folder: path, root, names: [] });
    await this.#lookAtGroups(state, groups, false);
  }

  /** The reader found other content in the file than it had read. */
  async replaced(stream: Stream): Promise<void> {
    await this.#displaced.replaced(stream);
  }

  /** The compressed copy that the stream went on with is damaged: the rest is lost. */
  giveUp(stream: Stream): void {
    this.#displaced.giveUp(stream);
  }

  #noteFolder(folder: Folder): void {
    const known = this.#folderIds.get(folder.path);
    this.#noteLinks(folder);
    this.#folderIds.set(folder.path, folder.id);
    this.#events.folderFound(folder.path, known !== folder.id);
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
    const bound: Bound = new Map();
    await eachLimited(groups, AT_ONCE, async (group) => {
      const sight = await this.#see(state, group, bound, complete);
      if (sight !== undefined) sights.push(sight);
    });
    for (const { family, members } of sights) this.#bind(state, family, members, bound);
    await eachLimited(sights, AT_ONCE, async (sight) => {
      const sure = await this.#displaced.place(state, sight);
      await this.#newcomers.place(state, sight, sure);
    });
  }

  async #see(state: SourceState, group: Group, bound: Bound, complete: boolean): Promise<Sight | undefined> {
    try {
      const members = await statMembers(group, state.roles);
      const known = state.families.has(join(group.folder, group.root));
      if (!known && !members.some((member) => member.matching)) return undefined;
      const family = this.#table.family(state, group.folder, group.root);
      for (const stream of family.streams) stream.bound = false;
      return { family, members, first: family.streams.size === 0, bound, complete };
    } catch (error) {
      const unreadable = state.unreadableAnew ?? state.unreadable;
      unreadable.set(join(group.folder, group.root), errorCode(error));
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
    const changed = size !== (stream.cutTo ?? stream.size) || mtimeNs !== stream.mtimeNs;
    const known = stream.body.realPath;
    if (moved || stream.astray) this.#table.move(state, family, stream, member);
    if (mayBeAnother(stream, member, moved, changed)) stream.verified = false;
    // Should this be another file, then that is where the stream's own was last.
    const realPath = stream.verified ? member.realPath : known;
    if (stream.body.realPath !== realPath) stream.body = { ...stream.body, realPath };
    if (changed && !stream.hinted && stream.mtimeNs !== 0n && this.#isOld(mtimeNs))
      this.#events.silent(stream);
    stream.hinted = false;
    stream.missingLooks = 0;
    stream.missingSinceMs = undefined;
    stream.bound = true;
    stream.retired = !member.matching || (!isLive(member) && family.latest !== stream);
    // What was there and is not there any more is remembered until the reader has found out.
    stream.cutTo = size < stream.size ? size : undefined;
    stream.size = Math.max(size, stream.size);
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
}

/**
 * Whether the file may only have the inode of the stream's: without a handle nothing kept that from being given out
 * again. Under the live name the next read tells, and no file of the family is newer.
 */
function mayBeAnother(stream: Stream, member: Member, moved: boolean, changed: boolean): boolean {
  if (stream.content !== undefined || stream.busy || stream.fingerprint.bytes === 0) return false;
  return moved || (changed && (!isLive(member) || stream.state === 'finished'));
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
