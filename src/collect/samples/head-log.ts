import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { syncDirectory, unlinkFile } from '../../platform/durable-files.ts';
import { FramedFile, readFrames } from './framed-file.ts';

const AREA = 'samples.log';
const MAGIC = 'TAFFSLOG';
/** A file is closed beyond this. */
const FILE_BYTES_MAX = 64 * 1024 * 1024;

/** The numbers of files `<kind>-<number>` in a folder, ascending. */
export function numbersOf(folder: string, kind: string): number[] {
  const pattern = new RegExp(`^${kind}-(\\d{1,15})$`);
  return readdirSync(folder)
    .flatMap((name) => pattern.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

/** What came since the snapshot, so that a restart finds it: files `wal-<number>`. One call at a time. */
export class HeadLog {
  readonly #folder: string;
  #file: FramedFile | undefined;
  #number: number;
  /** Of files before the current one. */
  #closedBytes = 0;

  private constructor(folder: string, number: number) {
    this.#folder = folder;
    this.#number = number;
  }

  /** A log that goes on in a new file behind those that there are. */
  static open(folder: string, atLeast: number): HeadLog {
    return new HeadLog(folder, Math.max(atLeast, ...numbersOf(folder, 'wal')));
  }

  /** Bytes that a restart would read. */
  get bytes(): number {
    return this.#closedBytes + (this.#file?.size ?? 0);
  }

  /** Durable when it resolves. After an error nothing of it is there, or it is found by a later start: it may come again. */
  async append(group: Uint8Array): Promise<void> {
    if (this.#file !== undefined && this.#file.size > FILE_BYTES_MAX) await this.rotate();
    const file = (this.#file ??= await this.#create());
    const before = file.size;
    try {
      await file.append(group);
      await file.sync();
    } catch (error) {
      await this.#takeBack(file, before);
      throw error;
    }
  }

  /** A half-written group would hide all that follows: if it cannot be cut off, the next one goes to a new file. */
  async #takeBack(file: FramedFile, size: number): Promise<void> {
    try {
      await file.truncate(size);
    } catch {
      await this.rotate();
    }
  }

  async #create(): Promise<FramedFile> {
    const path = join(this.#folder, `wal-${this.#number + 1}`);
    await unlinkFile(path, AREA);
    const file = await FramedFile.create(path, MAGIC, AREA);
    await syncDirectory(this.#folder, AREA);
    this.#number++;
    return file;
  }

  /** Closes the current file. What comes from now on is in files from the returned number on. */
  async rotate(): Promise<number> {
    const file = this.#file;
    this.#file = undefined;
    if (file !== undefined) {
      this.#closedBytes += file.size;
      await file.close();
    }
    return this.#number + 1;
  }

  /** Removes files below a number: a snapshot holds what is in them. */
  async removeBefore(number: number): Promise<void> {
    for (const one of numbersOf(this.#folder, 'wal'))
      if (one < number) await unlinkFile(join(this.#folder, `wal-${one}`), AREA);
    this.#closedBytes = 0;
  }

  async close(): Promise<void> {
    await this.rotate();
  }
}

export interface Replayed {
  readonly groups: number;
  readonly damaged: number;
  /** Bytes at the end of files that could not be read: a write that a crash cut off. */
  readonly cutBytes: number;
}

/** Gives every group of files from a number on. */
export function replayLog(folder: string, from: number, each: (group: Uint8Array) => void): Replayed {
  let [groups, damaged, cutBytes] = [0, 0, 0];
  for (const number of numbersOf(folder, 'wal')) {
    if (number < from) continue;
    const reading = readFrames(join(folder, `wal-${number}`), MAGIC);
    reading.frames.forEach(each);
    groups += reading.frames.length;
    damaged += reading.damaged;
    cutBytes += reading.lostBytes;
  }
  return { groups, damaged, cutBytes };
}
