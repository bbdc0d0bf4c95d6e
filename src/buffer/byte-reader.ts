/** What is read does not fit the format. Callers add segment and offset. */
export class MalformedBytes extends Error {}

/** Reads what `ByteWriter` wrote, from bytes that may be anything: never reads past the end, never allocates more than there is. */
export class ByteReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get remaining(): number {
    return this.#bytes.length - this.#at;
  }

  uint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 8; i++) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw new MalformedBytes('ends within a number');
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (!Number.isSafeInteger(value)) throw new MalformedBytes('a number is above 2^53');
        return value;
      }
      scale *= 0x80;
    }
    throw new MalformedBytes('a number has too many bytes');
  }

  /** A count of things of which each takes at least `bytesEach` bytes: bounds what a caller may allocate. */
  count(bytesEach: number): number {
    const count = this.uint();
    if (count * bytesEach > this.remaining)
      throw new MalformedBytes(`a count of ${count} exceeds what follows`);
    return count;
  }

  text(): string {
    return this.bytes(this.uint()).toString('utf8');
  }

  bytes(length: number): Buffer {
    if (length > this.remaining)
      throw new MalformedBytes(`${length} bytes announced, ${this.remaining} left`);
    const part = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return part;
  }
}
