import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { listFiles } from '../../src/tail/walk.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'taffrail-walk-'));
  for (const name of ['0.log', '1.log']) writeFileSync(join(dir, name), `${name}\n`);
  symlinkSync(join(dir, '0.log'), join(dir, 'app.log'));
});
afterEach(() => rmSync(dir, { recursive: true }));

/** As a kubelet does it: the new link takes the name of the old one. */
function switchLink(to: string): void {
  symlinkSync(join(dir, to), join(dir, 'next'));
  renameSync(join(dir, 'next'), join(dir, 'app.log'));
}

test('a link that is switched while it is looked at is told as it is then, all of it', async () => {
  let switches = 0;
  const lead = (): void => {
    if (switches++ === 0) switchLink('1.log');
  };
  const found = await listFiles(dir, { folder() {}, lead }, () => true);
  expect(found).toMatchObject({ names: expect.arrayContaining(['app.log']) as string[] });
  const target = join(dir, '1.log');
  expect((found as { links: ReadonlyMap<string, unknown> }).links.get('app.log')).toEqual({
    hops: [target],
    target,
  });
});

test('a link that is switched each time it is looked at is told all the same', async () => {
  let switches = 0;
  const lead = (): void => switchLink(`${switches++ % 2}.log`);
  const found = await listFiles(dir, { folder() {}, lead }, () => true);
  expect((found as { names: readonly string[] }).names).toContain('app.log');
});
