import { compileLoop, compileWasm } from './compile-wasm.ts';
import type { WasmFunction } from './compile-wasm.ts';
import type { WasmCode } from './wasm-code.ts';

/** Of larger code the optimising compiler takes too much memory, and gains little. */
const SIZE_MAX = 24 * 1024;

/**
 * A function over `scratch` that V8's optimising compiler makes anew once it has done enough to be worth it: that takes a
 * millisecond and some hundred KiB for each KiB of code, which is too much for all that is there and seldom asked.
 */
export class BusyCode {
  run: WasmFunction;
  /** Undefined once it was, or where it never will be. */
  #optimise: (() => WasmFunction) | undefined;
  #left: number;

  /** `enough` is in whatever unit `did` is told. */
  constructor(name: string, parameters: number, code: WasmCode, enough: number) {
    this.run = compileWasm(name, parameters, code);
    this.#left = enough;
    // By another name: V8 knows a module again by its bytes, and gives what it has of it.
    if (code.size <= SIZE_MAX) this.#optimise = () => compileLoop(`busy ${name}`, parameters, code);
  }

  did(amount: number): void {
    if (this.#optimise === undefined) return;
    this.#left -= amount;
    if (this.#left > 0) return;
    this.run = this.#optimise();
    this.#optimise = undefined;
  }
}
