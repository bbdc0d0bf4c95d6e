import { dirname, join, resolve } from 'node:path';
import { readLink, realPathOf, statPath, type FileStat } from '../platform/files.ts';

/** Where a symbolic link leads, as far as it goes. */
export interface LinkPath {
  /** What the links say, one after the other: other links, and at last a file or what is not there (yet). */
  readonly hops: readonly string[];
  /** Where the file really is; undefined where there is none. */
  readonly target: string | undefined;
}

/** As the kernel has it. */
const HOPS_MAX = 40;

/**
 * Follows a link that stands in a folder with this real path. `passing` is told of each place at which another name
 * would make it lead elsewhere, before it is looked at: a path, or the first part of it that is not there.
 */
export async function followLink(
  path: string,
  realFolder: string,
  passing: (at: string) => void,
): Promise<LinkPath> {
  const hops: string[] = [];
  let folder: string | undefined = realFolder;
  for (let at = path; hops.length < HOPS_MAX;) {
    const said = await readLink('tail', at);
    if (said === undefined) break;
    at = resolve(folder, said);
    hops.push(at);
    folder = await realPathOf('tail', dirname(at));
    passing((folder === undefined ? await firstMissing(at) : undefined) ?? at);
    if (folder === undefined) break;
  }
  return { hops, target: await realPathOf('tail', path) };
}

/** A link that is switched while it is looked at is looked at again, so often at most. */
const SWITCHES_MAX = 3;

/**
 * What a path leads to, and by which links, of one moment: a kubelet switches links while they are looked at. `known` is
 * where it led when it was last followed. `leads` is undefined where the path is no link.
 */
export async function statLink(
  path: string,
  realFolder: string,
  known: LinkPath,
): Promise<{ readonly leads: LinkPath | undefined; readonly stat: FileStat | undefined }> {
  let before = known;
  for (let switches = 0; ; switches++) {
    const stat = await statPath('tail', path);
    const after = await followLink(path, realFolder, () => {});
    if (switches === SWITCHES_MAX || sameLink(before, after))
      return { leads: after.hops.length === 0 ? undefined : after, stat };
    before = after;
  }
}

function sameLink(a: LinkPath, b: LinkPath): boolean {
  return (
    a.target === b.target && a.hops.length === b.hops.length && a.hops.every((hop, i) => hop === b.hops[i])
  );
}

/** The part of the path up to the first name that is not there; undefined where all are. */
export async function firstMissing(path: string): Promise<string | undefined> {
  let missing: string | undefined;
  for (let at = path; ; at = dirname(at)) {
    if ((await statPath('tail', at).catch(() => undefined)) !== undefined || dirname(at) === at)
      return missing;
    missing = at;
  }
}

/** The symbolic links among the folders of a path, the path itself among them. */
export async function linksOnTheWay(path: string): Promise<readonly string[]> {
  const links: string[] = [];
  let at = '/';
  for (const part of path.split('/').filter((name) => name !== '')) {
    at = join(at, part);
    if ((await readLink('tail', at).catch(() => undefined)) !== undefined) links.push(at);
  }
  return links;
}
