import { ByteWriter } from '../model/byte-writer.ts';

/** A local of a function, by its number; parameters come first. */
export type Local = number & { readonly local: unique symbol };
/** A block that is open: branching to a loop begins it anew, branching to any other leaves it. */
export type Label = number & { readonly label: unique symbol };

/**
 * The body of one WebAssembly function, written instruction by instruction. Names follow the text format; all
 * parameters are i32. https://webassembly.github.io/spec/core/binary/
 */
export class WasmCode {
  readonly #parameters: number;
  readonly #bytes = new ByteWriter();
  readonly #types: number[] = [];
  #depth = 0;

  constructor(parameters: number) {
    this.#parameters = parameters;
  }

  parameter(n: number): Local {
    return n as Local;
  }

  local(type: keyof typeof TYPES = 'i32'): Local {
    return (this.#parameters + this.#types.push(TYPES[type]) - 1) as Local;
  }

  /** How many bytes the instructions take so far. */
  get size(): number {
    return this.#bytes.length;
  }

  get(local: Local): this {
    return this.#op(0x20).#unsigned(local);
  }

  set(local: Local): this {
    return this.#op(0x21).#unsigned(local);
  }

  tee(local: Local): this {
    return this.#op(0x22).#unsigned(local);
  }

  const(value: number): this {
    return this.#op(0x41).#signed(value);
  }

  block(body: (label: Label) => void): this {
    return this.#nested(0x02, body);
  }

  loop(body: (label: Label) => void): this {
    return this.#nested(0x03, body);
  }

  /** Takes the condition from the stack. */
  if(body: (label: Label) => void): this {
    return this.#nested(0x04, body);
  }

  br(label: Label): this {
    return this.#op(0x0c).#unsigned(this.#depth - label);
  }

  brIf(label: Label): this {
    return this.#op(0x0d).#unsigned(this.#depth - label);
  }

  return(): this {
    return this.#op(0x0f);
  }

  load(offset = 0): this {
    return this.#op(0x28).#memory(offset);
  }

  load8(offset = 0): this {
    return this.#op(0x2d).#memory(offset);
  }

  load16(offset = 0): this {
    return this.#op(0x2f).#memory(offset);
  }

  store(offset = 0): this {
    return this.#op(0x36).#memory(offset);
  }

  /** Its lowest byte. */
  store8(offset = 0): this {
    return this.#op(0x3a).#memory(offset);
  }

  store16(offset = 0): this {
    return this.#op(0x3b).#memory(offset);
  }

  /** Takes the address to copy to, that to copy from and how many bytes; the two may overlap. */
  copy(): this {
    return this.#op(0xfc).#unsigned(0x0a).#op(0).#op(0);
  }

  eqz(): this {
    return this.#op(0x45);
  }

  eq(): this {
    return this.#op(0x46);
  }

  ne(): this {
    return this.#op(0x47);
  }

  ltS(): this {
    return this.#op(0x48);
  }

  ltU(): this {
    return this.#op(0x49);
  }

  gtS(): this {
    return this.#op(0x4a);
  }

  gtU(): this {
    return this.#op(0x4b);
  }

  geS(): this {
    return this.#op(0x4e);
  }

  geU(): this {
    return this.#op(0x4f);
  }

  clz(): this {
    return this.#op(0x67);
  }

  ctz(): this {
    return this.#op(0x68);
  }

  popcnt(): this {
    return this.#op(0x69);
  }

  add(): this {
    return this.#op(0x6a);
  }

  sub(): this {
    return this.#op(0x6b);
  }

  mul(): this {
    return this.#op(0x6c);
  }

  divU(): this {
    return this.#op(0x6e);
  }

  remU(): this {
    return this.#op(0x70);
  }

  and(): this {
    return this.#op(0x71);
  }

  or(): this {
    return this.#op(0x72);
  }

  xor(): this {
    return this.#op(0x73);
  }

  shl(): this {
    return this.#op(0x74);
  }

  shrU(): this {
    return this.#op(0x76);
  }

  /** What ends in L is about i64. */
  loadL(offset = 0): this {
    return this.#op(0x29).#memory(offset);
  }

  storeL(offset = 0): this {
    return this.#op(0x37).#memory(offset);
  }

  /** A number is one of 32 bits, with its sign. */
  constL(value: number | bigint): this {
    if (typeof value === 'number') return this.#op(0x42).#signed(value);
    let rest = BigInt.asIntN(64, value);
    this.#op(0x42);
    for (; rest < -64n || rest > 63n; rest >>= 7n) this.#op(Number(rest & 0x7fn) | 0x80);
    return this.#op(Number(rest & 0x7fn));
  }

  eqzL(): this {
    return this.#op(0x50);
  }

  eqL(): this {
    return this.#op(0x51);
  }

  neL(): this {
    return this.#op(0x52);
  }

  ctzL(): this {
    return this.#op(0x7a);
  }

  mulL(): this {
    return this.#op(0x7e);
  }

  divUL(): this {
    return this.#op(0x80);
  }

  remUL(): this {
    return this.#op(0x82);
  }

  orL(): this {
    return this.#op(0x84);
  }

  xorL(): this {
    return this.#op(0x85);
  }

  shlL(): this {
    return this.#op(0x86);
  }

  shrUL(): this {
    return this.#op(0x88);
  }

  /** Of an unsigned i32. */
  extendL(): this {
    return this.#op(0xad);
  }

  /** Leaves the lower half, an i32. */
  wrapL(): this {
    return this.#op(0xa7);
  }

  /** What ends in F is about f64. */
  loadF(offset = 0): this {
    return this.#op(0x2b).#memory(offset);
  }

  storeF(offset = 0): this {
    return this.#op(0x39).#memory(offset);
  }

  constF(value: number): this {
    this.#op(0x44);
    this.#bytes.double(value);
    return this;
  }

  addF(): this {
    return this.#op(0xa0);
  }

  mulF(): this {
    return this.#op(0xa2);
  }

  divF(): this {
    return this.#op(0xa3);
  }

  /** Leaves an i32. */
  eqF(): this {
    return this.#op(0x61);
  }

  /** Leaves an unsigned i32: what lies beyond is its least or its most. */
  truncateF(): this {
    return this.#op(0xfc).#unsigned(0x03);
  }

  /** Leaves an i32. */
  ltF(): this {
    return this.#op(0x63);
  }

  /** Of an unsigned i32. */
  convertF(): this {
    return this.#op(0xb8);
  }

  /** Sixteen bytes from an address on, aligned or not. */
  loadV(offset = 0): this {
    return this.#vector(0x00).#memory(offset);
  }

  storeV(offset = 0): this {
    return this.#vector(0x0b).#memory(offset);
  }

  constV(bytes: ArrayLike<number>): this {
    this.#vector(0x0c);
    for (let i = 0; i < 16; i++) this.#bytes.uint8(bytes[i]!);
    return this;
  }

  /** Bytes of the first vector, by the numbers in the second; 0 for a number beyond 15. */
  swizzle(): this {
    return this.#vector(0x0e);
  }

  eqV(): this {
    return this.#vector(0x23);
  }

  ltSignedV(): this {
    return this.#vector(0x25);
  }

  ltV(): this {
    return this.#vector(0x26);
  }

  gtSignedV(): this {
    return this.#vector(0x27);
  }

  andV(): this {
    return this.#vector(0x4e);
  }

  orV(): this {
    return this.#vector(0x50);
  }

  /** The highest bit of each byte, that of the first byte lowest. */
  bitmask(): this {
    return this.#vector(0x64);
  }

  /** Each byte, as an unsigned number; the count comes from the stack. */
  shrV(): this {
    return this.#vector(0x6d);
  }

  subV(): this {
    return this.#vector(0x71);
  }

  /** As it stands in a code section. */
  writeTo(out: ByteWriter): void {
    const start = out.beginSized();
    out.varint(this.#types.length);
    for (const type of this.#types) {
      out.uint8(1);
      out.uint8(type);
    }
    out.raw(this.#bytes.bytes.subarray(0, this.#bytes.length));
    out.uint8(END);
    out.endSized(start);
  }

  #nested(opcode: number, body: (label: Label) => void): this {
    this.#op(opcode).#op(EMPTY);
    body(++this.#depth as Label);
    this.#depth--;
    return this.#op(END);
  }

  #op(opcode: number): this {
    this.#bytes.uint8(opcode);
    return this;
  }

  #vector(opcode: number): this {
    return this.#op(0xfd).#unsigned(opcode);
  }

  /** No alignment is promised. */
  #memory(offset: number): this {
    return this.#op(0).#unsigned(offset);
  }

