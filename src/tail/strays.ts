import { basename, dirname, join } from 'node:path';
import { listFolder, statPath, type FileStat, type FolderEntry } from '../platform/files.ts';
import { openCopy } from './copies.ts';
import type { Member } from './family.ts';
import { ANCHOR_BYTES } from './fingerprint.ts';
import type { Opened } from './open-files.ts';
import { parseRotatedName } from './rotated-name.ts';
import type { Stream } from './stream.ts';

/** A file that holds what was read of a stream, open. */
export interface Copy {
  readonly member: Member;
  readonly opened: Opened;
}

interface Found {
  readonly path: string;
  readonly stat: FileStat;
}

/** So many files are asked for their state in one look: where thousands of files are gone, most are deleted. */
const STATS_MAX = 20_000;

/**
 * Looks for the file of a stream where none of the source's paths leads: the old target of a symbolic link that was
 * switched, a file renamed to a name that no rotation gives, a file in a folder that was renamed. Of use while no
 * handle leads there, so after a restart above all. Lives for one look; folders are listed once in it.
 *
 * A file of the same inode is looked for in the folder where the stream's really was, and under the same name in the
 * folders beside that one; a copy of it among those that rotation may have made of a link's target. Content decides.
 */
export class Strays {
  readonly #folders = new Map<string, Promise<readonly Found[]>>();
  readonly #beside = new Map<string, Promise<readonly string[]>>();
  #statsLeft = STATS_MAX;

  /** `isKnown`: a path that the source finds anyhow. */
  async find(stream: Stream, isKnown: (path: string) => boolean, nowMs: number): Promise<Copy | undefined> {
    const last = stream.body.realPath ?? stream.path;
    const near = await this.#filesIn(dirname(last));
    const same = near.filter(({ stat }) => stat.inode === stream.body.inode);
    const far = same.length > 0 ? [] : await this.#besideFolder(last, stream.body.inode);
    for (const found of [...same, ...far, ...copiesOf(last, stream, near)]) {
      if (isKnown(found.path)) continue;
      const member = asMember(found);
      const opened = await openCopy(member, stream, nowMs);
      if (typeof opened !== 'string') return { member, opened };
    }
    return undefined;
  }

  #filesIn(folder: string): Promise<readonly Found[]> {
    return remembered(this.#folders, folder, async () => {
      const files = (await entriesOf(folder)).filter(({ kind }) => kind === 'file');
      return this.#stats(files.map(({ name }) => join(folder, name)));
    });
  }

  async #besideFolder(path: string, inode: string): Promise<readonly Found[]> {
    const folder = dirname(path);
    const parent = dirname(folder);
    const folders = await remembered(this.#beside, parent, async () =>
      (await entriesOf(parent))
        .filter(({ kind }) => kind === 'directory')
        .map(({ name }) => join(parent, name)),
    );
    const others = folders.filter((other) => other !== folder);
    const found = await this.#stats(others.map((other) => join(other, basename(path))));
    return found.filter(({ stat }) => stat.inode === inode);
  }

  async #stats(paths: readonly string[]): Promise<readonly Found[]> {
    const found: Found[] = [];
    for (const path of paths) {
      if (this.#statsLeft-- <= 0) break;
      const stat = await statPath('tail', path).catch(() => undefined);
      if (stat?.kind === 'file') found.push({ path, stat });
    }
    return found;
  }
}

/** Files beside a link's old target that rotation may have made of it; newest first. */
function copiesOf(last: string, { body, offset }: Stream, near: readonly Found[]): readonly Found[] {
  // Those of a file that is reached by its own path are in its family, where copies are looked for anyhow.
  if (body.realPath === undefined || offset < ANCHOR_BYTES) return [];
  const { root } = parseRotatedName(basename(last));
  const copies = near.filter(({ path, stat }) => {
    return stat.inode !== body.inode && parseRotatedName(basename(path)).root === root;
  });
  return copies.toSorted((a, b) => (a.stat.mtimeNs > b.stat.mtimeNs ? -1 : 1));
}

function asMember({ path, stat }: Found): Member {
  const name = parseRotatedName(basename(path));
  const way = { path, realPath: undefined, via: [], aside: false, linkTarget: undefined };
  return { ...way, name, stat, compression: name.compression, matching: false };
}

/** None where the folder is gone or cannot be read. */
function entriesOf(folder: string): Promise<readonly FolderEntry[]> {
  return listFolder('tail', folder).catch(() => []);
}

function remembered<T>(all: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const known = all.get(key);
  if (known !== undefined) return known;
  const made = make();
  all.set(key, made);
  return made;
}
