import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStateDir } from '../../src/agent/open-state-dir.ts';
import { makeFolder } from '../../src/platform/make-folder.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'taffrail-folder-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

test('a folder is made with those above it, and is left as it is where it is there', () => {
  const path = join(folder, 'a/b/c');
  makeFolder(path, 0o700);
  makeFolder(path, 0o755);
  expect(statSync(path).mode & 0o777).toBe(0o700);
});

test('what cannot be made is said at once', () => {
  writeFileSync(join(folder, 'file'), '');
  expect(() => makeFolder(join(folder, 'file'))).toThrow('EEXIST');
  expect(() => makeFolder(join(folder, 'file/below'))).toThrow('ENOTDIR');
});

test.runIf(process.platform === 'linux')('below /proc as well, where a state folder is refused', async () => {
  expect(() => makeFolder('/proc/taffrail/state')).toThrow('ENOENT');
  await expect(openStateDir('/proc/taffrail/state')).rejects.toThrow(
    'state_dir /proc/taffrail/state cannot be used: no folder can be made there; set `state_dir` to another one',
  );
});
