import { writeDouble, writeVarint, zigzag } from './chunk-codec.ts';

/** Bytes that grow as they are written. */
export class ByteBuffer {
  bytes: Uint8Array;
  length = 0;

  constructor(size = 4096) {
    this.bytes = new Uint8Array(size);
  }

  /** Room for so many more bytes. */
  reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const wider = new Uint8Array(Math.max(this.bytes.length * 2, this.length + more));
    wider.set(this.bytes.subarray(0, this.length));
    this.bytes = wider;
  }

  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  /** A whole number from 0 to 2^53. */
  varint(value: number): void {
    this.reserve(9);
    this.length = writeVarint(this.bytes, this.length, value);
  }

  /** A whole number below 2^52 in size. */
  signed(value: number): void {
    this.varint(zigzag(value));
  }

  double(value: number): void {
    this.reserve(8);
    this.length = writeDouble(this.bytes, this.length, value);
  }

  word(value: number): void {
    this.reserve(4);
    for (let i = 0; i < 4; i++) this.bytes[this.length++] = (value >>> (8 * i)) & 0xff;
  }

  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  text(text: string): void {
    const bytes = Buffer.from(text, 'utf8');
    this.varint(bytes.length);
    this.raw(bytes);
  }

  /** What was written, and an empty buffer in its place. */
  take(): Uint8Array {
    const taken = this.bytes.subarray(0, this.length);
    this.bytes = new Uint8Array(Math.max(4096, Math.min(this.length, 1 << 20)));
    this.length = 0;
    return taken;
  }
}
