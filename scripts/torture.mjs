// Builds the product and the crash harness into a folder of their own and runs it:
//   npm run torture -- --seed 1 --count 50 [--jobs 2] [--verbose] [--keep] [--seeds 3,17] [--plan FILE]…
// A run that failed is replayed by its seed, or by its plan; those of bugs that were found are in test/torture/regressions.
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, copyFileSync, existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const built = mkdtempSync(join(tmpdir(), 'taffrail-torture-build-'));
process.exitCode = await main().finally(() => rmSync(built, { recursive: true, force: true }));

async function main() {
  compile(['-p', join(root, 'tsconfig.build.json'), '--outDir', join(built, 'dist')]);
  writeFileSync(
    join(built, 'tsconfig.json'),
    JSON.stringify({
      extends: join(root, 'tsconfig.json'),
      compilerOptions: { noEmit: false, rootDir: join(root, 'test/torture'), outDir: join(built, 'driver') },
      include: [join(root, 'test/torture')],
    }),
  );
  for (const folder of ['node_modules', 'parsers']) symlinkSync(join(root, folder), join(built, folder));
  compile(['-p', join(built, 'tsconfig.json')]);
  cpSync(join(root, 'package.json'), join(built, 'package.json'));
  cpSync(join(root, 'bin'), join(built, 'bin'), { recursive: true });
  cpSync(join(root, 'src/collect/page'), join(built, 'dist/collect/page'), { recursive: true });
  await bundle();
  const args = [
    join(built, 'driver/main.js'),
    '--binary',
    join(built, 'dist/main.js'),
    '--source',
    join(root, 'src'),
  ];
  const child = spawn(process.execPath, [...args, ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  return new Promise((resolve) => {
    child.on('close', (code) => resolve(code ?? 1));
  });
}

function compile(args) {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  spawnSync(process.execPath, [tsc, ...args], { stdio: 'inherit' });
}

/** Thousands of starts: one file for each program starts in two thirds of the time. Without the bundler it goes without. */
async function bundle() {
  const at = join(root, 'node_modules/rolldown/dist/index.mjs');
  if (!existsSync(at)) return;
  const { rolldown } = await import(pathToFileURL(at).href);
  const here = {
    name: 'here',
    transform: (code, id) =>
      id.startsWith(join(built, 'dist')) && code.includes('import.meta.url')
        ? code.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(id).href))
        : undefined,
  };
  const programs = ['main.js', 'collect/store/store-worker.js', 'agent/scan-worker.js'];
  for (const program of programs) {
    const bundled = await rolldown({
      input: join(built, 'dist', program),
      platform: 'node',
      external: [/^@photostructure/],
      logLevel: 'silent',
      plugins: [here],
    });
    await bundled.write({
      file: join(built, 'bundled', program),
      format: 'esm',
      minify: true,
      codeSplitting: false,
    });
  }
  for (const program of programs) copyFileSync(join(built, 'bundled', program), join(built, 'dist', program));
}
