import { readDouble, readVarint, unzigzag, varintEnd } from './chunk-codec.ts';

/** Bytes of a file that are not what they should be. */
export class DamagedBytes extends Error {}

/** Reads what ByteBuffer wrote. Throws DamagedBytes at the end of the bytes. */
export class ByteSource {
  readonly bytes: Uint8Array;
  at: number;
  readonly end: number;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  get done(): boolean {
    return this.at >= this.end;
  }

  #need(count: number): void {
    if (!(count >= 0 && this.at + count <= this.end))
      throw new DamagedBytes(`ends within a value at ${this.at}`);
  }

  byte(): number {
    this.#need(1);
    return this.bytes[this.at++]!;
  }

  varint(): number {
    this.#need(1);
    const value = readVarint(this.bytes, this.at);
    this.at = varintEnd;
    this.#need(0);
    return value;
  }

  signed(): number {
    return unzigzag(this.varint());
  }

  double(): number {
    this.#need(8);
    const value = readDouble(this.bytes, this.at);
    this.at += 8;
    return value;
  }

  word(): number {
    this.#need(4);
    const { bytes, at } = this;
    this.at += 4;
    return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
  }

  raw(length: number): Uint8Array {
    this.#need(length);
    const raw = this.bytes.subarray(this.at, this.at + length);
    this.at += length;
    return raw;
  }

  text(): string {
    return Buffer.from(this.raw(this.varint())).toString('utf8');
  }
}
