import { compileLoop } from './compile-wasm.ts';
import { READ_BEYOND } from './scratch.ts';
import type { Local } from './wasm-code.ts';
import { WasmCode } from './wasm-code.ts';

const WIDTH = 16;
const NEWLINE = 0x0a;

/** In `scratch.ints`, after a count: not 0 if there are bytes that are not ASCII, or NUL. */
export const STRANGE = 0;

/** How many newlines there are between two addresses in `scratch`. */
export const countNewlines: (this: void, from: number, to: number) => number = lazily(() => {
  const code = new WasmCode(2);
  const at = code.parameter(0);
  const to = code.parameter(1);
  const count = code.local();
  const bytes = code.local('v128');
  const strange = code.local('v128');
  // The highest bit of a byte says that it is not plain.
  const look = (): void => {
    code.get(bytes).constV(all(0)).eqV().get(bytes).orV();
  };
  const newlines = (): void => {
    code.get(bytes).constV(all(NEWLINE)).eqV().bitmask();
  };
  code.block((rest) => {
    code.loop((more) => {
      code.get(at).const(WIDTH).add().get(to).gtU().brIf(rest);
      code.get(at).loadV().set(bytes);
      look();
      code.get(strange).orV().set(strange);
      newlines();
      code.popcnt().get(count).add().set(count);
      code.get(at).const(WIDTH).add().set(at).br(more);
    });
  });
  const left = code.local();
  code.const(1).get(to).get(at).sub().shl().const(1).sub().set(left);
  code.get(at).loadV().set(bytes);
  newlines();
  code.get(left).and().popcnt().get(count).add().set(count);
  look();
  code.bitmask().get(left).and().get(strange).bitmask().or().set(left);
  code.const(STRANGE).get(left).store().get(count);
  return compileLoop('count', 2, code);
});

/** Gives the address of the first occurrence that lies between two addresses, or the second of them. */
export type Find = (this: void, from: number, to: number) => number;

/** Searches for three bytes or more; no more than the first of them count if they are very many. */
export function compileFind(wanted: Uint8Array): Find {
  const needle = wanted.subarray(0, READ_BEYOND - WIDTH);
  const code = new WasmCode(2);
  const at = code.parameter(0);
  const to = code.parameter(1);
  const found = code.local();
  const mask = code.local();
  const last = needle.length - 1;
  code.block((none) => {
    code.loop((more) => {
      code.get(at).get(to).geU().brIf(none);
      code.get(at).loadV().constV(all(needle[0]!)).eqV();
      code.get(at).loadV(last).constV(all(needle[last]!)).eqV().andV().bitmask().set(mask);
      code.loop((again) => {
        code.get(mask).eqz();
        code.if(() => code.get(at).const(WIDTH).add().set(at).br(more));
        code.get(at).get(mask).ctz().add().tee(found).const(needle.length).add().get(to).gtU().brIf(none);
        code.block((other) => {
          differs(code, found, needle, () => code.brIf(other));
          code.get(found).return();
        });
        code.get(mask).const(1).sub().get(mask).and().set(mask).br(again);
      });
    });
  });
  code.get(to);
  return compileLoop('find', 2, code);
}

/** Leaves 1 on the stack before each `then` where a part of the needle but its ends is not there. */
function differs(code: WasmCode, at: Local, needle: Uint8Array, then: () => void): void {
  const view = new DataView(needle.buffer, needle.byteOffset, needle.length);
  const last = needle.length - 1;
  let n = 1;
  for (; n + 4 <= last; n += 4) {
    code.get(at).load(n).const(view.getInt32(n, true)).ne();
    then();
  }
  for (; n < last; n++) {
    code.get(at).load8(n).const(needle[n]!).ne();
    then();
  }
}

function all(byte: number): Uint8Array {
  return new Uint8Array(WIDTH).fill(byte);
}

/** Made when it is needed first. */
function lazily<Parameters extends unknown[], Result>(
  make: () => (...parameters: Parameters) => Result,
): (...parameters: Parameters) => Result {
  let made: ((...parameters: Parameters) => Result) | undefined;
  return (...parameters) => (made ??= make())(...parameters);
}
