import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { faultPoint, hangAt, shortWrite } from './fault.ts';
import { makeFolder } from './make-folder.ts';

/**
 * Every step by which durable state changes on disk. Each passes a fault point before and after, named
 * `<area>.<step>.before|after`, and is noted in the sync journal where the crash harness asked for one, so that a
 * power loss can be simulated by dropping or tearing what no `sync` line covers.
 */
export type FileStep =
  'mkdir' | 'create' | 'open' | 'write' | 'sync' | 'truncate' | 'rename' | 'link' | 'unlink' | 'dirsync';

const journal = process.env['TAFFRAIL_SYNC_JOURNAL'] ?? '';

/** `size` is the length that the step finds (open), leaves (write, truncate) or covers (sync). */
function note(op: FileStep, file: string, size: number, more?: { to?: string; kept?: string }): void {
  if (journal === '') return;
  fs.appendFileSync(journal, `${JSON.stringify({ op, path: file, size, ...more })}\n`);
}

let keptFiles = 0;

/** A second name for what a step takes the name from, so that the harness can undo the step. */
function keep(file: string): { kept?: string } {
  if (journal === '') return {};
  const kept = `${journal}.${process.pid}.${keptFiles++}`;
  try {
    fs.linkSync(file, kept);
  } catch {
    return {};
  }
  return { kept };
}

/** What a cut takes away, likewise. */
function keepTail(fd: number, size: number): { kept?: string } {
  if (journal === '') return {};
  const kept = `${journal}.${process.pid}.${keptFiles++}`;
  const tail = Buffer.alloc(Math.max(0, fs.fstatSync(fd).size - size));
  fs.writeFileSync(kept, tail.subarray(0, fs.readSync(fd, tail, 0, tail.length, size)));
  return { kept };
}

const open = promisify(fs.open);
const closeFd = promisify(fs.close);
const fdatasync = promisify(fs.fdatasync);
const ftruncate = promisify(fs.ftruncate);
const rename = promisify(fs.rename);
const link = promisify(fs.link);
const unlink = promisify(fs.unlink);
const fsync = promisify(fs.fsync);

/** Linux refuses more buffers in one writev. */
const MAX_PARTS_A_WRITE = 1024;

/** A file that only grows, or is cut. The caller sees to it that one operation is under way at a time. */
export class DurableFile {
  readonly path: string;
  readonly #fd: number;
  readonly #area: string;
  #size: number;

  private constructor(file: string, fd: number, area: string, size: number) {
    this.path = file;
    this.#fd = fd;
    this.#area = area;
    this.#size = size;
  }

  /** Makes a new file; fails if there is one. The name is durable only after `syncDirectory`. */
  static async create(file: string, area: string): Promise<DurableFile> {
    faultPoint(`${area}.create.before`);
    const fd = await open(file, 'wx', 0o600);
    note('create', file, 0);
    faultPoint(`${area}.create.after`);
    return new DurableFile(file, fd, area, 0);
  }

  static async open(file: string, area: string): Promise<DurableFile> {
    const fd = await open(file, 'r+');
    const { size } = fs.fstatSync(fd);
    note('open', file, size);
    return new DurableFile(file, fd, area, size);
  }

  get size(): number {
    return this.#size;
  }

