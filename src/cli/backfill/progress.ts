import { statSync } from 'node:fs';
import { bytes } from '../style.ts';

const WIDTH = 30;
const REDRAW_MS = 100;

/** A bar on standard error, if that is a terminal; nothing elsewhere. Compressed files count when they are done. */
export class Progress {
  readonly #shown = process.stderr.isTTY;
  readonly #sizes: ReadonlyMap<string, number>;
  readonly #total: number;
  #read = 0;
  #doneBytes = 0;
  #drawnAt = 0;

  constructor(files: readonly string[]) {
    this.#sizes = new Map(files.map((path) => [path, statSync(path, { throwIfNoEntry: false })?.size ?? 0]));
    this.#total = [...this.#sizes.values()].reduce((sum, size) => sum + size, 0);
  }

  add(count: number): void {
    this.#read += count;
    this.#draw();
  }

  done(path: string): void {
    this.#doneBytes += this.#sizes.get(path) ?? 0;
    this.#draw();
  }

  #draw(): void {
    const now = performance.now();
    if (!this.#shown || now - this.#drawnAt < REDRAW_MS) return;
    this.#drawnAt = now;
    const share = Math.min(
      1,
      Math.max(this.#doneBytes, Math.min(this.#read, this.#total)) / Math.max(1, this.#total),
    );
    const filled = Math.round(share * WIDTH);
    const bar = `${'█'.repeat(filled)}${'░'.repeat(WIDTH - filled)}`;
    process.stderr.write(`\r${bar} ${(share * 100).toFixed(0).padStart(3)} %  ${bytes(this.#read)}\u001b[K`);
  }

  end(): void {
    if (this.#shown && this.#drawnAt > 0) process.stderr.write('\r\u001b[K');
    this.#drawnAt = 0;
  }
}
