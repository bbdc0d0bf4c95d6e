import { basename, dirname, join } from 'node:path';
import type { Position } from '../model/position.ts';
import { errorCode } from '../platform/files.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { judgeCopy, gzipContentSize } from './copies.ts';
import {
  compareMembers,
  groupNames,
  rootIfRelevant,
  statMembers,
  type Family,
  type Member,
} from './family.ts';
import { anchorBefore, ANCHOR_BYTES, FINGERPRINT_BYTES, fingerprintOf, NO_ANCHOR } from './fingerprint.ts';
import { openContent, type OpenFiles, type Opened } from './open-files.ts';
import { compilePaths, type PathPattern } from './path-pattern.ts';
import { parseRotatedName } from './rotated-name.ts';
import type { SourceSpec } from './source-spec.ts';
import { Stream } from './stream.ts';
import { encodingOf } from './text-encoding.ts';
import { listNames, walk, type Folder } from './walk.ts';

/** What the catalogue tells the tailer. */
export interface CatalogueEvents {
  /** The stream may have something to read. */
  ready(stream: Stream): void;
  /** The stream is no longer what it was; `missed` where content is known to be gone. */
  noted(stream: Stream, missed?: { readonly reason: 'truncated' | 'deleted'; readonly bytes: number }): void;
  /** Something could not be decided yet: look at the family again soon. */
  undecided(path: string): void;
}

interface SourceState {
  spec: SourceSpec;
  pattern: PathPattern;
  readonly byId: Map<string, Stream>;
  /** By folder and root. */
  readonly families: Map<string, Family>;
  /** No complete look has been taken yet. */
  fresh: boolean;
  missingBases: readonly string[];
  /** Paths that match but cannot be read, with the reason. */
  readonly unreadable: Map<string, string>;
}

/** So many of the files that were rotated before our first look are remembered, as the border of what is ours. */
const HISTORY_KEPT = 4;

/**
 * Which files there are, and which stream each of them is. Invariants:
 *
 * - A stream is bound to at most one file, by device and inode; a file to at most one stream of a source.
 * - What a name says is a hint; that content moved (truncated, copied, inode used again) is found by the reader,
 *   which marks the stream `replaced`; here its copy is looked for, and the file it had is then a new one.
 * - In a family, a file that no stream is known for was never read if it is newer than the oldest known one; older
 *   ones were there before us and are history, unless the globs match them.
 */
export class Catalogue {
  readonly #sources = new Map<string, SourceState>();
  readonly #streams = new Map<number, Stream>();
  readonly #byPath = new Map<string, Set<Stream>>();
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #files: OpenFiles;
  readonly #events: CatalogueEvents;
  readonly #startedAtMs: number;
  readonly #blockBytes: number;
  #nextStream: number;

  constructor(options: {
    readonly clock: Clock;
    readonly log: Log;
    readonly files: OpenFiles;
    readonly events: CatalogueEvents;
    readonly nextStream: number;
    readonly blockBytes: number;
  }) {
    this.#clock = options.clock;
    this.#log = options.log;
    this.#files = options.files;
    this.#events = options.events;
    this.#nextStream = options.nextStream;
    this.#blockBytes = options.blockBytes;
    this.#startedAtMs = options.clock.now();
  }

  get streams(): Iterable<Stream> {
    return this.#streams.values();
  }

  get nextStream(): number {
    return this.#nextStream;
  }

  addSource(spec: SourceSpec, positions: readonly Position[]): void {
    const state: SourceState = {
      spec,
      pattern: compilePaths(spec),
      byId: new Map(),
      families: new Map(),
      fresh: true,
      missingBases: [],
      unreadable: new Map(),
    };
    this.#sources.set(spec.name, state);
    for (const position of positions) this.#restore(state, position);
  }

