import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { DurableFile } from '../../src/platform/durable-files.ts';
import { setFaults } from '../../src/platform/fault.ts';

const PARTS = [Buffer.from('one '), Buffer.alloc(0), Buffer.from('two '), Buffer.from('three')];

async function file(): Promise<DurableFile> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'taffrail-short-'));
  onTestFinished(() => fs.rmSync(dir, { recursive: true }));
  const made = await DurableFile.create(path.join(dir, 'file'), 'test');
  onTestFinished(() => made.close());
  return made;
}

function contentOf({ path: at }: DurableFile): string {
  return fs.readFileSync(at, 'utf8');
}

describe('a write that takes less than it was given', () => {
  afterEach(() => setFaults(''));

  test('is gone on with until all is there', async () => {
    const target = await file();
    setFaults('test.write:short@1+');
    await target.append(PARTS);
    await target.append([Buffer.from('!')]);
    expect(contentOf(target)).toBe('one two three!');
    expect(target.size).toBe(14);
  });

  test('and then fails has left a part behind, which its size tells', async () => {
    const target = await file();
    setFaults('test.write:short_enospc@1');
    await expect(target.append(PARTS)).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(contentOf(target)).toBe('one tw');
    expect(target.size).toBe(6);
    await target.truncate(0);
    await target.append(PARTS);
    expect(contentOf(target)).toBe('one two three');
  });
});
