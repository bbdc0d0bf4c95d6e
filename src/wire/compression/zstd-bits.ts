import { WireError } from '../wire-error.ts';

/** Reads bits from the end of bytes to their beginning, as Zstandard writes them. */
export class BackwardBits {
  readonly #bytes: Uint8Array;
  readonly #start: number;
  /** Bits that are left; below 0 where more were read than there were. */
  left: number;

  /** Throws WireError where the bit that marks the end is missing. */
  constructor(bytes: Uint8Array, start: number, end: number) {
    const last = end > start ? bytes[end - 1]! : 0;
    if (last === 0) throw new WireError('Zstandard bits without their end', end);
    this.#bytes = bytes;
    this.#start = start;
    this.left = (end - start) * 8 - 1 - Math.clz32(last) + 24;
  }

  /** The next `count` bits, at most 16, which stay. What lies before the beginning is 0. */
  peek(count: number): number {
    const low = this.left - count;
    if (low < 0) return this.left <= 0 ? 0 : (this.#at(0, this.left) << -low) >>> 0;
    return this.#at(low, count);
  }

  #at(low: number, count: number): number {
    const bytes = this.#bytes;
    const at = this.#start + (low >> 3);
    const bits = bytes[at]! | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16);
    return (bits >>> (low & 7)) & ((1 << count) - 1);
  }

  /** At most 16. */
  read(count: number): number {
    const value = this.peek(count);
    this.left -= count;
    return value;
  }

  /** At most 32. */
  readMany(count: number): number {
    if (count <= 16) return this.read(count);
    const high = this.read(count - 16);
    return high * 65_536 + this.read(16);
  }

  /** Throws WireError where not just everything was read. */
  end(at: number): void {
    if (this.left !== 0)
      throw new WireError(
        this.left < 0 ? 'truncated Zstandard bits' : 'Zstandard bits that are left over',
        at,
      );
  }
}
