import fs from 'node:fs/promises';
import path from 'node:path';
import { DurableFile, renameDurably, syncDirectory } from '../platform/durable-files.ts';
import { makeFolder } from '../platform/make-folder.ts';
import type { LineOutput } from './line-sink.ts';

const AREA = 'sink.file';

/**
 * A file of JSON lines, synced before its entries are settled. When it would get larger than `maxBytes` it is renamed to
 * `.1`, over the one before. A crash may leave a torn last line: it is cut, and its entry written again.
 */
export class FileOutput implements LineOutput {
  readonly type = 'file';
  readonly #path: string;
  readonly #maxBytes: number;
  #file: DurableFile | undefined;

  constructor(file: string, maxBytes: number) {
    this.#path = file;
    this.#maxBytes = maxBytes;
  }

  async write(text: string): Promise<void> {
    const bytes = Buffer.from(text);
    const file = await this.#fileFor(bytes.length);
    const before = file.size;
    try {
      await file.append([bytes]);
      await file.sync();
    } catch (error) {
      await file.truncate(before).catch(() => {});
      await this.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async #fileFor(bytes: number): Promise<DurableFile> {
    this.#file ??= await this.#open();
    if (this.#file.size > 0 && this.#file.size + bytes > this.#maxBytes) {
      await this.close();
      await renameDurably(this.#path, `${this.#path}.1`, AREA);
      this.#file = await this.#open();
    }
    return this.#file;
  }

  async #open(): Promise<DurableFile> {
    try {
      const file = await DurableFile.open(this.#path, AREA);
      const whole = await wholeLines(this.#path, file.size);
      if (whole < file.size) await file.truncate(whole);
      return file;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
    makeFolder(path.dirname(this.#path));
    const file = await DurableFile.create(this.#path, AREA);
    await syncDirectory(path.dirname(this.#path), AREA);
    return file;
  }
}

const TAIL_BYTES = 64 * 1024;

/** Where the last newline ends. Looks back as far as it must. */
async function wholeLines(file: string, size: number): Promise<number> {
  const handle = await fs.open(file, 'r');
  try {
    for (let end = size; end > 0; end -= Math.min(end, TAIL_BYTES)) {
      const start = Math.max(0, end - TAIL_BYTES);
      const { buffer } = await handle.read(Buffer.alloc(end - start), 0, end - start, start);
      const newline = buffer.lastIndexOf(0x0a);
      if (newline !== -1) return start + newline + 1;
    }
    return 0;
  } finally {
    await handle.close();
  }
}
