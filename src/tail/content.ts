import { closeDescriptor, readAt, statDescriptor } from '../platform/files.ts';

/** A file's content, decompressed where it is compressed, readable at any offset. */
export interface Content {
  /** Fills `target[at … at + length]` from `offset`; fewer bytes only where the content ends. */
  read(target: Buffer, at: number, length: number, offset: number): Promise<number>;
  /** Whether nothing will be appended: true for compressed files. */
  readonly sealed: boolean;
  /** How many names the file has; 0 once it is deleted. */
  links(): Promise<number>;
  /** Waits for reads under way: a descriptor closed below them could already be another file's. */
  close(): Promise<void>;
}

export class PlainContent implements Content {
  readonly sealed = false;
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
      this.#reads--;
      if (this.#reads === 0) this.#idle?.();
    }
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
}
