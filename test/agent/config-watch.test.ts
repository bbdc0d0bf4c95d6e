import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ConfigWatch } from '../../src/agent/config-watch.ts';
import { silentLog } from '../../src/platform/log.ts';

let folder: string;
let watch: ConfigWatch;
let changes: number;
let heard: (() => void) | undefined;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'taffrail-watch-'));
  mkdirSync(join(folder, 'packs/mine'), { recursive: true });
  mkdirSync(join(folder, 'rules'));
  writeFileSync(join(folder, 'taffrail.yaml'), 'a: 1\n');
  writeFileSync(join(folder, 'packs/mine/pack.yaml'), 'a: 1\n');
  changes = 0;
  watch = new ConfigWatch({
    file: join(folder, 'taffrail.yaml'),
    packFolders: [join(folder, 'packs')],
    ruleGlobs: [join(folder, 'rules/*.yaml')],
    onChange: () => {
      changes++;
      heard?.();
    },
    log: silentLog,
  });
  await watch.ready();
});
afterEach(async () => {
  await watch.close();
  rmSync(folder, { recursive: true });
});

async function change(act: () => void): Promise<void> {
  const next = new Promise<void>((resolve) => {
    heard = resolve;
  });
  act();
  await next;
}

test('a configuration that is replaced by an editor is noticed, again and again', async () => {
  for (const text of ['a: 2\n', 'a: 3\n']) {
    await change(() => {
      writeFileSync(join(folder, 'taffrail.yaml.new'), text);
      renameSync(join(folder, 'taffrail.yaml.new'), join(folder, 'taffrail.yaml'));
    });
  }
  expect(changes).toBe(2);
});

test('a changed pack and a new rule file are noticed; a file beside them is not', async () => {
  writeFileSync(join(folder, 'app.log'), 'line\n');
  await change(() => writeFileSync(join(folder, 'packs/mine/pack.yaml'), 'a: 2\n'));
  await change(() => writeFileSync(join(folder, 'rules/new.yaml'), 'groups: []\n'));
  expect(changes).toBe(2);
});
