import fs from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { setFaults } from '../../src/platform/fault.ts';
import { silentLog } from '../../src/platform/log.ts';
import { block, delivered, openBuffer, slice, tempDir } from './fixtures.ts';

afterEach(() => setFaults(''));

describe('a cursor whose write the disk refused', () => {
  test('has it on disk with the next that succeeds, though nothing was settled since', async () => {
    const dir = tempDir();
    const said: string[] = [];
    const log = { ...silentLog, error: (_: object, message: string) => said.push(message) };
    const { buffer } = await openBuffer(dir, { log });
    const cursor = await buffer.cursor('sink');
    const deliver = async (seq: number): Promise<void> => {
      await buffer.append({ kind: 'commit', timeMs: 1, slices: [slice({ records: [block(1)] })] });
      await cursor.take(new AbortController().signal);
      cursor.settle(seq, delivered('web', 1));
    };
    await deliver(1);
    await cursor.persist();
    setFaults('buffer.cursor.*:enospc@1+');
    await deliver(2);
    await expect.poll(() => said).toEqual(['cursor cannot be written; kept in memory and tried again']);
    await expect(cursor.persist()).rejects.toThrow('ENOSPC');
    setFaults('');
    await cursor.persist();
    // As a kill leaves it.
    const copy = tempDir();
    fs.cpSync(dir, copy, { recursive: true });
    const again = await (await openBuffer(copy)).buffer.cursor('sink');
    expect(again.settledThrough).toBe(2);
    expect(again.delivered.get('web')).toBe(2);
  });
});
