import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import fsPromises from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { StartRefused } from '../model/start-refused.ts';
import { faultPoint } from '../platform/fault.ts';

/**
 * One process writes to a state directory. The lock is held by the kernel for as long as the process lives, however that
 * ends, and in two ways:
 *
 * - `flock` on the file `lock.pid` in the directory. Only who may open that file can hold it, which is its owner; it is
 *   the same lock through every bind mount and in every container, because it belongs to the inode. Node has no call for
 *   it, but the lock belongs to the open file, which a child shares: the program flock(1), which every Linux system
 *   has, takes it on our descriptor and ends, and we keep it.
 * - a socket file `lock` in the directory, which taffrails of before know, and which is the only lock where there is no
 *   flock(1). One that nobody listens on was left by a crash and is replaced. Without flock(1), two that start in the
 *   same instant after a crash might both replace it.
 *
 * Whoever is refused is told the holder's process id.
 */
export class StateLock {
  #file: number;
  readonly #server: net.Server;
  /** Open as long as the lock is held, because the socket's address goes through it; closing the server removes that name. */
  readonly #directory: fsPromises.FileHandle;

  private constructor(file: number, server: net.Server, directory: fsPromises.FileHandle) {
    this.#file = file;
    this.#server = server;
    this.#directory = directory;
  }

  /** Throws `StateDirInUse` where another process holds it. */
  static async acquire(dir: string): Promise<StateLock> {
    faultPoint('buffer.lock.acquire.before');
    const directory = await fsPromises.open(dir, 'r');
    let file: number | undefined;
    try {
      file = takeFile(dir);
      // Socket paths are limited to 107 bytes; the way through the open directory is always short.
      const short = process.platform === 'linux' ? `/proc/self/fd/${directory.fd}` : dir;
      const server = await claimSocket(path.join(short, 'lock'), dir);
      fs.ftruncateSync(file);
      fs.writeSync(file, `${process.pid}\n`, 0);
      faultPoint('buffer.lock.acquire.after');
      return new StateLock(file, server, directory);
    } catch (error) {
      if (file !== undefined) fs.closeSync(file);
      await directory.close();
      throw error;
    }
  }

  /** Its files were removed behind our back: takes them again, so that no second process begins in the folder. */
  async renew(dir: string): Promise<void> {
    const { ino } = fs.fstatSync(this.#file, { bigint: true });
    const there = fs.statSync(path.join(dir, LOCK_FILE), { bigint: true, throwIfNoEntry: false });
    if (there?.ino === ino) return;
    fs.closeSync(this.#file);
    this.#file = takeFile(dir);
    fs.writeSync(this.#file, `${process.pid}\n`, 0);
  }

  /** The files of the lock stay: another may be waiting to open them. */
  async release(): Promise<void> {
    await stop(this.#server);
    fs.closeSync(this.#file);
    await this.#directory.close();
  }
}

const LOCK_FILE = 'lock.pid';
/** Of flock(1) where another holds the lock. */
const IS_HELD = 1;

/** An open file with the lock on it, or without one where there is no flock(1). */
function takeFile(dir: string): number {
  const name = path.join(dir, LOCK_FILE);
  const { O_RDWR, O_CREAT, O_NOFOLLOW } = fs.constants;
  const file = fs.openSync(name, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600);
  const { status } = spawnSync('flock', ['-n', '-x', '3'], { stdio: ['ignore', 'ignore', 'ignore', file] });
  if (status !== IS_HELD) return file;
  const holder = /^\d+\n/.exec(fs.readFileSync(file, 'latin1'));
  fs.closeSync(file);
  throw new StateDirInUse(dir, holder === null ? undefined : Number(holder[0]));
}

/** The user's mistake: two agents with one state directory. */
export class StateDirInUse extends StartRefused {
  readonly pid: number | undefined;

  constructor(dir: string, pid: number | undefined) {
    const holder = pid === undefined ? 'another process' : `process ${pid}`;
    super(`state_dir ${dir} is in use by ${holder}; stop it, or use a state_dir of its own`);
    this.name = 'StateDirInUse';
    this.pid = pid;
  }
}

async function claimSocket(file: string, dir: string): Promise<net.Server> {
  for (;;) {
    try {
      return await listen(file);
    } catch (error) {
      if (!hasCode(error, 'EADDRINUSE')) throw error;
    }
    const holder = await ask(file);
    if (holder !== 'nobody') throw new StateDirInUse(dir, holder);
    fs.rmSync(file, { force: true });
  }
}

function listen(address: string): Promise<net.Server> {
  return new Promise((resolve, reject) => {
    const server = net.createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.end(`${process.pid}\n`);
    });
    server.on('error', reject);
    server.listen(address, () => {
      server.unref();
      resolve(server);
    });
  });
}

/** The process id behind a socket, `undefined` if it does not say, 'nobody' if nobody listens. */
function ask(address: string): Promise<number | undefined | 'nobody'> {
  return new Promise((resolve) => {
    const socket = net.connect(address);
    let text = '';
    socket.setTimeout(1000, () => {
      resolve(undefined);
      socket.destroy();
    });
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1').slice(0, 20);
    });
    socket.on('error', (error) =>
      resolve(hasCode(error, 'ECONNREFUSED') || hasCode(error, 'ENOENT') ? 'nobody' : undefined),
    );
    socket.on('end', () => resolve(/^\d+\n$/.test(text) ? Number(text) : undefined));
  });
}

function stop(server: net.Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
