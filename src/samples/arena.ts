/** Addresses count units of this many bytes; so a byte address fits 32 bits up to 64 GiB, and 0 is no address. */
export const UNIT = 16;

const FIRST_BYTES = 1 << 20;
const GROW_BYTES = 8 << 20;

/**
 * Bytes that all threads see. A view that follows a growing buffer is six times slower than one of fixed length, so
 * views are made anew when the buffer has grown.
 */
export class SharedBytes {
  readonly buffer: SharedArrayBuffer;
  bytes!: Uint8Array;
  words!: Uint32Array;
  doubles!: Float64Array;

  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
    this.refresh();
  }

  static make(bytesMax: number): SharedBytes {
    const maxByteLength = Math.ceil(bytesMax / GROW_BYTES) * GROW_BYTES;
    return new SharedBytes(new SharedArrayBuffer(Math.min(FIRST_BYTES, maxByteLength), { maxByteLength }));
  }

  /** Sees what another thread has added. */
  refresh(): void {
    const { buffer } = this;
    const { byteLength } = buffer;
    if (this.bytes?.length === byteLength) return;
    this.bytes = new Uint8Array(buffer, 0, byteLength);
    this.words = new Uint32Array(buffer, 0, byteLength >>> 2);
    this.doubles = new Float64Array(buffer, 0, byteLength >>> 3);
  }

  /** Makes room for that many bytes in all; false where that is more than it may have. */
  reserve(bytes: number): boolean {
    if (bytes <= this.bytes.length) return true;
    const { maxByteLength } = this.buffer;
    if (bytes > maxByteLength) return false;
    const doubled = Math.max(bytes, Math.min(this.bytes.length * 2, this.bytes.length + 8 * GROW_BYTES));
    this.buffer.grow(Math.min(maxByteLength, Math.ceil(doubled / GROW_BYTES) * GROW_BYTES));
    this.refresh();
    return true;
  }
}

export class ArenaFull extends Error {}

/** Gives out pieces of shared bytes, and takes them back by size. Only one thread gives out; all may read. */
export class Arena {
  readonly shared: SharedBytes;
  readonly #free: number[][] = [];
  /** In units. The first is never given: its address would be 0. */
  #end = 1;
  #freeUnits = 0;

  constructor(bytesMax: number) {
    this.shared = SharedBytes.make(bytesMax);
  }

  /** Bytes that are given out. */
  get usedBytes(): number {
    return (this.#end - this.#freeUnits) * UNIT;
  }

  get bytesMax(): number {
    return this.shared.buffer.maxByteLength;
  }

  /** The address of a piece of at least that many bytes, which hold anything. Throws ArenaFull. */
  allocate(bytes: number): number {
    const units = (bytes + UNIT - 1) >>> 4;
    const free = this.#free[units];
    const known = free?.pop();
    if (known !== undefined) {
      this.#freeUnits -= units;
      return known;
    }
    const address = this.#end;
    if (!this.shared.reserve((address + units) * UNIT)) throw new ArenaFull('no room for more samples');
    this.#end += units;
    return address;
  }

  /** Takes back what `allocate` gave for as many bytes. */
  release(address: number, bytes: number): void {
    const units = (bytes + UNIT - 1) >>> 4;
    (this.#free[units] ??= []).push(address);
    this.#freeUnits += units;
  }
}
