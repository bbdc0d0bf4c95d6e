import { join } from 'node:path';
import { statPath, type FileStat } from '../platform/files.ts';
import type { PathPattern } from './path-pattern.ts';
import { compareAge, parseRotatedName, type RotatedName, type Compression } from './rotated-name.ts';
import type { Stream } from './stream.ts';
import type { Folder } from './walk.ts';

/** A file that the source's globs match, or that may be a rotated form of one. */
export interface Member {
  readonly path: string;
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
}

const STATS_AT_ONCE = 16;

/** Names of a folder that concern the source, by their root. */
export function groupNames(folder: Folder, pattern: PathPattern): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const name of folder.names) {
    const root = rootIfRelevant(folder.path, name, pattern);
    if (root === undefined) continue;
    const group = groups.get(root);
    if (group === undefined) groups.set(root, [name]);
    else group.push(name);
  }
  return groups;
}

export function rootIfRelevant(folder: string, name: string, pattern: PathPattern): string | undefined {
  const parsed = parseRotatedName(name);
  const relevant =
    pattern.matches(join(folder, name)) ||
    parsed.formerNames.some((former) => pattern.matches(join(folder, former)));
  return relevant ? parsed.root : undefined;
}

export async function statMembers(
  folder: string,
  names: readonly string[],
  pattern: PathPattern,
): Promise<Member[]> {
  const members: Member[] = [];
  for (let at = 0; at < names.length; at += STATS_AT_ONCE) {
    const some = names.slice(at, at + STATS_AT_ONCE).map((name) => statMember(folder, name, pattern));
    for (const member of await Promise.all(some)) if (member !== undefined) members.push(member);
  }
  return members;
}

async function statMember(folder: string, base: string, pattern: PathPattern): Promise<Member | undefined> {
  const path = join(folder, base);
  const stat = await statPath('tail', path).catch(() => undefined);
  if (stat?.kind !== 'file') return undefined;
  const name = parseRotatedName(base);
  return { path, name, stat, compression: name.compression, matching: pattern.matches(path) };
}

/** Negative where `a` was written before `b`. */
export function compareMembers(a: Member, b: Member): number {
  const byName = compareAge(a.name.age, b.name.age);
  if (byName !== 0 || a.name.age.kind === b.name.age.kind) return byName;
  return a.stat.mtimeNs < b.stat.mtimeNs ? -1 : Number(a.stat.mtimeNs > b.stat.mtimeNs);
}
