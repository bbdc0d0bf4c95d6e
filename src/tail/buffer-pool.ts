/**
 * Buffers used again: a fresh megabyte for each read would be filled with zeros by the kernel each time. A thread that
 * scans sees their memory as it is, without a copy. Memory that is shared weighs nothing for V8, which would look for
 * what was let go of it too late: so many of a size are made, and never let go.
 */
export class BufferPool {
  readonly #free = new Map<number, Buffer[]>();
  readonly #made = new Map<number, number>();
  readonly #most: number;

  constructor(most = 8) {
    this.#most = most;
  }

  take(bytes: number): Buffer {
    const free = this.#free.get(bytes)?.pop();
    if (free !== undefined) return free;
    const made = this.#made.get(bytes) ?? 0;
    if (made >= this.#most) return Buffer.allocUnsafeSlow(bytes);
    this.#made.set(bytes, made + 1);
    return Buffer.from(new SharedArrayBuffer(bytes));
  }

  /** The buffer must not be used by the caller any more. */
  give(buffer: Buffer): void {
    if (!(buffer.buffer instanceof SharedArrayBuffer)) return;
    const free = this.#free.get(buffer.length);
    if (free === undefined) this.#free.set(buffer.length, [buffer]);
    else free.push(buffer);
  }
}
