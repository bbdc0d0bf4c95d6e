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
    expect(second.secret.reveal()).toBe(first.secret.reveal());
  });

  test('an identity of before secrets gets one, and keeps it', async () => {
    const dir = tempDir();
    await openBuffer(dir);
    fs.writeFileSync(path.join(dir, 'buffer', '0000000001.snapshot'), '');
    const { agent, epoch } = await openIdentity({ dir, log: silentLog });
    const file = path.join(dir, 'identity.json');
    const old = JSON.parse(fs.readFileSync(file, 'utf8')) as Record<string, unknown>;
    delete old['secret'];
    delete old['checksum'];
    fs.writeFileSync(file, `${JSON.stringify(old)}\n`);
    const second = await openIdentity({ dir, log: silentLog });
    expect([second.agent, second.epoch]).toEqual([agent, epoch]);
    expect(second.secret.reveal()).toMatch(/^[0-9a-f]{64}$/);
    const third = await openIdentity({ dir, log: silentLog });
    expect(third.secret.reveal()).toBe(second.secret.reveal());
    expect(fs.statSync(file).mode & 0o077).toBe(0);
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
    expect(second.secret.reveal()).not.toBe(first.secret.reveal());
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
      /identity\.json: not an identity of this taffrail, or its content has changed; .*Restore it from a copy, or/,
    );
  });

  test('with any bit changed it is refused, or is what it was', async () => {
    const dir = tempDir();
    const { agent, epoch } = await openIdentity({ dir, log: silentLog });
    const file = path.join(dir, 'identity.json');
    const whole = fs.readFileSync(file);
    let refused = 0;
    for (let bit = 0; bit < whole.length * 8; bit++) {
      const bytes = Buffer.from(whole);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      fs.writeFileSync(file, bytes);
      try {
        // An epoch of its own is due to the empty folder.
        expect((await openIdentity({ dir, log: silentLog })).agent).toBe(agent);
      } catch (error) {
        expect(String(error)).toContain('Restore it from a copy');
        refused++;
      }
    }
    expect(epoch).not.toBe('');
    expect(refused).toBeGreaterThan(whole.length * 6);
  });

  test('a file of before there were checksums is taken over, and has one from then on', async () => {
    const dir = tempDir();
    const { agent } = await openIdentity({ dir, log: silentLog });
    const file = path.join(dir, 'identity.json');
    const { checksum, ...old } = JSON.parse(fs.readFileSync(file, 'utf8')) as Record<string, unknown>;
    expect(checksum).toMatch(/^[0-9a-f]{8}$/);
    fs.writeFileSync(file, JSON.stringify(old));
    expect((await openIdentity({ dir, log: silentLog })).agent).toBe(agent);
    expect(fs.readFileSync(file, 'utf8')).toContain('"checksum"');
  });
});
