/** Bits after bits, the first of a byte lowest: RFC 1951, 3.1.1. */
export class BitWriter {
  readonly #bytes: Uint8Array;
  /** Where the next whole byte goes. */
  at: number;
  /** Those that do not fill a byte yet, and how many they are. */
  bits = 0;
  count = 0;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  /** At most 16 bits, from the lowest on. */
  put(value: number, count: number): void {
    this.bits |= value << this.count;
    this.count += count;
    for (; this.count >= 8; this.count -= 8, this.bits >>>= 8) this.#bytes[this.at++] = this.bits;
  }

  /** Zeros up to the end of the byte. */
  fill(): void {
    if (this.count > 0) this.put(0, 8 - this.count);
  }
}
