import { WINDOW_MS } from '../../samples/chunk-store.ts';
import { DamagedBytes } from '../../samples/byte-source.ts';
import { BlockFile, listBlocks } from './block-file.ts';

/** The block files of a folder as a reading thread has them open. */
export class BlockSet {
  readonly #folder: string;
  readonly #open = new Map<string, BlockFile>();
  #generation = -1;
  #files: readonly BlockFile[] = [];

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Looks at the folder again where the generation is another. A file that is deleted meanwhile is read to its end. */
  refresh(generation: number): void {
    if (generation === this.#generation) return;
    const names = listBlocks(this.#folder);
    const wanted = new Set(names.map(({ name }) => name));
    for (const [name, file] of this.#open) {
      if (wanted.has(name)) continue;
      file.close();
      this.#open.delete(name);
    }
    this.#files = names.flatMap((name) => {
      try {
        const file = this.#open.get(name.name) ?? BlockFile.open(this.#folder, name);
        this.#open.set(name.name, file);
        return [file];
      } catch (error) {
        // Damaged, which the head's thread tells; or deleted just now, which the next generation tells.
        if (error instanceof DamagedBytes || (error as NodeJS.ErrnoException).code === 'ENOENT') return [];
        throw error;
      }
    });
    this.#generation = generation;
  }

  /** Those that may have samples in a time, oldest first, of one window in the order in which they were written. */
  within(fromMs: number, toMs: number): readonly BlockFile[] {
    return this.#files.filter(
      ({ name, footer }) => name.window * WINDOW_MS <= toMs && footer.minMs <= toMs && footer.maxMs >= fromMs,
    );
  }

  close(): void {
    for (const file of this.#open.values()) file.close();
    this.#open.clear();
    this.#files = [];
  }
}
