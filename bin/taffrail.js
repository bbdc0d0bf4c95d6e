#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';

// Keeps V8's nursery at its first size, before loading makes it grow: it would stay at 16 MiB a half, which a program
// that lives for months beside others should not hold.
if (process.argv[2] === 'agent') setFlagsFromString('--semi-space-growth-factor=1');

const main = new URL('../dist/main.js', import.meta.url);
if (!existsSync(main)) {
  process.stderr.write('taffrail: not built yet; run `npm run build` in the checkout first\n');
  process.exit(2);
}
await import(main.href);
