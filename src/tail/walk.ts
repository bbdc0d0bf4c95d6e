import { join } from 'node:path';
import { errorCode, isAbsent, listFolder, statPath, type FolderEntry } from '../platform/files.ts';
import type { PathPattern } from './path-pattern.ts';

/** A folder and the names in it that are not folders themselves. */
export interface Folder {
  readonly path: string;
  readonly names: readonly string[];
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
    const listing = await listOrNote(path, unreadable);
    if (listing === undefined) return false;
    const { names, below } = await split(path, listing, seen);
    if (pattern.mayHoldFiles(path)) folders.push({ path, names });
    for (const name of below) {
      const child = join(path, name);
      if (pattern.mayHold(child)) await visit(child, depth + 1);
    }
    return true;
  };
  for (const base of pattern.bases) if (!(await visit(base, 0))) missingBases.push(base);
  return { folders, unreadable, missingBases };
}

/** The names in one folder; `undefined` where it is gone or unreadable. */
export async function listNames(path: string): Promise<readonly string[] | undefined> {
  const listing = await listOrNote(path, new Map());
  return listing?.filter((entry) => entry.kind !== 'directory').map((entry) => entry.name);
}

async function listOrNote(
  path: string,
  unreadable: Map<string, string>,
): Promise<readonly FolderEntry[] | undefined> {
  try {
    return await listFolder('tail', path);
  } catch (error) {
    if (!isAbsent(error)) unreadable.set(path, errorCode(error));
    return undefined;
  }
}

async function split(
  path: string,
  listing: readonly FolderEntry[],
  seen: Set<string>,
): Promise<{ names: string[]; below: string[] }> {
  const names: string[] = [];
  const below: string[] = [];
  for (const entry of listing) {
    if (entry.kind === 'file') names.push(entry.name);
    else if (entry.kind === 'directory') below.push(entry.name);
    else if (entry.kind === 'link') {
      const stat = await statPath('tail', join(path, entry.name)).catch(() => undefined);
      if (stat?.kind === 'file') names.push(entry.name);
      // A link to a folder that was visited already (through another path) would only give the same files again.
      else if (stat?.kind === 'directory' && !seen.has(stat.id)) {
        seen.add(stat.id);
        below.push(entry.name);
      }
    }
  }
  return { names, below };
}
