#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';

// Keeps V8's nursery at its first size, before loading makes it grow: it would stay at 16 MiB a half, which an agent that
// lives for months beside others should not hold. The collector has its machine for itself, and takes half the time with
// a nursery that grows.
if (process.argv[2] === 'agent') setFlagsFromString('--semi-space-growth-factor=1');
// Between two full collections the heap, and the buffers that hang on it, grow by this much and not up to fourfold.
if (process.argv[2] === 'agent') setFlagsFromString('--heap-growing-percent=30');
// The HTTP client's parser is WebAssembly. Optimised, it is no faster at what it gets from us, and the optimiser takes
// 35 MiB for its largest function.
for (const flag of ['--no-wasm-dynamic-tiering', '--no-wasm-tier-up']) setFlagsFromString(flag);

const main = new URL('../dist/program/main.js', import.meta.url);
if (!existsSync(main)) {
  process.stderr.write('taffrail: not built yet; run `npm run build` in the checkout first\n');
  process.exit(2);
}
await import(main.href);
