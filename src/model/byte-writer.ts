/** Longest text that is written in a loop of our own; its length fits one byte. */
const SHORT = 40;

/** Grows as it is written to; `length` bytes of `bytes` are valid. Every write first reserves what it needs. */
export class ByteWriter {
  bytes: Buffer;
  length = 0;

  constructor(capacity = 1024) {
    this.bytes = Buffer.allocUnsafeSlow(capacity);
  }

  reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, this.length + count));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }

  uint8(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  /** A whole number from 0 to 2^53 - 1, seven bits a byte, low ones first. */
  varint(value: number): void {
    this.reserve(8);
    let rest = value;
    while (rest > 0x7fffffff) {
      this.bytes[this.length++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest > 0x7f) {
      this.bytes[this.length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.bytes[this.length++] = rest;
  }

  double(value: number): void {
    this.reserve(8);
    this.bytes.writeDoubleLE(value, this.length);
    this.length += 8;
  }

  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** UTF-8 with its length before it. Short ASCII goes byte by byte: cheaper than two calls into the runtime. */
  string(text: string): void {
    const size = text.length;
    if (size > SHORT) {
      this.#longString(text);
      return;
    }
    this.reserve(size + 1);
    const bytes = this.bytes;
    const start = this.length + 1;
    for (let i = 0; i < size; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) {
        this.#longString(text);
        return;
      }
      bytes[start + i] = code;
    }
    bytes[start - 1] = size;
    this.length = start + size;
  }

  #longString(text: string): void {
    const count = Buffer.byteLength(text);
    this.varint(count);
    this.reserve(count);
    this.length += this.bytes.write(text, this.length, count, 'utf8');
  }

  /** Begins a part that has its length before it; give the result to `endSized`. */
  beginSized(): number {
    this.uint8(0);
    return this.length;
  }

  endSized(start: number): void {
    const size = this.length - start;
    const extra = varintSize(size) - 1;
    if (extra > 0) {
      this.reserve(extra);
      this.bytes.copyWithin(start + extra, start, this.length);
    }
    this.length = start - 1;
    this.varint(size);
    this.length += size;
  }

  /** A copy of what was written, in an ArrayBuffer of its own that can be transferred to another thread. */
  copy(): Uint8Array {
    return new Uint8Array(this.bytes.subarray(0, this.length));
  }
}

export function varintSize(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x200000) return 3;
  if (value < 0x10000000) return 4;
  let size = 5;
  for (let rest = Math.floor(value / 0x800000000); rest > 0; rest = Math.floor(rest / 128)) size++;
  return size;
}
