import { expect, test } from 'vitest';
import { BusyCode } from '../../src/wasm/busy-code.ts';
import { WasmCode } from '../../src/wasm/wasm-code.ts';

/** Adds one to its parameter, after so many instructions that do nothing. */
function addOne(idle = 0): WasmCode {
  const code = new WasmCode(1);
  for (let n = 0; n < idle; n++) code.get(code.parameter(0)).set(code.parameter(0));
  code.get(code.parameter(0)).const(1).add();
  return code;
}

test('code is made anew once it has done enough, and does the same', () => {
  const busy = new BusyCode('add', 1, addOne(), 100);
  const first = busy.run;
  busy.did(99);
  expect(busy.run).toBe(first);
  busy.did(1);
  const second = busy.run;
  expect(second).not.toBe(first);
  expect([first(41), second(41)]).toEqual([42, 42]);
  busy.did(1000);
  expect(busy.run).toBe(second);
});

test('large code stays as it is', () => {
  const busy = new BusyCode('add', 1, addOne(7000), 1);
  const first = busy.run;
  busy.did(1);
  expect(busy.run).toBe(first);
  expect(first(41)).toBe(42);
});
