import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { openIdentity } from '../../src/buffer/identity.ts';
import { silentLog } from '../../src/platform/log.ts';
import { openBuffer, tempDir } from './fixtures.ts';

function machine(id: string): string {
  const file = path.join(tempDir(), 'machine-id');
  fs.writeFileSync(file, `${id}\n`);
  return file;
}

describe('openIdentity', () => {
  test('stays over restarts, with a new instance and one more generation each', async () => {
    const dir = tempDir();
    await openBuffer(dir);
    const first = await openIdentity({ dir, log: silentLog });
    fs.writeFileSync(path.join(dir, 'buffer', '0000000001.snapshot'), '');
    const second = await openIdentity({ dir, log: silentLog });
    expect(second).toEqual({ ...first, generation: 2, instance: second.instance });
    expect(second.instance).not.toBe(first.instance);
  });

  test('a directory that was copied gets an id of its own and says so', async () => {
    const dir = tempDir();
    const first = await openIdentity({ dir, log: silentLog });
    const copy = path.join(tempDir(), 'copy');
    fs.cpSync(dir, copy, { recursive: true });
    const warnings: string[] = [];
    const log = { ...silentLog, warn: (_fields: object, message: string) => void warnings.push(message) };
    const second = await openIdentity({ dir: copy, log });
    expect(second.agent).not.toBe(first.agent);
    expect(second.epoch).not.toBe(first.epoch);
    expect(warnings).toEqual([expect.stringContaining('state_dir was copied')]);
  });

  test('a directory moved with its disk to another machine gets an id of its own', async () => {
    const dir = tempDir();
    const first = await openIdentity({ dir, log: silentLog, machineIdFile: machine('aaaa') });
    const second = await openIdentity({ dir, log: silentLog, machineIdFile: machine('bbbb') });
    expect(second.agent).not.toBe(first.agent);
  });

  test('a machine without an id keeps the identity', async () => {
    const dir = tempDir();
    const first = await openIdentity({ dir, log: silentLog, machineIdFile: machine('aaaa') });
    const second = await openIdentity({ dir, log: silentLog, machineIdFile: '/nonexistent' });
    expect(second.agent).toBe(first.agent);
  });

  test('a buffer that was emptied by hand begins a new epoch, because its batch numbers begin anew', async () => {
    const dir = tempDir();
    const first = await openIdentity({ dir, log: silentLog });
    const second = await openIdentity({ dir, log: silentLog });
    expect(second.agent).toBe(first.agent);
    expect(second.epoch).not.toBe(first.epoch);
  });

  test('a file that is no identity is refused with a way out', async () => {
    const dir = tempDir();
    fs.writeFileSync(path.join(dir, 'identity.json'), '{"format":7}');
    await expect(openIdentity({ dir, log: silentLog })).rejects.toThrow(
      /identity\.json: not an identity of this taffrail; restore it, or/,
    );
  });
});
