import * as fs from 'node:fs';
import { faultPoint, hangAt } from './fault.ts';
import { bytesOfPath, pathOfBytes } from './path-bytes.ts';

/**
 * The seam to the file system for reading: file descriptors and positional reads, because positions here are part
 * of a commit and a stream's own idea of "where am I" is of no use. `area` names the fault points. Paths are as
 * `path-bytes.ts` has them, so that files whose names are not UTF-8 can be read too.
 */
export interface FileStat {
  /** `device:inode`, decimal: inode numbers can exceed 2^53. */
  readonly id: string;
  readonly device: string;
  readonly inode: string;
  readonly size: number;
  readonly mtimeNs: bigint;
  readonly links: number;
  readonly kind: 'file' | 'directory' | 'other';
}

export function openForReading(area: string, path: string): Promise<number> {
  return step<number>(`${area}.open`, (done) => {
    fs.open(bytesOfPath(path), fs.constants.O_RDONLY | fs.constants.O_NONBLOCK, done);
  });
}

/** Reads `length` bytes at `position`; fewer only where the file ends. */
export async function readAt(
  area: string,
  descriptor: number,
  target: Buffer,
  targetOffset: number,
  length: number,
  position: number,
): Promise<number> {
  let total = 0;
  while (total < length) {
    const got = await step<number>(`${area}.read`, (done) => {
      fs.read(descriptor, target, targetOffset + total, length - total, position + total, done);
    });
    total += got;
    // A short read of a regular file means its end; asking again only costs a system call.
    if (got === 0 || total < length) break;
  }
  return total;
}

/** The same on a thread that has nothing else to do meanwhile. */
export function readAtOnce(...[area, descriptor, ...place]: Parameters<typeof readAt>): number {
  faultPoint(`${area}.read.before`);
  const got = fs.readSync(descriptor, ...place);
  faultPoint(`${area}.read.after`);
  return got;
}

export async function statDescriptor(area: string, descriptor: number): Promise<FileStat> {
  return fileStat(
    await step<fs.BigIntStats>(`${area}.stat`, (done) => {
      fs.fstat(descriptor, { bigint: true }, done);
    }),
  );
}

/** Follows symbolic links. `undefined` where there is nothing at that path (or no way to it). */
export async function statPath(area: string, path: string): Promise<FileStat | undefined> {
  try {
    looked++;
    return fileStat(
      await step<fs.BigIntStats>(`${area}.stat`, (done) => {
        fs.stat(bytesOfPath(path), { bigint: true }, done);
      }),
    );
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

export interface FolderEntry {
  readonly name: string;
  readonly kind: 'file' | 'directory' | 'link' | 'other';
}

let looked = 0;

/** So many folders were listed, and paths asked for, so far: to go through a large tree takes minutes. */
export function stepsOfLooking(): number {
  return looked;
}

export async function listFolder(area: string, path: string): Promise<readonly FolderEntry[]> {
  const entries = await step<fs.Dirent<Buffer>[]>(`${area}.list`, (done) => {
    fs.readdir(bytesOfPath(path), { withFileTypes: true, encoding: 'buffer' }, done);
  });
  looked++;
  return entries.map((entry) => ({ name: pathOfBytes(entry.name), kind: entryKind(entry) }));
}

/** What a symbolic link says; `undefined` where there is none at that path. */
export async function readLink(area: string, path: string): Promise<string | undefined> {
  try {
    const bytes = await step<Buffer>(`${area}.stat`, (done) => {
      fs.readlink(bytesOfPath(path), { encoding: 'buffer' }, done);
    });
    return pathOfBytes(bytes);
  } catch (error) {
    if (isAbsent(error) || errorCode(error) === 'EINVAL') return undefined;
    throw error;
  }
}

/** The path without symbolic links; `undefined` where it leads nowhere. */
export async function realPathOf(area: string, path: string): Promise<string | undefined> {
  try {
    const bytes = await step<Buffer>(`${area}.stat`, (done) => {
      fs.realpath.native(bytesOfPath(path), { encoding: 'buffer' }, done);
    });
    return pathOfBytes(bytes);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

/** Never throws: a descriptor that was only read from has nothing to lose. */
export function closeDescriptor(descriptor: number): Promise<void> {
  return new Promise((resolve) => {
    fs.close(descriptor, () => {
      resolve();
    });
  });
}

export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

export function isAbsent(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP' || code === 'ESTALE';
}

function step<T>(point: string, run: (done: (error: Error | null, value: T) => void) => void): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    faultPoint(`${point}.before`);
    const hang = hangAt(`${point}.before`);
    if (hang !== undefined) {
      void hang.then(() => reject(new Error(`${point} was stopped`)));
      return;
    }
    run((error, value) => {
      if (error !== null) {
        reject(error);
        return;
      }
      try {
        faultPoint(`${point}.after`);
        resolve(value);
      } catch (fault) {
        reject(fault instanceof Error ? fault : new Error(String(fault)));
      }
    });
  });
}

function fileStat(stats: fs.BigIntStats): FileStat {
  const device = stats.dev.toString();
  const inode = stats.ino.toString();
  return {
    id: `${device}:${inode}`,
    device,
    inode,
    size: Number(stats.size),
    mtimeNs: stats.mtimeNs,
    links: Number(stats.nlink),
    kind: stats.isFile() ? 'file' : stats.isDirectory() ? 'directory' : 'other',
  };
}

function entryKind(entry: fs.Dirent<Buffer>): FolderEntry['kind'] {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'directory';
  return entry.isSymbolicLink() ? 'link' : 'other';
}
