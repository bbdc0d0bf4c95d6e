import { closeDescriptor, readAt, statDescriptor } from '../platform/files.ts';

/** A file's content, decompressed where it is compressed, readable at any offset. */
export interface Content {
  /** Fills `target[at … at + length]` from `offset`; fewer bytes only where the content ends. */
  read(target: Buffer, at: number, length: number, offset: number): Promise<number>;
  /** Grows with each piece that is read, or decompressed on the way to what was asked for. */
  readonly progress: number;
  /** Whether nothing will be appended: true for compressed files. */
  readonly sealed: boolean;
  /** How many names the file has; 0 once it is deleted. */
  links(): Promise<number>;
  /** So that others can read from it too: it stays open until it is given back. Undefined where they could not. */
  lend(): LentDescriptor | undefined;
  /** Waits for reads under way: a descriptor closed below them could already be another file's. */
  close(): Promise<void>;
}

export interface LentDescriptor {
  readonly descriptor: number;
  giveBack(): void;
}

export class PlainContent implements Content {
  readonly sealed = false;
  progress = 0;
  readonly #descriptor: number;
  #reads = 0;
  #idle: (() => void) | undefined;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  async read(target: Buffer, at: number, length: number, offset: number): Promise<number> {
    this.#reads++;
    try {
      return await readAt('tail', this.#descriptor, target, at, length, offset);
    } finally {
      this.progress++;
      this.#done();
    }
  }

  lend(): LentDescriptor {
    this.#reads++;
    return { descriptor: this.#descriptor, giveBack: () => this.#done() };
  }

  async links(): Promise<number> {
    return (await statDescriptor('tail', this.#descriptor)).links;
  }

  async close(): Promise<void> {
    if (this.#reads > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
    await closeDescriptor(this.#descriptor);
  }

  #done(): void {
    this.#reads--;
    if (this.#reads === 0) this.#idle?.();
  }
}
