// Compiles src/ to dist/ and copies what is not TypeScript (the web page) beside it. The old dist/ stays in place
// until the new one is whole, so that what runs from it is not disturbed. Types are checked by `npm run typecheck`.
import { spawnSync } from 'node:child_process';
import { cpSync, renameSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const fresh = `${root}dist.${process.pid}.new`;
const old = `${root}dist.${process.pid}.old`;
const tsc = `${root}node_modules/typescript/bin/tsc`;
const { status } = spawnSync(
  process.execPath,
  [tsc, '-p', `${root}tsconfig.build.json`, '--noCheck', '--outDir', fresh],
  {
    stdio: 'inherit',
  },
);
if (status !== 0) {
  rmSync(fresh, { recursive: true, force: true });
  process.exit(status ?? 1);
}
cpSync(`${root}src/collect/page`, `${fresh}/collect/page`, { recursive: true });
try {
  renameSync(`${root}dist`, old);
} catch (error) {
  if (error.code !== 'ENOENT') throw error;
}
renameSync(fresh, `${root}dist`);
rmSync(old, { recursive: true, force: true });
