import { ByteWriter } from '../model/byte-writer.ts';

/** Writes what BUFFER-FORMAT.md calls `v` and `s`. Refuses what would be read back as something else. */
export class PayloadWriter extends ByteWriter {
  uint(value: number): void {
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`not an unsigned integer: ${value}`);
    this.varint(value);
  }

  finish(): Buffer {
    return this.bytes.subarray(0, this.length);
  }
}