  /** Paths below which the source's files lie. */
  bases(): string[] {
    return [...new Set([...this.#sources.values()].flatMap((state) => state.pattern.bases))];
  }

  missingBases(): string[] {
    return [...this.#sources.values()].flatMap((state) => state.missingBases);
  }

  unreadable(): { source: string; path: string; error: string }[] {
    return [...this.#sources.values()].flatMap((state) =>
      [...state.unreadable].map(([path, error]) => ({ source: state.spec.name, path, error })),
    );
  }

  mayHold(folder: string): boolean {
    for (const { pattern } of this.#sources.values()) if (pattern.mayHold(folder)) return true;
    return false;
  }

  at(path: string): ReadonlySet<Stream> | undefined {
    return this.#byPath.get(path);
  }

  /** Looks at everything. */
  async lookAtAll(): Promise<void> {
    for (const state of this.#sources.values()) await this.#lookAtSource(state);
  }

  /** Looks at the families that a path belongs to. */
  async lookAt(path: string): Promise<void> {
    const folder = dirname(path);
    for (const state of this.#sources.values()) {
      const root = rootIfRelevant(folder, basename(path), state.pattern);
      if (root === undefined) continue;
      const names = await listNames(folder);
      const group =
        names === undefined ? [] : (groupNames({ path: folder, names }, state.pattern).get(root) ?? []);
      await this.#lookAtGroups(state, [{ folder, root, names: group }], false);
    }
  }

  isRelevant(path: string): boolean {
    const folder = dirname(path);
    const name = basename(path);
    for (const { pattern } of this.#sources.values()) {
      if (rootIfRelevant(folder, name, pattern) !== undefined) return true;
    }
    return false;
  }

  /** The reader found other content in the file than it had read. */
  async replaced(stream: Stream): Promise<void> {
    stream.state = 'replaced';
    const state = this.#sources.get(stream.source.name);
    if (state?.byId.get(stream.id) === stream) state.byId.delete(stream.id);
    await this.#files.release(stream);
  }

  async #lookAtSource(state: SourceState): Promise<void> {
    const { folders, unreadable, missingBases } = await walk(state.pattern);
    state.missingBases = missingBases;
    state.unreadable.clear();
    for (const [path, code] of unreadable) state.unreadable.set(path, code);
    await this.#lookAtGroups(state, this.#groupsOf(state, folders), true);
    state.fresh = false;
  }

  /** Families found in the folders, and known families that were not found at all. */
  #groupsOf(state: SourceState, folders: readonly Folder[]): Group[] {
    const groups = new Map<string, Group>();
    for (const folder of folders) {
      for (const [root, names] of groupNames(folder, state.pattern)) {
        groups.set(familyKey(folder.path, root), { folder: folder.path, root, names });
      }
    }
    for (const [key, { folder, root, streams }] of state.families) {
      if (streams.size > 0 && !groups.has(key)) groups.set(key, { folder, root, names: [] });
    }
    return [...groups.values()];
  }

  async #lookAtGroups(state: SourceState, groups: readonly Group[], complete: boolean): Promise<void> {
    const found: { family: Family; members: Member[]; first: boolean }[] = [];
    for (const { folder, root, names } of groups) {
      const members = await statMembers(folder, names, state.pattern);
      const known = state.families.has(familyKey(folder, root));
      if (!known && !members.some((member) => member.matching)) continue;
      const family = this.#family(state, folder, root);
      for (const stream of family.streams) stream.bound = false;
      found.push({ family, members, first: family.streams.size === 0 });
    }
    const bound = new Map<Stream, Member>();
    for (const { family, members } of found) this.#bind(state, family, members, bound);
    for (const { family, members, first } of found) {
      const free = (): Member[] => members.filter((member) => !isBoundTo(state, member, bound));
      await this.#placeDisplaced(state, family, free, bound, complete);
      await this.#placeUnknown(state, family, free(), bound, first && family.streams.size === 0);
    }
  }

  /** Which known stream is which file, by device and inode. */
  #bind(state: SourceState, family: Family, members: readonly Member[], bound: Map<Stream, Member>): void {
    for (const member of members) {
      const stream = state.byId.get(member.stat.id);
      if (stream === undefined || stream.state === 'replaced' || stream.state === 'forgotten') continue;
      const other = bound.get(stream);
      // Two names for one file: the one that the stream had stays.
      if (other !== undefined && (other.path === stream.path || member.path !== stream.path)) continue;
      bound.set(stream, member);
    }
    for (const member of members) {
      const stream = state.byId.get(member.stat.id);
      if (stream !== undefined && bound.get(stream) === member) this.#bindTo(state, family, stream, member);
    }
  }

  #bindTo(state: SourceState, family: Family, stream: Stream, member: Member): void {
    const moved = member.path !== stream.path;
    const changed = member.stat.size !== stream.size || member.stat.mtimeNs !== stream.mtimeNs;
    stream.bound = true;
    if (moved) this.#setBody(state, family, stream, member);
    stream.retired = !member.matching || (member.name.age.kind !== 'live' && family.latest !== stream);
    stream.size = member.stat.size < stream.offset ? Math.max(stream.size, stream.offset) : member.stat.size;
    stream.mtimeNs = member.stat.mtimeNs;
    if (stream.state === 'finished') {
      if (!changed || stream.body.compression !== 'none' || member.stat.size === stream.offset) return;
      stream.state = 'following';
      stream.finishing = false;
    }
    if (changed || moved) this.#events.ready(stream);
  }

  /** Streams whose file was not found under its identity: followed by handle, found as a copy, or lost. */
  async #placeDisplaced(
    state: SourceState,
    family: Family,
    free: () => Member[],
    bound: Map<Stream, Member>,
    complete: boolean,
  ): Promise<void> {
    for (const stream of family.streams) {
      if (stream.bound || stream.state === 'forgotten' || stream.busy) continue;
      if (stream.content !== undefined) {
        stream.retired = true;
        this.#events.ready(stream);
        continue;
      }
      const copy = await this.#findCopy(stream, free());
      if (copy === 'undecided') this.#events.undecided(stream.path);
      else if (copy !== undefined) this.#adopt(state, family, stream, copy, bound);
      // It may have moved to another folder, which only a look at everything can tell.
      else if (complete || stream.state === 'replaced') this.#lose(state, family, stream);
      else this.#events.undecided('');
    }
  }

