import { basename, dirname, join } from 'node:path';
import type { Position } from '../model/position.ts';
import { NameRoles, placeOf, type Family, type Member } from './family.ts';
import { compilePaths, type PathPattern } from './path-pattern.ts';
import { compareAge, parseRotatedName, type Compression } from './rotated-name.ts';
import type { SourceSpec } from './source-spec.ts';
import { Stream, type Body } from './stream.ts';

/** A source with its streams. A file is bound to at most one stream of a source, a stream to at most one file. */
export interface SourceState {
  spec: SourceSpec;
  pattern: PathPattern;
  roles: NameRoles;
  /** By device and inode. */
  readonly byId: Map<string, Stream>;
  /** By folder and root. */
  readonly families: Map<string, Family>;
  /** No complete look has been taken yet. */
  fresh: boolean;
  /** In ms of the epoch: since when it was followed before the process started; undefined where it was not. */
  followedSinceMs: number | undefined;
  /** Paths that concern the source but cannot be read, with the reason. */
  unreadable: Map<string, string>;
  /** The same as a look at everything finds it, while it is under way: put in place once it is whole. */
  unreadableAnew: Map<string, string> | undefined;
}

/** Where each stream is entered: by number, identity, path and family. */
export class StreamTable {
  readonly sources = new Map<string, SourceState>();
  readonly #streams = new Map<number, Stream>();
  readonly #byPath = new Map<string, Set<Stream>>();
  readonly #blockBytes: number;
  #nextStream: number;

  constructor(nextStream: number, blockBytes: number) {
    this.#nextStream = nextStream;
    this.#blockBytes = blockBytes;
  }

  get nextStream(): number {
    return this.#nextStream;
  }

  get streams(): Iterable<Stream> {
    return this.#streams.values();
  }

  get(number: number): Stream | undefined {
    return this.#streams.get(number);
  }

  at(path: string): ReadonlySet<Stream> | undefined {
    return this.#byPath.get(path);
  }

  addSource(spec: SourceSpec): SourceState {
    const pattern = compilePaths(spec);
    const state: SourceState = {
      spec,
      pattern,
      roles: new NameRoles(pattern),
      byId: new Map(),
      families: new Map(),
      fresh: true,
      followedSinceMs: undefined,
      unreadable: new Map(),
      unreadableAnew: undefined,
    };
    this.sources.set(spec.name, state);
    return state;
  }

  /** Takes up the positions of files that the source's paths lead to; returns the others. */
  takeUp(state: SourceState, positions: readonly Position[]): readonly Position[] {
    const others: Position[] = [];
    for (const position of positions) {
      if (position.path === '') continue;
      if (state.roles.of(position.path).root === undefined) others.push(position);
      else this.#restore(state, position);
    }
    return others;
  }

  /** Gives a source its new settings; returns the streams that it does not want any more. */
  change(state: SourceState, spec: SourceSpec): readonly Stream[] {
    state.spec = spec;
    state.pattern = compilePaths(spec);
    state.roles = new NameRoles(state.pattern);
    const unwanted: Stream[] = [];
    for (const stream of new Set([...state.families.values()].flatMap((family) => [...family.streams]))) {
      stream.source = spec;
      if (state.roles.of(stream.path).root === undefined) unwanted.push(stream);
    }
    return unwanted;
  }

  family(state: SourceState, folder: string, root: string): Family {
    const key = join(folder, root);
    const known = state.families.get(key);
    if (known !== undefined) return known;
    const family = {
      folder,
      root,
      streams: new Set<Stream>(),
      passed: new Map(),
      latest: undefined,
      sinceMs: undefined,
      puzzled: 0,
    };
    state.families.set(key, family);
    return family;
  }

  enter(state: SourceState, family: Family, member: Member, id: { device: string; inode: string }): Stream {
    const { device, inode } = id;
    const body = { ...wayOf(member), device, inode };
    const stream = new Stream(state.spec, this.#nextStream++, body, this.#blockBytes);
    this.#insert(state, family, stream);
    return stream;
  }

  /** The stream's content is now that file. */
  move(state: SourceState, family: Family, stream: Stream, member: Member): void {
    this.#byPath.get(stream.path)?.delete(stream);
    this.unbind(state, stream);
    for (const other of state.families.values()) if (other !== family) other.streams.delete(stream);
    const { device, inode } = member.stat;
    stream.body = { ...wayOf(member), device, inode };
    stream.astray = false;
    this.#insert(state, family, stream);
  }

  /** The stream's content is now a file that its path does not lead to. */
  moveAstray(state: SourceState, stream: Stream, { path, stat, compression }: Member): void {
    this.unbind(state, stream);
    const { device, inode } = stat;
    const { linkTarget, via } = stream.body;
    const way = { path: stream.path, place: path, realPath: path, via, linkTarget };
    stream.body = { ...way, device, inode, compression };
    stream.astray = true;
    state.byId.set(stream.id, stream);
  }

  /** The file that the stream was known by may be another's now. */
  unbind(state: SourceState, stream: Stream): void {
    if (state.byId.get(stream.id) === stream) state.byId.delete(stream.id);
  }

  remove(state: SourceState, stream: Stream): void {
    stream.cancelTimers();
    this.#streams.delete(stream.number);
    this.#byPath.get(stream.path)?.delete(stream);
    this.unbind(state, stream);
    for (const [key, family] of state.families) {
      if (family.latest === stream) family.latest = undefined;
      if (family.streams.delete(stream) && family.streams.size === 0) state.families.delete(key);
    }
  }

  #restore(state: SourceState, position: Position): void {
    const { device, inode, path, realPath } = position;
    const name = parseRotatedName(basename(path));
    // Whether it was there by a link, or aside, the first look tells.
    const way = { path, place: path, realPath, via: [], linkTarget: position.linkTarget };
    const body = { ...way, device, inode, compression: compressionAt(realPath) ?? name.compression };
    const stream = new Stream(state.spec, position.stream, body, this.#blockBytes);
    stream.restore(position);
    const family = this.family(state, dirname(path), name.root);
    this.#insert(state, family, stream);
    state.followedSinceMs = earlier(state.followedSinceMs, position.familySinceMs);
    if (stream.state === 'following' && isNewer(stream, family.latest)) family.latest = stream;
    this.#nextStream = Math.max(this.#nextStream, position.stream + 1);
  }

  #insert(state: SourceState, family: Family, stream: Stream): void {
    this.#streams.set(stream.number, stream);
    state.byId.set(stream.id, stream);
    family.streams.add(stream);
    family.sinceMs = earlier(family.sinceMs, stream.familySinceMs);
    state.families.set(join(family.folder, family.root), family);
    const there = this.#byPath.get(stream.path);
    if (there === undefined) this.#byPath.set(stream.path, new Set([stream]));
    else there.add(stream);
  }
}

function wayOf({
  path,
  realPath,
  via,
  aside,
  linkTarget,
  compression,
}: Member): Omit<Body, 'device' | 'inode'> {
  return { path, place: placeOf({ path, realPath, aside }), realPath, via, linkTarget, compression };
}

/** By the name that the file has where it really is. */
function compressionAt(realPath: string | undefined): Compression | undefined {
  return realPath === undefined ? undefined : parseRotatedName(basename(realPath)).compression;
}

function earlier(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}

function isNewer(stream: Stream, other: Stream | undefined): boolean {
  if (other === undefined) return true;
  const age = (path: string): Parameters<typeof compareAge>[0] => parseRotatedName(basename(path)).age;
  return (compareAge(age(stream.path), age(other.path)) || stream.number - other.number) > 0;
}
