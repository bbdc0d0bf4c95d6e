import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { StateDirInUse, StateLock } from '../../src/buffer/state-lock.ts';
import { compileScript, removeCompiled } from './compiled.ts';
import { tempDir } from './fixtures.ts';

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
