import { ByteWriter } from '../model/byte-writer.ts';
import { WireError } from './wire-error.ts';

export const VARINT = 0;
export const FIXED64 = 1;
export const BYTES = 2;
export const FIXED32 = 5;

const TWO_32 = 4294967296;

/** Writes protobuf fields; messages nest with `open` and `close`. Field numbers up to 15 cost one byte of tag. */
export class ProtoWriter extends ByteWriter {
  tag(field: number, wireType: number): void {
    this.varint(field * 8 + wireType);
  }

  uint(field: number, value: number): void {
    this.tag(field, VARINT);
    this.varint(value);
  }

  /** An int64 (not zigzag): negative numbers take ten bytes. */
  int64(field: number, value: number): void {
    this.tag(field, VARINT);
    if (value >= 0) this.varint(value);
    else this.#negative(value);
  }

  #negative(value: number): void {
    this.reserve(10);
    let rest = BigInt.asUintN(64, BigInt(value));
    for (let i = 0; i < 9; i++, rest >>= 7n) this.bytes[this.length++] = Number(rest & 0x7fn) | 0x80;
    this.bytes[this.length++] = Number(rest);
  }

  /** `ms * 1e6 + nanos` as fixed64, exact over the whole range of dates. */
  nanos(field: number, ms: number, nanos = 0): void {
    this.tag(field, FIXED64);
    this.reserve(8);
    writeNanos(this.bytes, this.length, ms, nanos);
    this.length += 8;
  }

  /** A whole number from 0 to 2^53 - 1. */
  fixed64(field: number, value: number): void {
    this.tag(field, FIXED64);
    this.rawFixed64(value);
  }

  rawFixed64(value: number): void {
    this.reserve(8);
    this.bytes.writeUInt32LE(value % TWO_32, this.length);
    this.bytes.writeUInt32LE(Math.floor(value / TWO_32), this.length + 4);
    this.length += 8;
  }

  doubleField(field: number, value: number): void {
    this.tag(field, FIXED64);
    this.double(value);
  }

  text(field: number, value: string): void {
    this.tag(field, BYTES);
    this.string(value);
  }

  blob(field: number, value: Uint8Array): void {
    this.tag(field, BYTES);
    this.varint(value.length);
    this.raw(value);
  }

  /** Begins a message; give the result to `close`, which puts its length before it. */
  open(field: number): number {
    this.tag(field, BYTES);
    return this.beginSized();
  }

  close(start: number): void {
    this.endSized(start);
  }
}

/** Little-endian 64 bits of `ms * 1e6 + nanos`, without BigInt: the low half's product stays below 2^53. */
export function writeNanos(into: Uint8Array, at: number, ms: number, nanos: number): void {
  const low = (ms % TWO_32) * 1e6 + nanos;
  let lo = low % TWO_32;
  let hi = Math.floor(ms / TWO_32) * 1e6 + Math.floor(low / TWO_32);
  for (let i = 0; i < 4; i++) {
    into[at + i] = lo;
    into[at + 4 + i] = hi;
    lo = Math.floor(lo / 256);
    hi = Math.floor(hi / 256);
  }
}

/** Deepest nesting of messages that is read: OTLP itself needs 7, the rest is for values in values. */
const MAX_DEPTH = 40;

export interface ReaderMark {
  readonly at: number;
  readonly end: number;
  readonly depth: number;
}

/**
 * Walks protobuf fields: `while (reader.next()) switch (reader.field) …`, with `enter`/`leave` around a nested
 * message. Never reads outside the message it is in; whatever is malformed throws a WireError with the byte.
 */
