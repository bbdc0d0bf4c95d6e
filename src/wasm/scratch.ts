/** Where the powers of ten are, from 1 on, f64 each. */
export const POWERS_OF_TEN = 32;
const POWERS = Array.from({ length: 10 }, (_, n) => 10 ** n);
/** Where the results of a call are put; its first words are before them, at 0. */
export const RESULTS = 128;
/** Where texts are that stand for characters which must not stand for themselves. */
export const ESCAPES = 24 * 1024;
const PAGE = 64 * 1024;
/** Where the table of value sets is, and in `ints`, how many were numbered since `forgetSets`. */
export const TABLE = 32 * 1024;
export const TABLE_BYTES = 32 * 1024;
export const SETS = 2;
/** Where the totals of the value sets are, f64 each. */
export const TOTALS = PAGE;
export const TOTALS_LENGTH = PAGE / 8;
/** Where what is not in the lines is for records: for each line, for all, and texts that some have. */
export const MOMENTS = 2 * PAGE;
export const MOMENTS_BYTES = 16 * 1024;
export const CONSTANTS = MOMENTS + MOMENTS_BYTES;
export const CONSTANTS_BYTES = 16 * 1024;
export const TEXTS = CONSTANTS + CONSTANTS_BYTES;
export const TEXTS_BYTES = 32 * 1024;
/** Where records are written. */
export const OUTPUT = 3 * PAGE;
export const OUTPUT_BYTES = 2 * PAGE;
/** Where the bytes begin that code goes over. */
export const INPUT = 5 * PAGE;
/** Code may read so far beyond the bytes it is given. */
export const READ_BEYOND = 64;
/** Longer inputs are for others. */
const INPUT_MAX = 4 * 1024 * 1024;

/** The memory that all compiled code of a thread works in, one call at a time. It is as large as its largest input was. */
class Scratch {
  readonly memory = new WebAssembly.Memory({ initial: 10 });
  bytes: Buffer = Buffer.from(this.memory.buffer);
  ints = new Int32Array(this.memory.buffer);
  doubles = new Float64Array(this.memory.buffer);
  /** For words that are not aligned. */
  view = new DataView(this.memory.buffer);

  constructor() {
    this.doubles.set(POWERS, POWERS_OF_TEN / 8);
  }

  /** Puts the bytes at INPUT; false where they are too many. */
  load(input: Uint8Array): boolean {
    if (input.length > INPUT_MAX) return false;
    const missing = INPUT + input.length + READ_BEYOND - this.bytes.length;
    if (missing > 0) {
      this.memory.grow(Math.ceil(missing / PAGE));
      this.bytes = Buffer.from(this.memory.buffer);
      this.ints = new Int32Array(this.memory.buffer);
      this.doubles = new Float64Array(this.memory.buffer);
      this.view = new DataView(this.memory.buffer);
    }
    this.bytes.set(input, INPUT);
    return true;
  }

  /** Whether `length` bytes from one address on are those from another on. */
  isSame(one: number, other: number, length: number): boolean {
    const { view } = this;
    let i = 0;
    for (; i + 4 <= length; i += 4)
      if (view.getInt32(one + i, true) !== view.getInt32(other + i, true)) return false;
    for (; i < length; i++) if (view.getUint8(one + i) !== view.getUint8(other + i)) return false;
    return true;
  }

  /** Numbers of value sets begin at 0 again. They do not outlive the input. */
  forgetSets(): void {
    this.ints[SETS] = 0;
    this.bytes.fill(0, TABLE, TABLE + TABLE_BYTES);
  }
}

export const scratch = new Scratch();
