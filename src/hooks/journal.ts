import { open, mkdir, readFile, rename, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Clock, Timer } from '../platform/clock.ts';
import { faultPoint } from '../platform/fault.ts';
import type { Log } from '../platform/log.ts';

const NAME = 'journal';
const COMPACT_AT_LEAST_BYTES = 1024 * 1024;
const RETRY_MS = 5000;

export interface JournalOptions {
  readonly dir: string;
  readonly clock: Clock;
  readonly log: Log;
  /** The steps that build the present state from nothing. */
  readonly snapshot: () => Iterable<unknown>;
}

interface Waiting {
  readonly text: string;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * One file of lines, each the CRC-32 and the JSON list of the steps of one append, which so are there together or
 * not at all. Appends are grouped: one write and one fdatasync for all that waited. When the file outgrew its content it is written anew beside itself, synced, and renamed over.
 *
 * After a failed write (full disk) the file's end is unknown, so nothing is appended any more until a rewrite
 * succeeded; it is tried at each append and every few seconds. A line that does not read is left out on load,
 * and the file as it was is set aside; the rest counts.
 */
export class Journal {
  readonly #options: JournalOptions;
  readonly #path: string;
  #file: FileHandle | undefined;
  #bytes = 0;
  #compactedBytes = 0;
  #broken = false;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #retry: Timer | undefined;
  #closed = false;

  constructor(options: JournalOptions) {
    this.#options = options;
    this.#path = join(options.dir, NAME);
  }

  /** False while what is appended stays in memory only. */
  get healthy(): boolean {
    return !this.#broken;
  }

  /** Reads all steps that the file holds. Follow it by `start` once they are applied. */
  async load(): Promise<readonly unknown[]> {
    await mkdir(this.#options.dir, { recursive: true, mode: 0o700 });
    faultPoint('hooks.journal.read.before');
    const content = await readFile(this.#path).catch(absent);
    if (content === undefined) return [];
    const { steps, badLines, tornTail } = readLines(content.toString('utf8'));
    if (badLines > 0) await this.#setAside(badLines);
    if (tornTail)
      this.#options.log.info(
        { file: this.#path },
        'the last step of the notification journal was not finished and is left out',
      );
    return steps;
  }

  /** Writes the present state as a fresh file; where that fails, work goes on in memory until it can be written. */
  async start(): Promise<void> {
    await this.#rewrite().catch((error: unknown) => this.#failed(error as Error));
  }

  /** Resolves once the steps are on disk. Rejects when they are not; then they will be with the next rewrite. */
  append(steps: readonly unknown[]): Promise<void> {
    if (steps.length === 0) return Promise.resolve();
    if (this.#closed) return Promise.reject(new Error('the notification journal is closed'));
    const text = encodeLine(steps);
    const done = new Promise<void>((resolve, reject) => this.#waiting.push({ text, resolve, reject }));
    this.#writing ??= this.#drain();
    return done;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#retry?.cancel();
    await this.#writing;
    await this.#file?.close();
    this.#file = undefined;
  }

  async #drain(): Promise<void> {
    // The first turn lets everything that is appended in this tick join.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        await this.#write(batch.map((item) => item.text).join(''));
        for (const item of batch) item.resolve();
      } catch (error) {
        this.#failed(error as Error);
        for (const item of batch) item.reject(error as Error);
      }
    }
    this.#writing = undefined;
  }

  async #write(text: string): Promise<void> {
    if (
      this.#broken ||
      this.#file === undefined ||
      this.#bytes > Math.max(COMPACT_AT_LEAST_BYTES, 4 * this.#compactedBytes)
    ) {
      // The snapshot includes the steps in hand: they were applied before they were appended.
      return this.#rewrite();
    }
    faultPoint('hooks.journal.write.before');
    const bytes = Buffer.from(text);
    await this.#file.appendFile(bytes);
    faultPoint('hooks.journal.write.after');
    await this.#file.datasync();
    faultPoint('hooks.journal.sync.after');
    this.#bytes += bytes.length;
  }

  async #rewrite(): Promise<void> {
    const fresh = `${this.#path}.new`;
    const content = Buffer.from([...this.#options.snapshot()].map((step) => encodeLine([step])).join(''));
    faultPoint('hooks.journal.rewrite.before');
    const file = await open(fresh, 'w', 0o600);
    try {
      await file.writeFile(content);
      await file.sync();
      faultPoint('hooks.journal.rename.before');
      await rename(fresh, this.#path);
      faultPoint('hooks.journal.rename.after');
      await syncDir(this.#options.dir);
    } catch (error) {
      await file.close();
      await unlink(fresh).catch(absent);
      throw error;
    }
    await this.#file?.close();
    this.#file = file;
    this.#bytes = content.length;
    this.#compactedBytes = content.length;
    if (this.#broken)
      this.#options.log.warn(
        { file: this.#path },
        'the notification journal can be written again; nothing is missing in it',
      );
    this.#broken = false;
  }

  #failed(error: Error): void {
    const { log, clock } = this.#options;
    if (!this.#broken)
      log.error(
        { file: this.#path, error: error.message },
        'the notification journal cannot be written; alerts are told from memory until it can',
      );
    this.#broken = true;
    if (this.#closed) return;
    this.#retry?.cancel();
    this.#retry = clock.setTimeout(() => this.#recover(), RETRY_MS);
  }

  #recover(): void {
    if (this.#closed || this.#writing !== undefined || !this.#broken) return;
    this.#writing = this.#rewrite()
      .catch((error: unknown) => this.#failed(error as Error))
      .then(async () => {
        this.#writing = undefined;
        if (this.#waiting.length > 0) await (this.#writing = this.#drain());
      });
  }

  async #setAside(badLines: number): Promise<void> {
    const aside = `${this.#path}.damaged-${this.#options.clock.now()}`;
    await rename(this.#path, aside);
    this.#options.log.error(
      { file: this.#path, badLines, setAside: aside },
      'the notification journal is damaged; what can be read is used, the file is set aside',
    );
  }
}

function encodeLine(steps: readonly unknown[]): string {
  const json = JSON.stringify(steps);
  return `${crc32(json).toString(16).padStart(8, '0')} ${json}\n`;
}

interface Lines {
  readonly steps: readonly unknown[];
  readonly badLines: number;
  readonly tornTail: boolean;
}

function readLines(text: string): Lines {
  const lines = text.split('\n');
  const tail = lines.pop()!;
  const read = lines.map(decodeLine);
  const good = read.filter((steps) => steps !== undefined);
  return { steps: good.flat(), badLines: read.length - good.length, tornTail: tail !== '' };
}

function decodeLine(line: string): readonly unknown[] | undefined {
  const json = line.slice(9);
  if (line[8] !== ' ' || line.slice(0, 8) !== crc32(json).toString(16).padStart(8, '0')) return undefined;
  try {
    const steps: unknown = JSON.parse(json);
    return Array.isArray(steps) ? steps : undefined;
  } catch {
    return undefined;
  }
}

async function syncDir(dir: string): Promise<void> {
  const handle = await open(dir, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined;
  throw error;
}