  #unsigned(value: number): this {
    this.#bytes.varint(value);
    return this;
  }

  #signed(value: number): this {
    let rest = value | 0;
    for (; rest < -64 || rest > 63; rest >>= 7) this.#op((rest & 0x7f) | 0x80);
    return this.#op(rest & 0x7f);
  }
}

/** A module of one function that takes and gives i32, over the memory that it imports as `m.m`. */
export function wasmModule(name: string, parameters: number, code: WasmCode): Uint8Array<ArrayBuffer> {
  const out = new ByteWriter();
  const text = (value: string): void => out.string(value);
  // Each section has a list of one.
  const section = (id: number, write: () => void): void => {
    out.uint8(id);
    const start = out.beginSized();
    out.uint8(1);
    write();
    out.endSized(start);
  };
  out.raw(HEAD);
  section(1, () =>
    out.raw(Uint8Array.of(0x60, parameters, ...Array.from({ length: parameters }, () => I32), 1, I32)),
  );
  section(2, () => {
    text('m');
    text('m');
    out.raw(Uint8Array.of(2, 0, 0));
  });
  section(3, () => out.uint8(0));
  section(7, () => {
    text(name);
    out.raw(Uint8Array.of(0, 0));
  });
  section(10, () => code.writeTo(out));
  return new Uint8Array(out.bytes.subarray(0, out.length));
}

/** The magic number and the version. */
const HEAD = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
const I32 = 0x7f;
const TYPES = { i32: I32, i64: 0x7e, f64: 0x7c, v128: 0x7b };
const EMPTY = 0x40;
const END = 0x0b;
