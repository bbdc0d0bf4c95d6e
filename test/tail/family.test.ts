import { mkdtempSync, renameSync, rmSync, statSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { NameRoles, groupNames, statMembers, type Group, type Member } from '../../src/tail/family.ts';
import { membersBeside } from '../../src/tail/link-targets.ts';
import { compilePaths } from '../../src/tail/path-pattern.ts';
import { listFiles, type Folder } from '../../src/tail/walk.ts';

const UNHEARD = { folder() {}, lead() {} };
let dir: string;
let group: Group;
let roles: NameRoles;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'taffrail-family-'));
  for (const name of ['0.log', '1.log']) writeFileSync(join(dir, name), `${name}\n`);
  symlinkSync(join(dir, '0.log'), join(dir, 'app.log'));
  roles = new NameRoles(compilePaths({ paths: [join(dir, 'app.log')], exclude: [] }));
  const folder = (await listFiles(dir, UNHEARD, () => true)) as Folder;
  group = groupNames(folder, roles).get('app.log')!;
});
afterEach(() => rmSync(dir, { recursive: true }));

/** As a kubelet does it: the new link takes the name of the old one. */
function switchLink(to: string): void {
  symlinkSync(join(dir, to), join(dir, 'next'));
  renameSync(join(dir, 'next'), join(dir, 'app.log'));
}

function inodeOf(path: string): string {
  const { dev, ino } = statSync(path);
  return `${dev}:${ino}`;
}

async function onlyMember(): Promise<Member> {
  const members = await statMembers(group, roles);
  expect(members).toHaveLength(1);
  return members[0]!;
}

test('a link that was switched after its folder was listed leads to the file that is there', async () => {
  switchLink('1.log');
  const member = await onlyMember();
  const target = join(dir, '1.log');
  expect(member).toMatchObject({ linkTarget: target, realPath: target, via: [target] });
  expect(member.stat.id).toBe(inodeOf(target));
});

test('what stands beside it is sought where the link leads now', async () => {
  switchLink('1.log');
  writeFileSync(join(dir, '1.log.1'), 'before\n');
  const beside = await membersBeside(group, [await onlyMember()], [], UNHEARD);
  expect(beside.map(({ realPath }) => realPath)).toEqual([join(dir, '1.log.1')]);
});

test('a link that a file has taken the place of is a file', async () => {
  unlinkSync(join(dir, 'app.log'));
  writeFileSync(join(dir, 'app.log'), 'plain\n');
  expect(await onlyMember()).toMatchObject({ linkTarget: undefined, via: [] });
});
