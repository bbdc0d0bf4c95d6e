/** Reads what ByteWriter wrote. Throws RangeError with the byte where the data ends too early or makes no sense. */
export class ByteReader {
  readonly bytes: Buffer;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.isBuffer(bytes)
      ? bytes
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get done(): boolean {
    return this.at >= this.bytes.length;
  }

  uint8(): number {
    return this.bytes[this.take(1)]!;
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 8; i++) {
      const byte = this.uint8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) break;
        return value;
      }
      scale *= 128;
    }
    throw new RangeError(`number too large at byte ${this.at}`);
  }

  double(): number {
    return this.bytes.readDoubleLE(this.take(8));
  }

  string(): string {
    const count = this.varint();
    const start = this.take(count);
    return this.bytes.toString('utf8', start, this.at);
  }

  /** Passes `count` bytes; returns where they start. */
  take(count: number): number {
    const start = this.at;
    if (count > this.bytes.length - start) {
      throw new RangeError(
        `data ends early: ${count} bytes expected at byte ${start}, ${this.bytes.length - start} left`,
      );
    }
    this.at = start + count;
    return start;
  }
}
