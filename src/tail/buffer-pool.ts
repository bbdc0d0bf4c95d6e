/**
 * Buffers used again: a fresh megabyte for each read would be filled with zeros by the kernel each time. A thread that
 * scans sees their memory as it is, without a copy.
 */
export class BufferPool {
  readonly #free = new Map<number, Buffer[]>();
  readonly #keep: number;

  constructor(keep = 8) {
    this.#keep = keep;
  }

  take(bytes: number): Buffer {
    return this.#free.get(bytes)?.pop() ?? Buffer.from(new SharedArrayBuffer(bytes));
  }

  /** The buffer must not be used by the caller any more. */
  give(buffer: Buffer): void {
    const free = this.#free.get(buffer.length);
    if (free === undefined) this.#free.set(buffer.length, [buffer]);
    else if (free.length < this.#keep) free.push(buffer);
  }
}