  /** Appends all parts. Short writes are gone on with. After an error the file may hold part of it: truncate. */
  async append(parts: readonly Uint8Array[]): Promise<void> {
    faultPoint(`${this.#area}.write.before`);
    await hangAt(`${this.#area}.write.before`);
    let rest = parts.filter((part) => part.length > 0);
    while (rest.length > 0) {
      const parts = rest.slice(0, MAX_PARTS_A_WRITE);
      const short = shortWrite(`${this.#area}.write`, parts);
      const now = short === undefined ? parts : takeBytes(parts, short.bytes);
      const written = await writev(this.#fd, now, this.#size);
      this.#size += written;
      note('write', this.path, this.#size);
      short?.end();
      rest = dropBytes(rest, written);
    }
    faultPoint(`${this.#area}.write.after`);
  }

  async sync(): Promise<void> {
    faultPoint(`${this.#area}.sync.before`);
    await hangAt(`${this.#area}.sync.before`);
    const size = this.#size;
    await fdatasync(this.#fd);
    note('sync', this.path, size);
    faultPoint(`${this.#area}.sync.after`);
  }

  async truncate(size: number): Promise<void> {
    const kept = keepTail(this.#fd, size);
    await ftruncate(this.#fd, size);
    this.#size = size;
    note('truncate', this.path, size, kept);
  }

  async close(): Promise<void> {
    await closeFd(this.#fd);
  }
}

function writev(fd: number, parts: Uint8Array[], position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.writev(fd, parts, position, (error, written) => {
      if (error !== null) reject(error);
      else if (written === 0)
        reject(Object.assign(new Error('ENOSPC: nothing was written'), { code: 'ENOSPC' }));
      else resolve(written);
    });
  });
}

function takeBytes(parts: readonly Uint8Array[], count: number): Uint8Array[] {
  let left = count;
  const taken = parts.map((part) => {
    const some = part.subarray(0, left);
    left -= some.length;
    return some;
  });
  return taken.filter(({ length }) => length > 0);
}

function dropBytes(parts: readonly Uint8Array[], count: number): Uint8Array[] {
  let left = count;
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!;
    if (left < part.length) return [part.subarray(left), ...parts.slice(i + 1)];
    left -= part.length;
  }
  return [];
}

export async function renameDurably(from: string, to: string, area: string): Promise<void> {
  faultPoint(`${area}.rename.before`);
  const { kept } = keep(to);
  await rename(from, to);
  note('rename', from, 0, kept === undefined ? { to } : { to, kept });
  faultPoint(`${area}.rename.after`);
  await syncDirectory(path.dirname(to), area);
}

/** Where a file system has no second names. */
const NO_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/**
 * Keeps what a damaged file holds under another name, which is durable when this returns, and gives that name. The
 * first name stays, so that a crash or a full disk on the way leaves the file where it was.
 */
export async function setAside(file: string, area: string): Promise<string> {
  const { ino } = fs.statSync(file, { bigint: true });
  for (let i = 0; ; i++) {
    const aside = i === 0 ? `${file}.damaged` : `${file}.damaged.${i}`;
    const there = fs.statSync(aside, { bigint: true, throwIfNoEntry: false });
    // A crash came between the two names.
    const isKept = there?.ino === ino;
    if (there !== undefined && !isKept) continue;
    if (!isKept) await linkFile(file, aside, area);
    await syncDirectory(path.dirname(file), area);
    return aside;
  }
}

async function linkFile(file: string, to: string, area: string): Promise<void> {
  faultPoint(`${area}.link.before`);
  try {
    await link(file, to);
    note('link', file, 0, { to });
  } catch (error) {
    if (!NO_LINKS.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    await writeFileAtomically(to, [fs.readFileSync(file)], area);
  }
  faultPoint(`${area}.link.after`);
}

/** Makes a folder with those above it, where they are not there yet, and their names survive a power loss. */
export async function makeFolderDurably(folder: string, mode: number, area: string): Promise<void> {
  const made = makeFolder(folder, mode);
  for (const one of made) {
    note('mkdir', one, 0);
    await syncDirectory(path.dirname(one), area);
  }
}

/** A file that is already gone is well. */
export async function unlinkFile(file: string, area: string): Promise<void> {
  faultPoint(`${area}.unlink.before`);
  const kept = keep(file);
  try {
    await unlink(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  note('unlink', file, 0, kept);
  faultPoint(`${area}.unlink.after`);
}

/** Makes names created, renamed or removed in a directory survive a power loss. */
export async function syncDirectory(directory: string, area: string): Promise<void> {
  faultPoint(`${area}.dirsync.before`);
  const fd = await open(directory, 'r');
  try {
    await fsync(fd);
  } finally {
    await closeFd(fd);
  }
  note('dirsync', directory, 0);
  faultPoint(`${area}.dirsync.after`);
}

/** After a crash at any point the file holds either what it held before or all of the new content. */
export async function writeFileAtomically(
  file: string,
  parts: readonly Uint8Array[],
  area: string,
): Promise<void> {
  const beside = `${file}.tmp`;
  await unlinkFile(beside, area);
  const handle = await DurableFile.create(beside, area);
  try {
    await handle.append(parts);
    await handle.sync();
  } catch (error) {
    await handle.close();
    fs.rmSync(beside, { force: true });
    throw error;
  }
  await handle.close();
  await renameDurably(beside, file, area);
}

/**
 * What the operating system refuses (ENOSPC, EIO, EACCES, …) is expected of a disk: it is waited for, not crashed
 * on. Errors of ours or of Node's (`ERR_…`) are not of that kind.
 */
export function isDiskTrouble(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && /^E[A-Z0-9]+$/.test(String(error.code));
}
