import { TooLargeError, WireError } from '../wire-error.ts';

/** What a decoder has made so far. It grows with what is really there, not with what a header claims. */
export class BoundedOutput {
  bytes: Buffer;
  length = 0;
  readonly #maxBytes: number;

  /** `likely`: about how much it will be. */
  constructor(maxBytes: number, likely: number) {
    this.#maxBytes = maxBytes;
    this.bytes = Buffer.allocUnsafeSlow(Math.max(64, Math.min(maxBytes, likely)));
  }

  /** Makes room for `count` bytes more. Throws TooLargeError. */
  reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.bytes.length) return;
    if (needed > this.#maxBytes)
      throw new TooLargeError(`more than ${this.#maxBytes} bytes after decompression`, -1);
    const grown = Buffer.allocUnsafeSlow(Math.min(this.#maxBytes, Math.max(needed, this.bytes.length * 2)));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }

  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  repeat(byte: number, count: number): void {
    this.reserve(count);
    this.bytes.fill(byte, this.length, this.length + count);
    this.length += count;
  }

  /** Copies from what was written; source and target may overlap, which repeats a pattern. `from`: where it may begin at the earliest. */
  copyBack(offset: number, count: number, from: number, at: number): void {
    if (offset <= 0 || offset > this.length - from) throw new WireError('copy from before the beginning', at);
    this.reserve(count);
    const { bytes, length } = this;
    if (offset >= count) bytes.copyWithin(length, length - offset, length - offset + count);
    else for (let i = length; i < length + count; i++) bytes[i] = bytes[i - offset]!;
    this.length += count;
  }

  finish(): Buffer {
    return this.bytes.subarray(0, this.length);
  }
}
