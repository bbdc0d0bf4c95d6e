import fs from 'node:fs';

/** The database file as it was opened: what is written to one that was removed or replaced would be gone with the process. */
export class OpenFile {
  readonly #path: string;
  readonly #inode: bigint;

  constructor(path: string) {
    this.#path = path;
    this.#inode = fs.statSync(path, { bigint: true }).ino;
  }

  /** Why nothing must be stored in it any more. */
  problem(): string | undefined {
    const now = fs.statSync(this.#path, { bigint: true, throwIfNoEntry: false });
    if (now?.ino === this.#inode && now.size > 0n) return undefined;
    const what = now === undefined ? 'is gone' : now.size === 0n ? 'was emptied' : 'was replaced';
    return `the database file ${this.#path} ${what} while the collector ran; put it back, or restart the collector to begin with what is there`;
  }
}
