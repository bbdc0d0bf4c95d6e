import { dirname, join } from 'node:path';
import type { Clock } from '../platform/clock.ts';
import { errorCode } from '../platform/files.ts';
import type { Log } from '../platform/log.ts';
import { judgeCopy } from './copies.ts';
import { Displaced } from './displaced.ts';
import { eachLimited } from './each-limited.ts';
import { groupNames, isLive, placeOf, statMembers } from './family.ts';
import type { Family, Group, Member } from './family.ts';
import { Newcomers } from './newcomers.ts';
import type { OpenFiles } from './open-files.ts';
import type { Bound, CatalogueEvents, Sight } from './sight.ts';
import type { Stream } from './stream.ts';
import type { SourceState, StreamTable } from './stream-table.ts';
import { listFiles, walk, type Folder } from './walk.ts';
import { membersBeside } from './link-targets.ts';

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
  /** Families and folders looked at so far. */
  steps = 0;
  readonly #table: StreamTable;
  readonly #clock: Clock;
  readonly #events: CatalogueEvents;
  readonly #displaced: Displaced;
  readonly #newcomers: Newcomers;

  constructor(table: StreamTable, files: OpenFiles, clock: Clock, log: Log, events: CatalogueEvents) {
    this.#table = table;
    this.#clock = clock;
    this.#events = events;
    this.#displaced = new Displaced(table, files, clock, log, events);
    this.#newcomers = new Newcomers(table, files, clock, log, events);
  }

  isRelevant(path: string): boolean {
    for (const { roles } of this.#table.sources.values()) if (roles.of(path).root !== undefined) return true;
    return false;
  }

  async lookAtAll(): Promise<void> {
    this.#events.lookBegins();
    for (const state of this.#table.sources.values()) await this.#lookAtSource(state);
    this.#events.lookEnds();
  }

  async #lookAtSource(state: SourceState): Promise<void> {
    const { folders, unreadable } = await walk(state.pattern, this.#events.passing);
    const anew = new Map(unreadable);
    state.unreadableAnew = anew;
    try {
      await this.#lookAtGroups(state, groupsOf(state, folders, unreadable), true);
      state.unreadable = anew;
    } finally {
      state.unreadableAnew = undefined;
    }
    state.fresh = false;
  }

  /**
   * Looks at the families that the paths belong to, once at each however many of its files are meant; where a path ends
   * with a slash, at the folder and all that is in it.
   */
  async lookAt(paths: readonly string[]): Promise<void> {
    const folders = paths.filter((path) => path.endsWith('/')).map((path) => path.slice(0, -1));
    const files = paths.filter((path) => !path.endsWith('/'));
    for (const state of this.#table.sources.values()) {
      for (const folder of folders) if (state.pattern.mayHold(folder)) await this.#lookBelow(state, folder);
      const rootsIn = new Map<string, Set<string>>();
      for (const path of files) {
        const { root } = state.roles.of(path);
        if (root === undefined) continue;
        const folder = dirname(path);
        rootsIn.set(folder, (rootsIn.get(folder) ?? new Set()).add(root));
      }
      for (const [folder, roots] of rootsIn) await this.#lookAtFamilies(state, folder, roots);
    }
  }

  async #lookBelow(state: SourceState, path: string): Promise<void> {
    const { folders, unreadable } = await walk(state.pattern, this.#events.passing, path);
    for (const [folder, code] of unreadable) state.unreadable.set(folder, code);
    const groups = groupsOf(state, folders, unreadable).filter(
      ({ folder }) => folder === path || folder.startsWith(`${path}/`),
    );
    await this.#lookAtGroups(state, groups, false);
  }

  async #lookAtFamilies(state: SourceState, path: string, roots: ReadonlySet<string>): Promise<void> {
    const isMeant = (name: string): boolean => roots.has(state.roles.of(join(path, name)).root ?? '');
    const folder = await listFiles(path, this.#events.passing, isMeant);
    if (typeof folder === 'string') return;
    const found = folder === undefined ? undefined : groupNames(folder, state.roles);
    const groups = [...roots].map(
      (root): Group =>
        found?.get(root) ?? { folder: path, root, names: [], ...(folder && { listed: folder }) },
    );
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

  async #lookAtGroups(state: SourceState, groups: readonly Group[], complete: boolean): Promise<void> {
    this.steps++;
    const sights: Sight[] = [];
    const bound: Bound = new Map();
    await eachLimited(groups, AT_ONCE, async (group) => {
      this.steps++;
      const sight = await this.#see(state, group, bound, complete);
      if (sight !== undefined) sights.push(sight);
    });
    await eachLimited(sights, AT_ONCE, async ({ family, members }) =>
      this.#tellApart(state, family, members),
    );
    for (const { family, members } of sights) this.#bind(state, family, members, bound);
    await eachLimited(sights, AT_ONCE, async (sight) => {
      this.steps++;
      const sure = await this.#displaced.place(state, sight);
      await this.#newcomers.place(state, sight, sure);
    });
  }

  async #see(state: SourceState, group: Group, bound: Bound, complete: boolean): Promise<Sight | undefined> {
    try {
      const known = state.families.get(join(group.folder, group.root));
      const own = await statMembers(group, state.roles);
      const beside = await membersBeside(group, own, known?.streams ?? [], this.#events.passing);
      const members = [...own, ...beside];
      if (known === undefined && !members.some((member) => member.matching)) return undefined;
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

  /**
   * A file of another family than its stream's may have been moved there; or it only has the inode, which was free. Were
   * the stream taken along then, a copy of what it has read would be left behind with nobody to know it. And what was
   * compressed is another file, whoever had the inode.
   */
  async #tellApart(state: SourceState, family: Family, members: readonly Member[]): Promise<void> {
    for (const member of members) {
      const stream = state.byId.get(member.stat.id);
      if (stream === undefined || stream.content !== undefined || stream.busy) continue;
      const isOther =
        member.compression !== stream.body.compression ||
        (!family.streams.has(stream) && (await this.#isForeign(stream, member)));
      if (isOther) this.#table.unbind(state, stream);
    }
  }

  async #isForeign(stream: Stream, member: Member): Promise<boolean> {
    if (stream.fingerprint.bytes === 0) return false;
    if (member.compression === 'none' && member.stat.size < stream.offset) return true;
    return (await judgeCopy(member, stream, this.#clock.now())) === 'other';
  }

  #bind(state: SourceState, family: Family, members: readonly Member[], bound: Bound): void {
    for (const member of members) {
      const stream = state.byId.get(member.stat.id);
      if (stream === undefined || stream.state === 'replaced') continue;
      const other = bound.get(stream);
      // Two names for one file: the one that the stream has stays.
      if (other !== undefined && placeOf(member) !== stream.place) continue;
      bound.set(stream, member);
    }
    for (const member of members) {
      const stream = state.byId.get(member.stat.id);
      if (stream !== undefined && bound.get(stream) === member) this.#bindTo(state, family, stream, member);
    }
  }

  #bindTo(state: SourceState, family: Family, stream: Stream, member: Member): void {
    const { size, mtimeNs } = member.stat;
    const moved = member.path !== stream.path || placeOf(member) !== stream.place;
    const changed = size !== (stream.cutTo ?? stream.size) || mtimeNs !== stream.mtimeNs;
    const known = stream.body.realPath;
    if (moved || stream.astray) this.#table.move(state, family, stream, member);
    if (mayBeAnother(stream, member, moved, changed)) stream.verified = false;
    // Should this be another file, then that is where the stream's own was last.
    const realPath = stream.verified ? member.realPath : known;
    const { via } = member;
    const { body } = stream;
    const linkTarget = stream.verified ? member.linkTarget : body.linkTarget;
    if (body.realPath !== realPath || body.linkTarget !== linkTarget || body.via.join() !== via.join())
      stream.body = { ...body, realPath, linkTarget, via };
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
