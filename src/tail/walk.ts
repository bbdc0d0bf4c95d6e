import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, isAbsent, listFolder, statPath, type FolderEntry } from '../platform/files.ts';
import type { PathPattern } from './path-pattern.ts';

/** A folder and the names in it that are not folders themselves. */
export interface Folder {
  readonly path: string;
  /** The same without symbolic links. */
  readonly realPath: string;
  /** Device and inode: a folder that was made anew needs a new watch. */
  readonly id: string;
  readonly names: readonly string[];
  /** Names that are symbolic links to files, with the path where the file really is. */
  readonly links: ReadonlyMap<string, string>;
}

export interface Walk {
  readonly folders: readonly Folder[];
  /** Folders that are there but cannot be read, with the error's code. */
  readonly unreadable: ReadonlyMap<string, string>;
  readonly missingBases: readonly string[];
}

/** Deep enough for any sane tree; ends a loop of symbolic links that the device and inode check cannot see. */
const DEPTH_MAX = 64;

export async function walk(pattern: PathPattern): Promise<Walk> {
  const folders: Folder[] = [];
  const unreadable = new Map<string, string>();
  const missingBases: string[] = [];
  const seen = new Set<string>();
  const visit = async (path: string, depth: number): Promise<boolean> => {
    if (seen.has(path) || depth > DEPTH_MAX) return true;
    seen.add(path);
    const listed = await list(path);
    if (typeof listed === 'string') {
      if (listed !== '') unreadable.set(path, listed);
      return listed !== '';
    }
    if (seen.has(listed.folder.id)) return true;
    seen.add(listed.folder.id);
    if (pattern.mayHoldFiles(path)) folders.push(listed.folder);
    for (const name of listed.below) {
      const child = join(path, name);
      if (pattern.mayHold(child)) await visit(child, depth + 1);
    }
    return true;
  };
  for (const base of pattern.bases) if (!(await visit(base, 0))) missingBases.push(base);
  return { folders, unreadable, missingBases };
}

/** One folder; `undefined` where it is gone, an error's code where it cannot be read. */
export async function listFiles(path: string): Promise<Folder | string | undefined> {
  const listed = await list(path);
  if (typeof listed === 'string') return listed === '' ? undefined : listed;
  return listed.folder;
}

/** The folder and its subfolders; '' where it is gone, an error's code where it cannot be read. */
async function list(path: string): Promise<{ folder: Folder; below: string[] } | string> {
  try {
    const stat = await statPath('tail', path);
    if (stat?.kind !== 'directory') return '';
    const { names, links, below } = await split(path, await listFolder('tail', path));
    return { folder: { path, realPath: await realpath(path), id: stat.id, names, links }, below };
  } catch (error) {
    return isAbsent(error) ? '' : errorCode(error) || String(error);
  }
}

async function split(
  path: string,
  listing: readonly FolderEntry[],
): Promise<{ names: string[]; links: Map<string, string>; below: string[] }> {
  const names: string[] = [];
  const links = new Map<string, string>();
  const below: string[] = [];
  for (const { name, kind } of listing) {
    if (kind === 'file') names.push(name);
    else if (kind === 'directory') below.push(name);
    else if (kind === 'link') {
      const stat = await statPath('tail', join(path, name)).catch(() => undefined);
      if (stat?.kind === 'directory') below.push(name);
      if (stat?.kind !== 'file') continue;
      names.push(name);
      const target = await realpath(join(path, name)).catch(() => undefined);
      if (target !== undefined) links.set(name, target);
    }
  }
  return { names, links, below };
}
