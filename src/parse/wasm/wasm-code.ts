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
  readonly #bytes: number[] = [];
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

  /** What ends in F is about f64. */
  loadF(offset = 0): this {
    return this.#op(0x2b).#memory(offset);
  }

  storeF(offset = 0): this {
    return this.#op(0x39).#memory(offset);
  }

  constF(value: number): this {
    this.#op(0x44);
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setFloat64(0, value, true);
    this.#bytes.push(...bytes);
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

  constV(bytes: ArrayLike<number>): this {
    this.#vector(0x0c);
    for (let i = 0; i < 16; i++) this.#bytes.push(bytes[i]!);
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

  xorV(): this {
    return this.#vector(0x51);
  }

  anyTrue(): this {
    return this.#vector(0x53);
  }

  /** The highest bit of each byte, that of the first byte lowest. */
  bitmask(): this {
    return this.#vector(0x64);
  }

  /** Each byte, as an unsigned number; the count comes from the stack. */
  shrV(): this {
    return this.#vector(0x6d);
  }

  addV(): this {
    return this.#vector(0x6e);
  }

  subV(): this {
    return this.#vector(0x71);
  }

  /** As it stands in a code section. */
  finish(): number[] {
    const locals = this.#types.flatMap((type) => [1, type]);
    const body = [...unsigned(this.#types.length), ...locals, ...this.#bytes, 0x0b];
    return [...unsigned(body.length), ...body];
  }

  #nested(opcode: number, body: (label: Label) => void): this {
    this.#op(opcode).#op(EMPTY);
    body(++this.#depth as Label);
    this.#depth--;
    return this.#op(0x0b);
  }

  #op(opcode: number): this {
    this.#bytes.push(opcode);
    return this;
  }

  #vector(opcode: number): this {
    this.#bytes.push(0xfd, ...unsigned(opcode));
    return this;
  }

  /** No alignment is promised. */
  #memory(offset: number): this {
    return this.#op(0).#unsigned(offset);
  }

  #unsigned(value: number): this {
    this.#bytes.push(...unsigned(value));
    return this;
  }

  #signed(value: number): this {
    this.#bytes.push(...signed(value));
    return this;
  }
}

export interface WasmFunction {
  readonly name: string;
  readonly parameters: number;
  readonly code: WasmCode;
}

/** A module of functions that take and give i32, over the memory that they import as `m.m`. */
export function wasmModule(functions: readonly WasmFunction[]): Uint8Array<ArrayBuffer> {
  const types = functions.map(({ parameters }) => {
    const list = Array.from({ length: parameters }, () => I32);
    return [0x60, ...unsigned(parameters), ...list, 1, I32];
  });
  const exported = functions.map(({ name }, n) => [...text(name), 0, ...unsigned(n)]);
  return Uint8Array.from([
    ...HEAD,
    ...section(1, types),
    ...section(2, [[...text('m'), ...text('m'), 2, 0, 0]]),
    ...section(
      3,
      functions.map((_, n) => unsigned(n)),
    ),
    ...section(7, exported),
    ...section(
      10,
      functions.map(({ code }) => code.finish()),
    ),
  ]);
}

/** The magic number and the version. */
const HEAD = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const I32 = 0x7f;
const TYPES = { i32: I32, f64: 0x7c, v128: 0x7b };
const EMPTY = 0x40;

function section(id: number, items: readonly (readonly number[])[]): number[] {
  const content = [...unsigned(items.length), ...items.flat()];
  return [id, ...unsigned(content.length), ...content];
}

function text(name: string): number[] {
  const bytes = Buffer.from(name);
  return [...unsigned(bytes.length), ...bytes];
}

/** LEB128. */
function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value >>> 0;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return bytes;
}

function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value | 0;
  for (; rest < -64 || rest > 63; rest >>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest & 0x7f);
  return bytes;
}
