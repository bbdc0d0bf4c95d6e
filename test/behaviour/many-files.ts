import fs from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface ManyFilesOptions {
  readonly folder: string;
  readonly files: number;
  /** Of each file, by its number. */
  readonly name: (file: number) => string;
  readonly linesPerSecond: number;
  /** How many files are rotated at a time, in turn: one by rename, the next by copying and truncating. */
  readonly rotated: number;
  readonly rotateEachMs: number;
  /** Rotated files that are kept beside each. */
  readonly kept: number;
}

const TICK_MS = 50;

/** A service with very many log files: each gets a line now and then, and all the time some of them are rotated. */
export class ManyFiles {
  readonly #o: ManyFilesOptions;
  #next = 0;
  #rotateNext = 0;
  #stopped = false;
  /** Lines written so far, numbered from 0. */
  lines = 0;
  rotations = 0;

  constructor(options: ManyFilesOptions) {
    this.#o = options;
    fs.mkdirSync(options.folder, { recursive: true });
    for (let file = 0; file < options.files; file++) this.#write(file);
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Until stopped. Each line and each rotation is whole: nothing is written to a file between its copy and its cut. */
  async run(): Promise<void> {
    const { linesPerSecond, rotateEachMs } = this.#o;
    const begun = performance.now();
    const before = this.lines;
    let rotateAt = begun + rotateEachMs;
    while (!this.#stopped) {
      await sleep(TICK_MS);
      const now = performance.now();
      const due = before + Math.floor(((now - begun) / 1000) * linesPerSecond);
      while (this.lines < due) this.#write(this.#next++ % this.#o.files);
      if (now < rotateAt) continue;
      rotateAt += rotateEachMs;
      this.#rotateSome();
    }
  }

  #path(file: number): string {
    return join(this.#o.folder, this.#o.name(file));
  }

  #write(file: number): void {
    fs.appendFileSync(this.#path(file), `${new Date().toISOString()} file ${file} line ${this.lines++}\n`);
  }

  #rotateSome(): void {
    for (let i = 0; i < this.#o.rotated; i++) {
      const file = this.#rotateNext++ % this.#o.files;
      const path = this.#path(file);
      if (fs.statSync(path, { throwIfNoEntry: false })?.size === 0) continue;
      for (let age = this.#o.kept; age > 1; age--) {
        if (fs.existsSync(`${path}.${age - 1}`)) fs.renameSync(`${path}.${age - 1}`, `${path}.${age}`);
      }
      if (file % 2 === 0) {
        fs.renameSync(path, `${path}.1`);
        fs.writeFileSync(path, '');
      } else {
        fs.copyFileSync(path, `${path}.1`);
        fs.truncateSync(path, 0);
      }
      this.rotations++;
    }
  }
}
