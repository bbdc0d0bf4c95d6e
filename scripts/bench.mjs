// Compiles bench/ to a folder of its own and measures the whole agent, as a process, beside baselines in the same run.
// `npm run bench [-- A B C D E idle durability tail-file samples search] [--mib 128] [--records 2000000]`; without names, all of them.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
// Within the checkout, so that the libraries are found.
const out = `${root}node_modules/.cache/taffrail-bench`;
const config = `${out}.json`;
mkdirSync(dirname(out), { recursive: true });
rmSync(out, { recursive: true, force: true });
const run = (...args) => spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' }).status ?? 1;
let status = run('scripts/build.mjs');
if (status === 0) {
  const compilerOptions = { rootDir: root, outDir: out };
  writeFileSync(
    config,
    JSON.stringify({ extends: `${root}tsconfig.build.json`, compilerOptions, include: [`${root}bench`] }),
  );
  status = run('node_modules/typescript/bin/tsc', '-p', config, '--noCheck');
}
process.exit(status === 0 ? run(`${out}/bench/whole/run.js`, ...process.argv.slice(2)) : status);