export class ProtoReader {
  readonly bytes: Buffer;
  at = 0;
  end: number;
  field = 0;
  wireType = 0;
  #depth = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.isBuffer(bytes)
      ? bytes
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.end = bytes.length;
  }

  /** Moves to the next field of the message; false at its end. */
  next(): boolean {
    if (this.at >= this.end) return false;
    const start = this.at;
    const tag = this.varint();
    this.field = Math.floor(tag / 8);
    this.wireType = tag & 7;
    if (this.field === 0 || this.field > 536870911) throw new WireError('bad protobuf field number', start);
    return true;
  }

  /** Whether the current field has the wire type that it must have; throws where not. */
  expect(wireType: number): void {
    if (this.wireType !== wireType) {
      throw new WireError(
        `protobuf field ${this.field} has wire type ${this.wireType}, expected ${wireType}`,
        this.at,
      );
    }
  }

  /** Of what exceeds 2^53, the value is approximate: for lengths, tags and enumerations. */
  varint(): number {
    let value = 0;
    let scale = 1;
    const start = this.at;
    for (let i = 0; i < 10; i++) {
      if (this.at >= this.end) throw new WireError('truncated protobuf number', start);
      const byte = this.bytes[this.at++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    throw new WireError('protobuf number of more than 10 bytes', start);
  }

  uint(): number {
    this.expect(VARINT);
    return this.varint();
  }

  /** A signed 64-bit varint, exact. */
  bigint(): bigint {
    this.expect(VARINT);
    const start = this.at;
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      if (this.at >= this.end) throw new WireError('truncated protobuf number', start);
      const byte = this.bytes[this.at++]!;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(64, value);
    }
    throw new WireError('protobuf number of more than 10 bytes', start);
  }

  /** A signed 64-bit varint: a number where that is exact, else its decimal digits. */
  int64(): number | string {
    const start = this.at;
    const small = this.uint();
    if (small <= Number.MAX_SAFE_INTEGER) return small;
    this.at = start;
    const value = this.bigint();
    return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
      ? Number(value)
      : value.toString();
  }

  double(): number {
    this.expect(FIXED64);
    return this.bytes.readDoubleLE(this.#take(8));
  }

  fixed32(): number {
    this.expect(FIXED32);
    return this.bytes.readUInt32LE(this.#take(4));
  }

  /** Position of eight bytes, for those who want their bits. */
  eight(): number {
    this.expect(FIXED64);
    return this.#take(8);
  }

  string(): string {
    const start = this.blobStart();
    return this.bytes.toString('utf8', start, this.at);
  }

  blob(): Uint8Array {
    const start = this.blobStart();
    return this.bytes.subarray(start, this.at);
  }

  /** Passes a length-delimited field: returns where it starts, and `at` is where it ends. */
  blobStart(): number {
    this.expect(BYTES);
    const size = this.varint();
    return this.#take(size);
  }

  /** Enters a nested message; the result goes to `leave`. */
  enter(): number {
    if (++this.#depth > MAX_DEPTH) throw new WireError(`protobuf nested deeper than ${MAX_DEPTH}`, this.at);
    const start = this.blobStart();
    const outer = this.end;
    this.end = this.at;
    this.at = start;
    return outer;
  }

  leave(outer: number): void {
    this.at = this.end;
    this.end = outer;
    this.#depth--;
  }

  /** Where it is, for `passAgain`. */
  mark(): ReaderMark {
    return { at: this.at, end: this.end, depth: this.#depth };
  }

  /** Passes over the field that began at a mark, however far its reading has come. */
  passAgain({ at, end, depth }: ReaderMark): void {
    this.at = at;
    this.end = end;
    this.#depth = depth;
    this.wireType = BYTES;
    this.skip();
  }

  skip(): void {
    if (this.wireType === VARINT) this.varint();
    else if (this.wireType === FIXED64) this.#take(8);
    else if (this.wireType === BYTES) this.blobStart();
    else if (this.wireType === FIXED32) this.#take(4);
    else throw new WireError(`protobuf wire type ${this.wireType} is not supported`, this.at);
  }

  #take(count: number): number {
    const start = this.at;
    if (count > this.end - start)
      throw new WireError(`truncated: ${count} bytes announced, ${this.end - start} left`, start);
    this.at = start + count;
    return start;
  }
}

/** Reads eight little-endian bytes of nanoseconds as whole ms and the nanoseconds below. */
export function readNanos(bytes: Buffer, at: number): { ms: number; nanos: number } {
  const lo = bytes.readUInt32LE(at);
  const hi = bytes.readUInt32LE(at + 4);
  // 2^32 = 4294 * 1e6 + 967296: long division in two steps, every product below 2^53.
  const rest = hi * 967296 + lo;
  const carry = Math.floor(rest / 1e6);
  return { ms: hi * 4294 + carry, nanos: rest - carry * 1e6 };
}
