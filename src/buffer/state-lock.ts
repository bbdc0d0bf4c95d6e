import fs from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { StartRefused } from '../model/start-refused.ts';
import { faultPoint } from '../platform/fault.ts';

/**
 * One process writes to a state directory. Node has no file locks, so the lock is a listening socket, which the
 * kernel ends with its process, however that ends:
 *
 * - an abstract socket named after the directory's device and inode: atomic, but seen only within one network
 *   namespace, and only on Linux;
 * - a socket file `lock` in the directory, which containers that share the directory see too. One that nobody
 *   listens on was left by a crash and is replaced.
 *
 * Whoever connects is told the holder's process id.
 */
export class StateLock {
  readonly #servers: readonly net.Server[];
  /** Open as long as the lock is held, because the socket's address goes through it; closing the server removes that name. */
  readonly #directory: fs.FileHandle;

  private constructor(servers: readonly net.Server[], directory: fs.FileHandle) {
    this.#servers = servers;
    this.#directory = directory;
  }

  /** Throws `StateDirInUse` where another process holds it. */
  static async acquire(dir: string): Promise<StateLock> {
    faultPoint('buffer.lock.acquire.before');
    const { dev, ino } = await fs.stat(dir, { bigint: true });
    const servers: net.Server[] = [];
    const directory = await fs.open(dir, 'r');
    try {
      // Socket paths are limited to 107 bytes; the way through the open directory is always short.
      const short = process.platform === 'linux' ? `/proc/self/fd/${directory.fd}` : dir;
      if (process.platform === 'linux') servers.push(await claim(`\0taffrail-state-${dev}-${ino}`, dir));
      servers.push(await claimFile(path.join(short, 'lock'), dir));
    } catch (error) {
      await Promise.all(servers.map(stop));
      await directory.close();
      throw error;
    }
    faultPoint('buffer.lock.acquire.after');
    return new StateLock(servers, directory);
  }

  async release(): Promise<void> {
    await Promise.all(this.#servers.map(stop));
    await this.#directory.close();
  }
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

async function claim(address: string, dir: string): Promise<net.Server> {
  try {
    return await listen(address);
  } catch (error) {
    if (!hasCode(error, 'EADDRINUSE')) throw error;
    const holder = await ask(address);
    throw new StateDirInUse(dir, holder === 'nobody' ? undefined : holder);
  }
}

async function claimFile(file: string, dir: string): Promise<net.Server> {
  for (;;) {
    try {
      return await listen(file);
    } catch (error) {
      if (!hasCode(error, 'EADDRINUSE')) throw error;
    }
    const holder = await ask(file);
    if (holder !== 'nobody') throw new StateDirInUse(dir, holder);
    await fs.rm(file, { force: true });
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
