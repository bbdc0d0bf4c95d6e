import { join } from 'node:path';
import {
  errorCode,
  isAbsent,
  listFolder,
  realPathOf,
  statPath,
  type FolderEntry,
} from '../platform/files.ts';
import { firstMissing, followLink, linksOnTheWay, type LinkPath } from './link-path.ts';
import type { PathPattern } from './path-pattern.ts';

/** A folder and the names in it that are not folders themselves. */
export interface Folder {
  readonly path: string;
  /** The same without symbolic links. */
  readonly realPath: string;
  readonly names: readonly string[];
  /** Names that are symbolic links to files, or to what is not there (which are not among `names`). */
  readonly links: ReadonlyMap<string, LinkPath>;
}

export interface Walk {
  readonly folders: readonly Folder[];
  /** Folders that are there but cannot be read, with the error's code. */
  readonly unreadable: ReadonlyMap<string, string>;
}

/**
 * Told of what a look goes by, each time before it looks there: what watches from then on hears of all that the look
 * does not see.
 */
export interface Passing {
  /** A folder that is about to be listed. `id`: device and inode, since another may have the path later. */
  folder(path: string, id: string): void;
  /** Should the name `at` come, go or change hands, then `path` (a folder if it ends with a slash) is to be looked at. */
  lead(at: string, path: string): void;
}

/** Deep enough for any sane tree; ends a loop of symbolic links that the device and inode check cannot see. */
const DEPTH_MAX = 64;

const UNHEARD: Passing = { folder() {}, lead() {} };

/** The folders of the pattern; or of a part of its tree, from one folder on. */
export async function walk(pattern: PathPattern, passing: Passing = UNHEARD, from?: string): Promise<Walk> {
  const folders: Folder[] = [];
  const unreadable = new Map<string, string>();
  const seen = new Set<string>();
  const visit = async (path: string, depth: number): Promise<boolean> => {
    if (seen.has(path) || depth > DEPTH_MAX) return true;
    seen.add(path);
    const listed = await list(path, passing);
    if (typeof listed === 'string') {
      if (listed !== '') unreadable.set(path, listed);
      else seen.delete(path);
      return listed !== '';
    }
    if (seen.has(listed.id)) return true;
    seen.add(listed.id);
    if (pattern.mayHoldFiles(path)) folders.push(listed.folder);
    for (const name of listed.below) {
      const child = join(path, name);
      if (pattern.mayHold(child)) await visit(child, depth + 1);
    }
    return true;
  };
  const visitBase = async (base: string): Promise<void> => {
    for (const link of await linksOnTheWay(base)) passing.lead(link, `${base}/`);
    if (!(await visit(base, 0)) && (await comesNow(base, passing))) await visit(base, 0);
  };
  if (from === undefined) for (const base of pattern.bases) await visitBase(base);
  else if (pattern.bases.includes(from)) await visitBase(from);
  else if (pattern.mayHold(from)) await visit(from, 0);
  return { folders, unreadable };
}

/** Leaves word where the base will begin to be, and looks again: it may have come in that moment. */
async function comesNow(base: string, passing: Passing): Promise<boolean> {
  let known: string | undefined;
  for (;;) {
    const missing = await firstMissing(base);
    if (missing === undefined) return true;
    if (missing === known) return false;
    passing.lead(missing, `${base}/`);
    known = missing;
  }
}

/**
 * One folder; `undefined` where it is gone, an error's code where it cannot be read. Of symbolic links only those that
 * are meant are followed, and named.
 */
export async function listFiles(
  path: string,
  passing: Passing,
  isMeant: (name: string) => boolean,
): Promise<Folder | string | undefined> {
  const listed = await list(path, passing, isMeant);
  if (typeof listed === 'string') return listed === '' ? undefined : listed;
  return listed.folder;
}

/** The folder, which it is, and its subfolders; '' where it is gone, an error's code where it cannot be read. */
async function list(
  path: string,
  passing: Passing,
  isMeant: (name: string) => boolean = () => true,
): Promise<{ folder: Folder; id: string; below: string[] } | string> {
  try {
    const stat = await statPath('tail', path);
    if (stat?.kind !== 'directory') return '';
    passing.folder(path, stat.id);
    const realPath = await realPathOf('tail', path);
    if (realPath === undefined) return '';
    const listing = await listFolder('tail', path);
    const meant = listing.filter(({ name, kind }) => kind !== 'link' || isMeant(name));
    const { below, ...files } = await split(path, realPath, meant, passing);
    return { folder: { path, realPath, ...files }, id: stat.id, below };
  } catch (error) {
    return isAbsent(error) ? '' : errorCode(error) || String(error);
  }
}

async function split(
  path: string,
  realPath: string,
  listing: readonly FolderEntry[],
  passing: Passing,
): Promise<{ names: string[]; links: Map<string, LinkPath>; below: string[] }> {
  const names: string[] = [];
  const links = new Map<string, LinkPath>();
  const below: string[] = [];
  for (const { name, kind } of listing) {
    if (kind === 'file') names.push(name);
    else if (kind === 'directory') below.push(name);
    else if (kind === 'link') {
      const link = join(path, name);
      const leads = await followLink(link, realPath, (at) => passing.lead(at, link)).catch(() => undefined);
      const stat = await statPath('tail', link).catch(() => undefined);
      if (stat?.kind === 'directory') below.push(name);
      if (stat?.kind === 'file') names.push(name);
      // A link that leads nowhere today may lead to a file tomorrow.
      if (leads !== undefined && (stat === undefined || stat.kind === 'file')) links.set(name, leads);
    }
  }
  return { names, links, below };
}
