import { basename, dirname, join } from 'node:path';
import { statPath, type FileStat } from '../platform/files.ts';
import { statLink } from './link-path.ts';
import type { PathPattern } from './path-pattern.ts';
import { compareAge, parseRotatedName, type Compression, type RotatedName } from './rotated-name.ts';
import type { Stream } from './stream.ts';
import type { Folder } from './walk.ts';

/** A file that the source's globs match, or that may be a rotated form of one. */
export interface Member {
  /** By which the source has it. */
  readonly path: string;
  /** Where it really is, if the path leads there by a symbolic link, or where it is aside. */
  readonly realPath: string | undefined;
  /** What the link says that its path is, one link after another; empty where it is none. */
  readonly via: readonly string[];
  /** The path does not lead there: it stands beside what a link leads to, or led to before. */
  readonly aside: boolean;
  /** The real path that it has, or had before it was rotated, where a link leads or led there; else undefined. */
  readonly linkTarget: string | undefined;
  readonly name: RotatedName;
  readonly stat: FileStat;
  readonly compression: Compression;
  /** The globs match it; otherwise it is only of interest for what rotation moved into it. */
  readonly matching: boolean;
}

/** The files of one folder whose names have one root, and the streams that were read from them. */
export interface Family {
  readonly folder: string;
  readonly root: string;
  readonly streams: Set<Stream>;
  /** Files that were looked at and are not to be read, by identity, with the size and time they had then. */
  readonly passed: Map<string, string>;
  /** The stream that a new one waits for. */
  latest: Stream | undefined;
  /** In ms of the epoch, since when it is followed; not known where positions do not tell. */
  sinceMs: number | undefined;
  /** Looks in a row in which a stream's file was not found although it is not deleted. */
  puzzled: number;
}

export interface Group {
  readonly folder: string;
  readonly root: string;
  readonly names: readonly string[];
  /** The folder as it was listed, if it was. */
  readonly listed?: Folder;
}

/** What a path is to a source. */
export interface NameRole {
  readonly name: RotatedName;
  readonly matching: boolean;
  /** The root of its family, where the globs match the path or one that it may have had before a rotation. */
  readonly root: string | undefined;
}

/** Roles by path: names stay, and are asked for at each look. */
export class NameRoles {
  readonly #pattern: PathPattern;
  readonly #roles = new Map<string, NameRole>();

  constructor(pattern: PathPattern) {
    this.#pattern = pattern;
  }

  of(path: string): NameRole {
    const known = this.#roles.get(path);
    if (known !== undefined) return known;
    const role = this.#judge(path);
    if (this.#roles.size >= ROLES_KEPT_MAX) this.#roles.clear();
    this.#roles.set(path, role);
    return role;
  }

  #judge(path: string): NameRole {
    const folder = dirname(path);
    const name = parseRotatedName(basename(path));
    const matching = this.#pattern.matches(path);
    const relevant =
      matching || name.formerNames.some((former) => this.#pattern.matches(join(folder, former)));
    return { name, matching, root: relevant ? name.root : undefined };
  }
}

const ROLES_KEPT_MAX = 50_000;

/** Names of a folder that concern the source, by their root. */
export function groupNames(folder: Folder, roles: NameRoles): Map<string, Group & { names: string[] }> {
  const groups = new Map<string, Group & { names: string[] }>();
  for (const name of folder.names) {
    const { root } = roles.of(join(folder.path, name));
    if (root === undefined) continue;
    const group = groups.get(root);
    if (group === undefined) groups.set(root, { folder: folder.path, root, names: [name], listed: folder });
    else group.names.push(name);
  }
  return groups;
}

/** Throws where a file is there and its state cannot be had: what is not known to be gone must not count as gone. */
export async function statMembers(group: Group, roles: NameRoles): Promise<Member[]> {
  const members: Member[] = [];
  for (const base of group.names) {
    const path = join(group.folder, base);
    const { listed } = group;
    const known = listed?.links.get(base);
    const { leads: link, stat } =
      listed === undefined || known === undefined
        ? { leads: undefined, stat: await statPath('tail', path) }
        : await statLink(path, listed.realPath, known);
    if (stat?.kind !== 'file') continue;
    const { name, matching } = roles.of(path);
    const realPath = link?.target ?? (group.listed && realPathIn(group.listed, base));
    const way = { path, realPath, via: link?.hops ?? NO_HOPS, aside: false, linkTarget: link?.target };
    members.push({ ...way, name, stat, compression: name.compression, matching });
  }
  return members;
}

const NO_HOPS: readonly string[] = [];

function realPathIn(folder: Folder, base: string): string | undefined {
  return folder.realPath === folder.path ? undefined : join(folder.realPath, base);
}

/** Where it is opened. */
export function placeOf({ path, realPath, aside }: Pick<Member, 'path' | 'realPath' | 'aside'>): string {
  return aside ? (realPath ?? path) : path;
}

/** Negative where `a` was written before `b`. Within one style names decide, else times do. */
export function compareMembers(a: Member, b: Member): number {
  if (a.linkTarget !== b.linkTarget) {
    if (isLive(a) !== isLive(b)) return isLive(a) ? 1 : -1;
    return a.stat.mtimeNs < b.stat.mtimeNs ? -1 : Number(a.stat.mtimeNs > b.stat.mtimeNs);
  }
  const byName = compareAge(a.name.age, b.name.age);
  if (byName !== 0 || a.name.age.kind === b.name.age.kind) return byName;
  return a.stat.mtimeNs < b.stat.mtimeNs ? -1 : Number(a.stat.mtimeNs > b.stat.mtimeNs);
}

export function isLive(member: Member): boolean {
  return !member.aside && member.name.age.kind === 'live' && member.compression === 'none';
}