  async #findCopy(stream: Stream, members: readonly Member[]): Promise<Member | 'undecided' | undefined> {
    let undecided = false;
    for (const member of [...members].sort(compareMembers).toReversed()) {
      if (member.name.age.kind === 'live' && stream.offset < ANCHOR_BYTES) continue;
      const verdict = await judgeCopy(member, stream, this.#clock.now());
      if (verdict === 'copy') return member;
      if (verdict === 'undecided' && member.name.age.kind !== 'live') undecided = true;
    }
    return undecided ? 'undecided' : undefined;
  }

  #adopt(
    state: SourceState,
    family: Family,
    stream: Stream,
    member: Member,
    bound: Map<Stream, Member>,
  ): void {
    if (state.byId.get(stream.id) === stream) state.byId.delete(stream.id);
    this.#setBody(state, family, stream, member);
    bound.set(stream, member);
    stream.bound = true;
    stream.scanned = 0;
    stream.size = Math.max(stream.offset, member.compression === 'none' ? member.stat.size : 0);
    stream.mtimeNs = member.stat.mtimeNs;
    stream.retired = member.name.age.kind !== 'live' || !member.matching;
    if (stream.state === 'finished') this.#events.noted(stream);
    else {
      stream.state = 'following';
      this.#events.ready(stream);
    }
  }

  #lose(state: SourceState, family: Family, stream: Stream): void {
    const reason = stream.state === 'replaced' ? 'truncated' : 'deleted';
    const unread = stream.size < stream.offset ? -1 : stream.size - stream.offset;
    const missed =
      stream.state === 'finished' || unread === 0 ? undefined : ({ reason, bytes: unread } as const);
    if (missed !== undefined) {
      this.#log.error(
        { source: stream.source.name, path: stream.path, reason, bytes: unread < 0 ? undefined : unread },
        'content was gone before it was read, and no copy of it was found',
      );
    }
    this.#forget(state, family, stream);
    this.#events.noted(stream, missed);
  }

  /** Files that no stream is known for. */
  async #placeUnknown(
    state: SourceState,
    family: Family,
    members: readonly Member[],
    bound: Map<Stream, Member>,
    first: boolean,
  ): Promise<void> {
    const history: Member[] = [];
    for (const member of [...members].sort(compareMembers)) {
      const seen = `${member.stat.size}:${member.stat.mtimeNs}`;
      if (family.passed.get(member.stat.id) === seen) continue;
      const decision = await this.#judgeUnknown(state, family, member, bound, first);
      if (decision === 'later') {
        // What is newer waits too, so that order is kept.
        this.#events.undecided(member.path);
        break;
      }
      if (decision === 'history') history.push(member);
      if (decision === 'pass') family.passed.set(member.stat.id, seen);
      if (decision === 'read') await this.#begin(state, family, member, bound);
    }
    for (const member of history.slice(-HISTORY_KEPT)) await this.#remember(state, family, member, bound);
    if (family.passed.size > 2 * members.length + 64) family.passed.clear();
  }

  async #judgeUnknown(
    state: SourceState,
    family: Family,
    member: Member,
    bound: ReadonlyMap<Stream, Member>,
    first: boolean,
  ): Promise<'read' | 'history' | 'pass' | 'later'> {
    if (member.compression === 'unsupported') return 'pass';
    const live = member.name.age.kind === 'live';
    if (!member.matching) {
      if (first) return this.#wasBeforeUs(state, member) ? 'history' : 'read';
      const floor = oldestKnown(family, bound);
      if (floor !== undefined && compareMembers(member, floor) <= 0) return 'pass';
    }
    if (family.streams.size === 0) return 'read';
    if (member.stat.size === 0) return live ? 'read' : 'pass';
    return await this.#judgeAgainstStreams(family, member, bound);
  }

  async #judgeAgainstStreams(
    family: Family,
    member: Member,
    bound: ReadonlyMap<Stream, Member>,
  ): Promise<'read' | 'pass' | 'later'> {
    for (const stream of family.streams) {
      const own = bound.get(stream);
      // A copy is made under a name that is as old or older than that of the original.
      if (own !== undefined && compareMembers(member, own) > 0) continue;
      if (own === undefined && member.name.age.kind === 'live' && stream.offset < ANCHOR_BYTES) continue;
      const verdict = await judgeCopy(member, stream, this.#clock.now());
      if (verdict === 'undecided' && member.name.age.kind !== 'live') return 'later';
      if (verdict === 'copy') {
        const weak = stream.offset < ANCHOR_BYTES && own !== undefined && own.stat.size !== member.stat.size;
        if (!weak) return 'pass';
      }
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
    bound: Map<Stream, Member>,
  ): Promise<void> {
    const opened = await this.#open(state, member);
    if (opened === undefined) return;
    const stream = await this.#newStream(state, family, member, opened).catch(async (error: unknown) => {
      await opened.content.close();
      state.unreadable.set(member.path, errorCode(error));
      this.#events.undecided(member.path);
      return undefined;
    });
    if (stream === undefined) return;
    bound.set(stream, member);
    await this.#files.attach(stream, opened.content);
    if (state.fresh && state.spec.startAt === 'end' && family.streams.size === 1) {
      await this.#skipToEnd(stream, member, opened);
    }
    if (state.spec.startAt === 'end') this.#events.noted(stream);
    const before = family.latest;
    if (before !== undefined && (before.state === 'following' || before.state === 'replaced')) {
      stream.after = before;
      before.atEnd = false;
      this.#events.ready(before);
    }
    family.latest = stream;
    this.#events.ready(stream);
  }

  async #newStream(state: SourceState, family: Family, member: Member, opened: Opened): Promise<Stream> {
    const head = Buffer.allocUnsafe(FINGERPRINT_BYTES);
    const got = await opened.content.read(head, 0, FINGERPRINT_BYTES, 0);
    const known = head.subarray(0, got);
    const { device, inode } = opened.stat;
    const body = { path: member.path, device, inode, compression: member.compression };
    const stream = new Stream(state.spec, this.#nextStream++, body, fingerprintOf(known), this.#blockBytes);
    if (got >= 3) stream.encoding = encodingOf(state.spec.encoding, known);
    stream.size = opened.stat.size;
    stream.mtimeNs = opened.stat.mtimeNs;
    stream.bound = true;
    stream.retired = !member.matching;
    this.#enter(state, family, stream);
    return stream;
  }

  async #open(state: SourceState, member: Member): Promise<Opened | undefined> {
    try {
      const opened = await openContent(member.path, member.compression);
      if (opened !== undefined && opened.stat.id === member.stat.id) {
        state.unreadable.delete(member.path);
        return opened;
      }
      await opened?.content.close();
      this.#events.undecided(member.path);
    } catch (error) {
      if (!state.unreadable.has(member.path)) {
        this.#log.warn(
          { source: state.spec.name, path: member.path, code: errorCode(error) },
          'a file cannot be read; it is tried again',
        );
      }
      state.unreadable.set(member.path, errorCode(error));
    }
    return undefined;
  }

  /** Puts a new stream at the start of the line that the file ends with. */
  async #skipToEnd(stream: Stream, member: Member, opened: Opened): Promise<void> {
    if (member.compression === 'gzip') {
      stream.offset = stream.committedOffset = await gzipContentSize(member.path, opened.stat.size);
      stream.anchor = NO_ANCHOR;
      stream.state = 'finished';
      return;
    }
    const { size } = opened.stat;
    const length = Math.min(size, stream.source.maxLineBytes + ANCHOR_BYTES);
    const tail = Buffer.allocUnsafe(length);
    const got = await opened.content.read(tail, 0, length, size - length);
    const encoding = stream.encoding ?? encodingOf(stream.source.encoding, tail.subarray(0, 0));
    const end = encoding.afterLastNewline(tail, 0, got - (got % encoding.unit));
    if (end === -1 && size > length) return;
    stream.offset = stream.committedOffset = end === -1 ? 0 : size - length + end;
    stream.anchor = end === -1 ? NO_ANCHOR : anchorBefore(tail, end);
  }

  /** A file that was rotated before our first look: not read, but known, so that what comes after it is found. */
  async #remember(
    state: SourceState,
    family: Family,
    member: Member,
    bound: Map<Stream, Member>,
  ): Promise<void> {
    const opened = await this.#open(state, member);
    if (opened === undefined) return;
    try {
      const stream = await this.#newStream(state, family, member, opened);
      bound.set(stream, member);
      await this.#skipToEnd(stream, member, opened);
      stream.state = 'finished';
      this.#events.noted(stream);
    } catch (error) {
      this.#log.debug({ path: member.path, code: errorCode(error) }, 'an old rotated file cannot be read');
    } finally {
      await opened.content.close();
    }
  }

  #restore(state: SourceState, position: Position): void {
    if (position.path === '') return;
    const { device, inode, path } = position;
    const name = parseRotatedName(basename(path));
    const body = { path, device, inode, compression: name.compression };
    const stream = new Stream(state.spec, position.stream, body, position.fingerprint, this.#blockBytes);
    stream.offset = stream.committedOffset = position.offset;
    stream.anchor = position.anchor;
    stream.parserState = position.parserState;
    if (position.finished === true) {
      stream.state = 'finished';
      stream.size = name.compression === 'none' ? position.offset : 0;
    }
    const family = this.#family(state, dirname(path), name.root);
    this.#enter(state, family, stream);
    if (stream.state === 'following') family.latest = stream;
    this.#nextStream = Math.max(this.#nextStream, position.stream + 1);
  }

  #enter(state: SourceState, family: Family, stream: Stream): void {
    this.#streams.set(stream.number, stream);
    state.byId.set(stream.id, stream);
    family.streams.add(stream);
    this.#index(stream);
  }

  #forget(state: SourceState, family: Family, stream: Stream): void {
    stream.state = 'forgotten';
    stream.cancelTimers();
    this.#streams.delete(stream.number);
    if (state.byId.get(stream.id) === stream) state.byId.delete(stream.id);
    family.streams.delete(stream);
    this.#byPath.get(stream.path)?.delete(stream);
    if (family.latest === stream) family.latest = undefined;
  }

  #setBody(state: SourceState, family: Family, stream: Stream, member: Member): void {
    this.#byPath.get(stream.path)?.delete(stream);
    const { device, inode } = member.stat;
    stream.body = { path: member.path, device, inode, compression: member.compression };
    state.byId.set(stream.id, stream);
    this.#index(stream);
    if (family.streams.has(stream)) return;
    for (const other of state.families.values()) other.streams.delete(stream);
    family.streams.add(stream);
  }

  #index(stream: Stream): void {
    const there = this.#byPath.get(stream.path);
    if (there === undefined) this.#byPath.set(stream.path, new Set([stream]));
    else there.add(stream);
  }

  #family(state: SourceState, folder: string, root: string): Family {
    const key = familyKey(folder, root);
    const known = state.families.get(key);
    if (known !== undefined) return known;
    const family: Family = { folder, root, streams: new Set(), passed: new Map(), latest: undefined };
    state.families.set(key, family);
    return family;
  }
}

interface Group {
  readonly folder: string;
  readonly root: string;
  readonly names: readonly string[];
}

function familyKey(folder: string, root: string): string {
  return join(folder, root);
}

function isBoundTo(state: SourceState, member: Member, bound: ReadonlyMap<Stream, Member>): boolean {
  const stream = state.byId.get(member.stat.id);
  return stream !== undefined && bound.has(stream);
}

function oldestKnown(family: Family, bound: ReadonlyMap<Stream, Member>): Member | undefined {
  let oldest: Member | undefined;
  for (const stream of family.streams) {
    const member = bound.get(stream);
    if (member === undefined || stream.fingerprint.bytes === 0) continue;
    if (oldest === undefined || compareMembers(member, oldest) < 0) oldest = member;
  }
  return oldest;
}
