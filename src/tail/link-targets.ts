import { basename, dirname, join } from 'node:path';
import { listFolder, statPath } from '../platform/files.ts';
import type { Group, Member } from './family.ts';
import { parseRotatedName } from './rotated-name.ts';
import type { Stream } from './stream.ts';
import type { Passing } from './walk.ts';

/** Kubelet keeps few of them. */
const RESTARTS_MAX = 8;

/**
 * A link has its file in another folder, and that is where the file is rotated: what stands there beside it under names
 * that rotation made of its own is of the link's family. The same goes for files that the link led to before, as long
 * as a stream of the family is known to have been one: `1.log` of a container that was started again, after `0.log`.
 */
export async function membersBeside(
  group: Group,
  own: readonly Member[],
  streams: Iterable<Stream>,
  passing: Passing,
): Promise<readonly Member[]> {
  const targets = targetsOf(group, own, streams);
  const members: Member[] = [];
  for (const target of targets.keys()) {
    passing.lead(target, join(group.folder, group.root));
    const { via, isFormer } = targets.get(target)!;
    for (const name of await namesLike(target)) {
      if (name === basename(target) && !isFormer) continue;
      const realPath = join(dirname(target), name);
      const stat = await statPath('tail', realPath);
      if (stat?.kind !== 'file') continue;
      const parsed = parseRotatedName(name);
      const path = join(group.folder, group.root);
      const what = { name: parsed, compression: parsed.compression, matching: false };
      members.push({ path, realPath, via, linkTarget: target, aside: true, stat, ...what });
    }
  }
  return members;
}

interface Target {
  readonly via: readonly string[];
  /** No link leads there any more. */
  readonly isFormer: boolean;
}

/** Real paths of what the links lead to, and of what streams were read from that is none of these. */
function targetsOf(
  group: Group,
  own: readonly Member[],
  streams: Iterable<Stream>,
): ReadonlyMap<string, Target> {
  const targets = new Map<string, Target>();
  const { listed } = group;
  const members = new Map(own.map((member) => [basename(member.path), member]));
  for (const name of group.names) {
    const member = members.get(name);
    const link = listed?.links.get(name);
    const [target, via] =
      member === undefined ? [link?.target, link?.hops ?? []] : [member.linkTarget, member.via];
    if (target !== undefined) targets.set(target, { via, isFormer: false });
  }
  const known = new Set(own.flatMap(({ realPath }) => realPath ?? []));
  for (const { body, state } of streams) {
    const { linkTarget } = body;
    if (linkTarget === undefined || targets.has(linkTarget) || known.has(linkTarget)) continue;
    if (state !== 'parked') targets.set(linkTarget, { via: body.via, isFormer: true });
  }
  for (const between of containersBetween([...targets.keys()]))
    if (!known.has(between) && !targets.has(between)) targets.set(between, { via: [], isFormer: true });
  return targets;
}

/** The restarts of a container that nobody saw: `1.log`, where the link led to `0.log` and now leads to `2.log`. */
function containersBetween(targets: readonly string[]): readonly string[] {
  const numbers = targets.flatMap((target) => {
    const number = /^(\d{1,6})\.log$/.exec(basename(target))?.[1];
    return number === undefined ? [] : [{ folder: dirname(target), number: Number(number) }];
  });
  const folder = numbers[0]?.folder;
  const restarts = numbers.filter((one) => one.folder === folder).map(({ number }) => number);
  const from = Math.max(Math.min(...restarts) + 1, Math.max(...restarts) - RESTARTS_MAX);
  const count = folder === undefined ? 0 : Math.max(0, Math.max(...restarts) - from);
  return Array.from({ length: count }, (_, i) => join(folder!, `${from + i}.log`));
}

/** Names in the target's folder that are its own, or that rotation may have made of it. */
async function namesLike(target: string): Promise<readonly string[]> {
  const name = basename(target);
  const entries = await listFolder('tail', dirname(target)).catch(() => []);
  return entries
    .filter(({ kind }) => kind === 'file')
    .map((entry) => entry.name)
    .filter((other) => other === name || parseRotatedName(other).formerNames.includes(name));
}
