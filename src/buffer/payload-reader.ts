import { ByteReader } from '../model/byte-reader.ts';

/** Reads what `PayloadWriter` wrote, from bytes that may be anything; throws RangeError. Never allocates more than there is. */
export class PayloadReader extends ByteReader {
  get remaining(): number {
    return this.bytes.length - this.at;
  }

  /** A count of things of which each takes at least `bytesEach` bytes: bounds what a caller may allocate. */
  count(bytesEach: number): number {
    const count = this.varint();
    if (count * bytesEach > this.remaining) throw new RangeError(`a count of ${count} exceeds what follows`);
    return count;
  }

  /** A view of the next `length` bytes. */
  blob(length: number): Buffer {
    const start = this.take(length);
    return this.bytes.subarray(start, this.at);
  }
}
