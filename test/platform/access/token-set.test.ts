import { mkdtempSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TokenSet } from '../../../src/platform/access/token-set.ts';
import { silentLog } from '../../../src/platform/log.ts';

let dir: string;
let file: string;
let nowMs = 0;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'taffrail-tokens-'));
  file = join(dir, 'send');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function tokens(): TokenSet {
  return new TokenSet(
    [{ name: 'agents', roles: ['send'], source: { kind: 'file', file } }],
    silentLog,
    () => nowMs,
  );
}

test('each line of a file is a token, and each is known by the name of its entry', () => {
  writeFileSync(file, '# the old one and the new one\nold\n\n  new  \n');
  const set = tokens();
  expect([set.find('old')?.name, set.find('new')?.name, set.find('# the old one and the new one')]).toEqual([
    'agents',
    'agents',
    undefined,
  ]);
});

test('tokens are rotated one by one: a new one is known at once, an old one is forgotten within a second', () => {
  writeFileSync(file, 'old\n');
  const set = tokens();
  writeFileSync(`${file}.next`, 'old\nnew\n');
  renameSync(`${file}.next`, file);
  expect([set.find('new')?.name, set.find('old')?.name]).toEqual(['agents', 'agents']);
  writeFileSync(`${file}.next`, 'new\n');
  renameSync(`${file}.next`, file);
  nowMs += 1000;
  expect([set.find('new')?.name, set.find('old')?.name]).toEqual(['agents', undefined]);
});

test('a file that goes away lets nobody in, and is no reason to let everybody in', () => {
  writeFileSync(file, 'one\n');
  const set = tokens();
  unlinkSync(file);
  nowMs += 1000;
  expect([set.find('one'), set.find(''), set.isConfigured]).toEqual([undefined, undefined, true]);
  writeFileSync(file, '\n');
  expect([set.find('one'), set.find('')]).toEqual([undefined, undefined]);
  writeFileSync(file, 'one\n');
  expect(set.find('one')?.name).toBe('agents');
});
