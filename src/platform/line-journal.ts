import fs from 'node:fs/promises';
import path from 'node:path';
import { decodeCheckedLine, encodeCheckedLine } from './checked-line.ts';
import type { Clock, Timer } from './clock.ts';
import {
  DurableFile,
  makeFolderDurably,
  setAside,
  syncDirectory,
  unlinkFile,
  writeFileAtomically,
} from './durable-files.ts';
import type { Log } from './log.ts';

/** A journal that outgrew its content this many times is written anew. */
const OUTGROWN = 4;

export interface LineJournalOptions {
  readonly file: string;
  /** Names the fault points. */
  readonly area: string;
  /** What it is to a person, for the log: `notification journal`. */
  readonly what: string;
  readonly clock: Clock;
  readonly log: Log;
  /** The values that build the present state from nothing, with what was appended and is not on disk yet. */
  readonly snapshot: () => Iterable<unknown>;
  /** Below this size it is not written anew. */
  readonly compactAtLeastBytes: number;
  /** While it cannot be written, it is tried again this often; without it, only when something is appended. */
  readonly retryMs?: number;
  /** What the log says, once, when it cannot be written; without it, whoever appends says so. */
  readonly failedMessage?: string;
}

export interface JournalContent {
  /** False where there is no such file. */
  readonly found: boolean;
  readonly bytes: number;
  /** Of the lines that can be read, in order. */
  readonly values: readonly unknown[];
  /** Lines that are complete and whose checksum is wrong: damage, not an unfinished write. */
  readonly badLines: number;
}

interface Waiting {
  readonly line: Buffer | undefined;
  readonly mustSync: boolean;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * State that grows by small steps: a file of lines, each a CRC-32 in 8 hex digits, a space and JSON. What must stay true:
 *
 * - One value is there as a whole or not at all. Appends that wait together share one write and one sync.
 * - A value that was appended while the file could not be written is in `snapshot`, from which the file is written anew
 *   (beside, synced, renamed) before anything else is appended. So is a file that outgrew its content.
 * - A crash leaves whole lines and perhaps a part of one at the end, which is left out. A complete line that does not
 *   read is damage: it is told, the lines around it count, and the file keeps a second, durable name before another
 *   takes its first. So a crash or a full disk on the way leaves the damaged file where it is, to be told of again.
 */
export class LineJournal {
  readonly #options: LineJournalOptions;
  #file: DurableFile | undefined;
  /** Where whole lines end in the file that was loaded. */
  #whole = 0;
  #compactedBytes = 0;
  /** The file at our name is damaged, and has no second name yet. */
  #damaged = false;
  /** What the file holds is not what was appended, until it is written anew. */
  #broken = false;
  #hasFailed = false;
  #waiting: Waiting[] = [];
  #working: Promise<void> | undefined;
  #retry: Timer | undefined;
  #closed = false;

  constructor(options: LineJournalOptions) {
    this.#options = options;
  }

  /** False while what is appended stays in memory only. */
  get healthy(): boolean {
    return !this.#hasFailed;
  }

  /** Reads what the file holds. Follow it by `start` or `resume`, once that is applied. */
  async load(): Promise<JournalContent> {
    const { file, what, log } = this.#options;
    const bytes = await fs.readFile(file).catch(absent);
    if (bytes === undefined) return { found: false, bytes: 0, values: [], badLines: 0 };
    const { values, badLines, whole } = readLines(bytes);
    this.#whole = whole;
    this.#damaged = badLines > 0;
    if (badLines > 0)
      log.error({ file, badLines }, `the ${what} is damaged; what can be read is used, and the file is kept`);
    if (whole < bytes.length)
      log.info({ file }, `the last line of the ${what} was not finished and is left out`);
    return { found: true, bytes: bytes.length, values, badLines };
  }

  /** Writes the present state as a fresh file; where that fails, work goes on in memory until it can be written. */
  async start(): Promise<void> {
    await this.#rewrite().catch((error: unknown) => this.#failed(error as Error));
  }

