import type { Local, WasmCode } from './wasm-code.ts';

/** By byte: 1 where it is a member. Bytes beyond ASCII, NUL and line ends never are. */
export type ByteSet = Uint8Array;

/** Beyond so many ranges, comparing with each costs more than two look-ups. */
const RANGES_MAX = 5;
const WIDTH = 16;

/** Leaves a vector on the stack that is all ones where a byte of `vector` is no member. */
export function strangers(code: WasmCode, vector: Local, set: ByteSet): void {
  const ranges = strangerRanges(set);
  if (ranges.length > RANGES_MAX) return lookUp(code, vector, set);
  for (const [n, [from, to]] of ranges.entries()) {
    if (from === 0 && to === 0x7f) {
      // A set without members.
      code.constV(all(0xff));
      return;
    }
    code.get(vector);
    // As a signed number, a byte beyond ASCII is less than any.
    if (from === 0) code.constV(all(to + 1)).ltSignedV();
    else if (from === to) code.constV(all(from)).eqV();
    else if (to === 0x7f) code.constV(all(from - 1)).gtSignedV();
    else
      code
        .constV(all(from))
        .subV()
        .constV(all(to - from + 1))
        .ltV();
    if (n > 0) code.orV();
  }
}

/** Moves `at` on while there are members; reads up to fifteen bytes more. */
export function passMembers(code: WasmCode, at: Local, set: ByteSet, vector: Local, mask: Local): void {
  code.loop((more) => {
    code.get(at).loadV().set(vector);
    strangers(code, vector, set);
    code.bitmask().tee(mask).eqz();
    code.if(() => code.get(at).const(WIDTH).add().set(at).br(more));
  });
  code.get(mask).ctz().get(at).add().set(at);
}

/** The most that `passMembersAtMost` can be asked for. */
export const SOME_MAX = WIDTH;

/** The same for `max` members at most. */
export function passMembersAtMost(code: WasmCode, at: Local, set: ByteSet, max: number, vector: Local): void {
  code.get(at).loadV().set(vector);
  strangers(code, vector, set);
  code
    .bitmask()
    .const(1 << max)
    .or()
    .ctz()
    .get(at)
    .add()
    .set(at);
}

/** Two look-ups for each byte: which high halves go with its low half, and which one it has. */
function lookUp(code: WasmCode, vector: Local, set: ByteSet): void {
  const byLow = new Uint8Array(WIDTH);
  for (let byte = 0; byte < 0x80; byte++) if (set[byte] === 1) byLow[byte & 15]! |= 1 << (byte >> 4);
  const byHigh = Uint8Array.from({ length: WIDTH }, (_, high) => (high < 8 ? 1 << high : 0));
  code.constV(byLow).get(vector).constV(all(0x0f)).andV().swizzle();
  code.constV(byHigh).get(vector).const(4).shrV().swizzle();
  code.andV().constV(all(0)).eqV();
}

function strangerRanges(set: ByteSet): [from: number, to: number][] {
  const ranges: [number, number][] = [];
  for (let byte = 0; byte < 0x80; byte++) {
    if (set[byte] === 1) continue;
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === byte - 1) last[1] = byte;
    else ranges.push([byte, byte]);
  }
  return ranges;
}

function all(byte: number): Uint8Array {
  return new Uint8Array(WIDTH).fill(byte);
}
