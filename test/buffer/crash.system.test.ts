import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compileScript, removeCompiled } from './compiled.ts';
import { collect, openBuffer, tempDir } from './fixtures.ts';
import { WRITER } from './writer-script.ts';

let script: string;
beforeAll(() => {
  script = compileScript('writer', WRITER);
});
afterAll(() => removeCompiled(script));

async function run(
  dir: string,
  count: number,
  faults: string,
): Promise<{ acknowledged: number[]; signal: string | null; errors: string }> {
  const env = { ...process.env, TAFFRAIL_FAULTS: faults };
  const child = spawn(process.execPath, [script, dir, String(count)], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  child.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()));
  child.stderr.on('data', (bytes: Buffer) => (errors += bytes.toString()));
  await once(child, 'close');
  return { acknowledged: output.split('\n').filter(Boolean).map(Number), signal: child.signalCode, errors };
}

/** All entries after the snapshot are there, with their content, and none that was acknowledged is missing. */
async function expectWhole(dir: string, acknowledged: number): Promise<void> {
  const { buffer, snapshot, replay } = await openBuffer(dir);
  const entries = await collect(replay);
  const from = (snapshot?.seq ?? 0) + 1;
  expect(entries.map((entry) => entry.seq)).toEqual(entries.map((_, index) => from + index));
  for (const entry of entries) {
    const [batch] = entry.kind === 'commit' ? entry.batches : [];
    expect(Buffer.from(batch!.parts[0]!.blocks[0]!.bytes).toString().trim()).toBe(String(entry.seq));
    expect(batch!.number).toBe(entry.seq);
  }
  expect(buffer.lastSeq).toBeGreaterThanOrEqual(acknowledged);
  expect(buffer.lastSeq).toBeLessThanOrEqual(acknowledged + 1);
  expect(buffer.stats().damage).toEqual([]);
  const cursor = await buffer.cursor('sink');
  expect(cursor.delivered.get('web') ?? 0).toBe(cursor.settledThrough);
  await buffer.close();
}

const POINTS = [
  'buffer.segment.create',
  'buffer.segment.write',
  'buffer.segment.sync',
  'buffer.segment.dirsync',
  'buffer.segment.unlink',
  'buffer.snapshot.create',
  'buffer.snapshot.write',
  'buffer.snapshot.sync',
  'buffer.snapshot.rename',
  'buffer.snapshot.dirsync',
  'buffer.snapshot.unlink',
  'buffer.cursor.write',
  'buffer.cursor.sync',
  'buffer.cursor.rename',
  'buffer.reserve.rename',
];

describe('a process killed at a point', () => {
  test.each(POINTS.flatMap((point) => [`${point}.before`, `${point}.after`]))(
    '%s: nothing acknowledged is lost, nothing appears twice',
    async (point) => {
      const dir = tempDir();
      let acknowledged = 0;
      let kills = 0;
      for (const at of [1, 3, 8]) {
        const result = await run(dir, 40, `${point}:kill@${at}`);
        expect(result.errors).toBe('');
        if (result.signal === 'SIGKILL') kills++;
        acknowledged = Math.max(acknowledged, ...result.acknowledged);
        await expectWhole(dir, acknowledged);
        acknowledged = Math.max(acknowledged, await lastSeq(dir));
      }
      expect(kills).toBeGreaterThan(0);
    },
  );
});

async function lastSeq(dir: string): Promise<number> {
  const { buffer } = await openBuffer(dir);
  const seq = buffer.lastSeq;
  await buffer.close();
  return seq;
}

const isRoot = process.getuid?.() === 0;

describe('a small file system', () => {
  test.runIf(isRoot)(
    'full: the writer waits, and goes on when there is room, with nothing lost',
    async () => {
      const dir = tempDir();
      const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=400k', 'tmpfs', dir], {
        encoding: 'utf8',
      });
      if (mount.status !== 0) {
        // A container without the right to mount: the same path is exercised with injected ENOSPC in buffer.test.ts.
        expect(mount.stderr).toMatch(/permission|denied|must be superuser/i);
        return;
      }
      try {
        const filler = path.join(dir, 'filler');
        fs.writeFileSync(filler, Buffer.alloc(200 * 1024));
        const child = spawn(process.execPath, [script, dir, '600'], { stdio: ['ignore', 'pipe', 'pipe'] });
        let output = '';
        let errors = '';
        child.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()));
        child.stderr.on('data', (bytes: Buffer) => (errors += bytes.toString()));
        await expect.poll(() => errors, { timeout: 60_000 }).toContain('buffer cannot be written');
        expect(child.exitCode).toBe(null);
        fs.unlinkSync(filler);
        const before = output.length;
        await expect.poll(() => output.length, { timeout: 60_000 }).toBeGreaterThan(before);
        child.kill('SIGKILL');
        await once(child, 'close');
        const acknowledged = output.split('\n').filter(Boolean).map(Number);
        await expectWhole(dir, Math.max(...acknowledged));
      } finally {
        spawnSync('umount', [dir]);
      }
    },
  );
});