  /** Goes on at the end of the file that was loaded; one that is damaged is written anew. */
  async resume(): Promise<void> {
    if (this.#damaged) return this.start();
    const file = await DurableFile.open(this.#options.file, this.#options.area);
    if (file.size > this.#whole) await file.truncate(this.#whole);
    this.#file = file;
  }

  /** Resolves once the value is on disk for good. Rejects when it is not; then it will be with the next rewrite. */
  append(value: unknown): Promise<void> {
    return this.#enqueue(encodeLine(value), true);
  }

  /** Resolves once the value is written; a power loss may take it until `sync`. Rejects as `append` does. */
  write(value: unknown): Promise<void> {
    return this.#enqueue(encodeLine(value), false);
  }

  /** Resolves once all that was written is on disk for good. */
  sync(): Promise<void> {
    return this.#enqueue(undefined, true);
  }

  /** Writes it anew: its file was removed behind our back. */
  async renew(): Promise<void> {
    await makeFolderDurably(path.dirname(this.#options.file), 0o700, this.#options.area);
    this.#damaged = false;
    this.#broken = true;
    await this.sync();
  }

  /** Waits for what is under way. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#retry?.cancel();
    await this.#working;
    await this.#closeFile();
  }

  /** Closes it, and removes its file. */
  async remove(): Promise<void> {
    await this.close();
    await unlinkFile(this.#options.file, this.#options.area);
    await syncDirectory(path.dirname(this.#options.file), this.#options.area);
  }

  #enqueue(line: Buffer | undefined, mustSync: boolean): Promise<void> {
    if (this.#closed) return Promise.reject(new Error(`the ${this.#options.what} is closed`));
    const done = new Promise<void>((resolve, reject) =>
      this.#waiting.push({ line, mustSync, resolve, reject }),
    );
    this.#working ??= this.#drain();
    return done;
  }

  async #drain(): Promise<void> {
    // The first turn lets everything that is appended in this tick join.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        await this.#store(batch);
        for (const item of batch) item.resolve();
      } catch (error) {
        this.#failed(error as Error);
        for (const item of batch) item.reject(error as Error);
      }
    }
    this.#working = undefined;
  }

  async #store(batch: readonly Waiting[]): Promise<void> {
    const file = this.#file;
    const limit = Math.max(this.#options.compactAtLeastBytes, OUTGROWN * this.#compactedBytes);
    // The snapshot includes the values in hand: they were applied before they were appended.
    if (this.#broken || file === undefined || file.size > limit) return this.#rewrite();
    const lines = batch.flatMap(({ line }) => (line === undefined ? [] : [line]));
    if (lines.length > 0) await file.append(lines);
    if (batch.some(({ mustSync }) => mustSync)) await file.sync();
  }

  async #rewrite(): Promise<void> {
    const { file, area, what, log } = this.#options;
    this.#broken = true;
    if (this.#damaged) {
      const aside = await setAside(file, area);
      this.#damaged = false;
      log.warn({ file, setAside: aside }, `the damaged ${what} was set aside; another takes its place`);
    }
    const lines = [...this.#options.snapshot()].map(encodeLine);
    await writeFileAtomically(file, lines, area);
    await this.#closeFile();
    this.#file = await DurableFile.open(file, area);
    this.#compactedBytes = this.#file.size;
    if (this.#hasFailed && this.#options.failedMessage !== undefined)
      log.warn({ file }, `the ${what} can be written again; nothing is missing in it`);
    this.#broken = this.#hasFailed = false;
  }

  /** After a failed write the file's end is unknown. */
  #failed(error: Error): void {
    const { file, log, clock, retryMs, failedMessage } = this.#options;
    if (!this.#hasFailed && failedMessage !== undefined)
      log.error({ file, error: error.message }, failedMessage);
    this.#broken = this.#hasFailed = true;
    if (this.#closed || retryMs === undefined) return;
    this.#retry?.cancel();
    this.#retry = clock.setTimeout(() => this.#recover(), retryMs);
  }

  #recover(): void {
    if (this.#closed || !this.#broken) return;
    // Appends that wait rewrite it themselves.
    void this.sync().catch(() => {});
  }

  async #closeFile(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }
}

function encodeLine(value: unknown): Buffer {
  return Buffer.from(encodeCheckedLine(JSON.stringify(value)));
}

const NEWLINE = 0x0a;

function readLines(bytes: Buffer): { values: unknown[]; badLines: number; whole: number } {
  const values: unknown[] = [];
  let badLines = 0;
  let whole = 0;
  for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, whole)) {
    const value = decodeLine(bytes.subarray(whole, end));
    if (value === undefined) badLines++;
    else values.push(value);
    whole = end + 1;
  }
  return { values, badLines, whole };
}

function decodeLine(line: Buffer): unknown {
  const json = decodeCheckedLine(line);
  try {
    return json === undefined ? undefined : (JSON.parse(json) as unknown);
  } catch {
    return undefined;
  }
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined;
  throw error;
}
