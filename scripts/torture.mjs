// Builds the product and the crash harness into a folder of their own and runs it:
//   npm run torture -- --seed 1 --count 50 [--jobs 2] [--verbose] [--keep] [--seeds 3,17] [--plan FILE]…
// A run that failed is replayed by its seed, or by its plan; those of bugs that were found are in test/torture/regressions.
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const built = mkdtempSync(join(tmpdir(), 'taffrail-torture-build-'));
process.exitCode = await main().finally(() => rmSync(built, { recursive: true, force: true }));

async function main() {
  for (const folder of ['node_modules', 'parsers']) symlinkSync(join(root, folder), join(built, folder));
  node(join(root, 'scripts/build.mjs'), join(built, 'dist'));
  writeFileSync(
    join(built, 'tsconfig.json'),
    JSON.stringify({
      extends: join(root, 'tsconfig.json'),
      compilerOptions: { noEmit: false, rootDir: root, outDir: join(built, 'driver') },
      include: [join(root, 'test/torture')],
    }),
  );
  node(join(root, 'node_modules/typescript/bin/tsc'), '-p', join(built, 'tsconfig.json'));
  cpSync(join(root, 'package.json'), join(built, 'package.json'));
  cpSync(join(root, 'bin'), join(built, 'bin'), { recursive: true });
  const args = [
    join(built, 'driver/test/torture/main.js'),
    '--binary',
    join(built, 'dist/program/main.js'),
    '--source',
    join(root, 'src'),
  ];
  const child = spawn(process.execPath, [...args, ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  return new Promise((resolve) => {
    child.on('close', (code) => resolve(code ?? 1));
  });
}

function node(...args) {
  spawnSync(process.execPath, args, { stdio: 'inherit' });
}
