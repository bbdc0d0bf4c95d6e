import { setFlagsFromString } from 'node:v8';
import { scratch } from './scratch.ts';
import { wasmModule } from './wasm-code.ts';
import type { WasmCode } from './wasm-code.ts';

export type WasmFunction = (this: void, ...parameters: number[]) => number;

/** A function over the memory of `scratch`, where no other is given. */
export function compileWasm(
  name: string,
  parameters: number,
  code: WasmCode,
  memory = scratch.memory,
): WasmFunction {
  const module = new WebAssembly.Module(wasmModule(name, parameters, code));
  return new WebAssembly.Instance(module, { m: { m: memory } }).exports[name]!;
}

/**
 * The same for a tight loop, by V8's optimising compiler, which makes it three times as fast. V8 would come to that by
 * itself, were it not kept from it for the sake of memory: see bin/taffrail.js.
 */
export function compileLoop(
  name: string,
  parameters: number,
  code: WasmCode,
  memory = scratch.memory,
): WasmFunction {
  for (const flag of ['--no-liftoff', '--no-wasm-lazy-compilation']) setFlagsFromString(flag);
  try {
    return compileWasm(name, parameters, code, memory);
  } finally {
    for (const flag of ['--liftoff', '--wasm-lazy-compilation']) setFlagsFromString(flag);
  }
}
