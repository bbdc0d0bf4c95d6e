import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { StateDirInUse, StateLock } from '../../src/buffer/state-lock.ts';
import { compileScript, removeCompiled } from './compiled.ts';
import { tempDir } from './fixtures.ts';

const hasFlock = spawnSync('flock', ['--version']).status === 0;

describe('StateLock', () => {
  test('a second taker is refused and told who holds it', async () => {
    const dir = tempDir();
    const lock = await StateLock.acquire(dir);
    await expect(StateLock.acquire(dir)).rejects.toThrow(
      `state_dir ${dir} is in use by process ${process.pid}; stop it, or use a state_dir of its own`,
    );
    await lock.release();
    await (await StateLock.acquire(dir)).release();
    expect(fs.existsSync(path.join(dir, 'lock'))).toBe(false);
  });

  test('the same directory under another name is the same', async () => {
    const dir = tempDir();
    const link = `${dir}-link`;
    fs.symlinkSync(dir, link);
    const lock = await StateLock.acquire(dir);
    await expect(StateLock.acquire(link)).rejects.toThrow(StateDirInUse);
    await lock.release();
    fs.unlinkSync(link);
  });

  test('works where the path is longer than a socket path may be', async () => {
    const dir = path.join(tempDir(), 'd'.repeat(120));
    fs.mkdirSync(dir);
    const lock = await StateLock.acquire(dir);
    expect(fs.lstatSync(path.join(dir, 'lock')).isSocket()).toBe(true);
    await lock.release();
  });

  test('a socket of another user that has the name of before keeps nobody out', async () => {
    const dir = tempDir();
    const { dev, ino } = fs.statSync(dir, { bigint: true });
    const squatter = net.createServer().listen(`\0taffrail-state-${dev}-${ino}`);
    await once(squatter, 'listening');
    await (await StateLock.acquire(dir)).release();
    squatter.close();
  });

  test('nobody but the owner of the folder can open what is locked', async () => {
    const dir = tempDir();
    const lock = await StateLock.acquire(dir);
    expect(fs.statSync(path.join(dir, 'lock.pid')).mode & 0o777).toBe(0o600);
    await lock.release();
  });

  test.runIf(hasFlock)('the lock holds also where its socket was removed', async () => {
    const dir = tempDir();
    const lock = await StateLock.acquire(dir);
    fs.rmSync(path.join(dir, 'lock'));
    await expect(StateLock.acquire(dir)).rejects.toThrow(`in use by process ${process.pid};`);
    await lock.release();
  });

  test('where there is no flock(1), the socket is the lock', async () => {
    const dir = tempDir();
    const before = process.env['PATH'];
    process.env['PATH'] = dir;
    onTestFinished(() => {
      process.env['PATH'] = before;
    });
    const lock = await StateLock.acquire(dir);
    await expect(StateLock.acquire(dir)).rejects.toThrow(`in use by process ${process.pid};`);
    await lock.release();
    await (await StateLock.acquire(dir)).release();
  });

  test.runIf(hasFlock)('of many that start at once after a crash, one gets it', async () => {
    const dir = tempDir();
    const script = compileScript(
      'lock-race',
      `import { StateLock } from './buffer/state-lock.js';
       const got = await StateLock.acquire(process.argv[2]).then(() => 'got', (error) => error.name);
       process.stdout.write(got);
       if (got === 'got') setInterval(() => {}, 1000);`,
    );
    onTestFinished(() => removeCompiled(script));
    // As a crash leaves it.
    const left = net.createServer().listen(path.join(dir, 'left'));
    await once(left, 'listening');
    fs.linkSync(path.join(dir, 'left'), path.join(dir, 'lock'));
    left.close();
    const children = Array.from({ length: 8 }, () =>
      spawn(process.execPath, [script, dir], { stdio: ['ignore', 'pipe', 'inherit'] }),
    );
    const said = await Promise.all(
      children.map(async ({ stdout }) => String(((await once(stdout, 'data')) as [Buffer])[0])),
    );
    for (const child of children) child.kill('SIGKILL');
    expect(said.toSorted((a, b) => (a < b ? -1 : 1))).toEqual([
      ...Array.from({ length: 7 }, () => 'StateDirInUse'),
      'got',
    ]);
  });

  test('a crash releases it', async () => {
    const dir = tempDir();
    const script = compileScript(
      'lock',
      `import { StateLock } from './buffer/state-lock.js';
       await StateLock.acquire(process.argv[2]);
       process.stdout.write('held');
       setInterval(() => {}, 1000);`,
    );
    onTestFinished(() => removeCompiled(script));
    const child = spawn(process.execPath, [script, dir], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    await expect(StateLock.acquire(dir)).rejects.toThrow(`in use by process ${child.pid}`);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(fs.existsSync(path.join(dir, 'lock'))).toBe(true);
    await (await StateLock.acquire(dir)).release();
  });
});
