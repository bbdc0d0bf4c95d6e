// Compiles src/ to dist/, puts what is not TypeScript (the web page) beside it, and makes of each program one that loads
// in a few files with all that it needs: it starts in half the time, and holds eight MiB less. `npm run build` or
// `node scripts/build.mjs DIR`. The old folder stays in place until the new one is whole, so that what runs from it is
// not disturbed. Types are checked by `npm run typecheck`.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));
const target = resolve(process.argv[2] ?? join(root, 'dist'));
const fresh = `${target}.${process.pid}.new`;
const old = `${target}.${process.pid}.old`;

/** Each program, and where it is loaded from. Threads are found by their modules' own names. */
const PROGRAMS = {
  'main.js': 'program/main.js',
  'agent/scan-worker.js': 'agent/scan-worker.js',
  'collect/store/store-worker.js': 'collect/store/store-worker.js',
  'collect/samples/head-worker.js': 'collect/samples/head-worker.js',
  'collector/query-worker.js': 'collector/query-worker.js',
};
/** Brings a program of its own for each platform. */
const EXTERNAL = [/^@photostructure\//];

try {
  compile();
  cpSync(join(root, 'src/collect/page'), join(fresh, 'collect/page'), { recursive: true });
  const packages = await bundle();
  writeFileSync(join(fresh, 'program/THIRD-PARTY-LICENSES.txt'), licenses(packages));
  replace();
} finally {
  rmSync(fresh, { recursive: true, force: true });
}

function compile() {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const { status } = spawnSync(
    process.execPath,
    [tsc, '-p', join(root, 'tsconfig.build.json'), '--noCheck', '--outDir', fresh],
    { stdio: 'inherit' },
  );
  if (status !== 0) throw new Error('src/ does not compile');
}

/** Gives the folders of the packages that went into the programs. */
async function bundle() {
  const bundled = join(fresh, 'bundled');
  const found = new Set();
  for (const [module, program] of Object.entries(PROGRAMS)) {
    const folder = dirname(program);
    const build = await rolldown({
      input: join(fresh, module),
      platform: 'node',
      external: EXTERNAL,
      plugins: [ownUrls(join(fresh, folder))],
    });
    const { output } = await build.write({
      dir: join(bundled, folder),
      format: 'esm',
      entryFileNames: '[name].js',
      chunkFileNames: '[name]-[hash].js',
      minify: { compress: false, mangle: false, codegen: { removeWhitespace: true } },
    });
    for (const { moduleIds = [] } of output) for (const id of moduleIds) found.add(packageOf(id));
  }
  cpSync(bundled, fresh, { recursive: true });
  rmSync(bundled, { recursive: true });
  found.delete(undefined);
  return [...found].toSorted((one, other) => (one < other ? -1 : 1));
}

/** A module still finds what lies beside it: its `import.meta.url` stays what it was, as seen from the program's folder. */
function ownUrls(folder) {
  return {
    name: 'own-urls',
    transform(code, id) {
      if (!id.startsWith(fresh + sep) || !code.includes('import.meta.url')) return undefined;
      const path = JSON.stringify(relative(folder, id).replaceAll(sep, '/'));
      return code.replaceAll('import.meta.url', `new URL(${path}, import.meta.url).href`);
    },
  };
}

/** Undefined for what is our own. */
function packageOf(id) {
  if (id.startsWith(fresh + sep)) return undefined;
  const at = id.lastIndexOf(`${sep}node_modules${sep}`);
  if (at < 0) return undefined;
  const [scope, name] = id.slice(at + '/node_modules/'.length).split(sep);
  return join(id.slice(0, at), 'node_modules', scope.startsWith('@') ? join(scope, name) : scope);
}

function licenses(folders) {
  const texts = folders.map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const files = readdirSync(folder).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file));
    const text = files.toSorted().map((file) => readFileSync(join(folder, file), 'utf8').trim());
    return [`${name} ${version}, ${license}`, ...text].join('\n\n');
  });
  return `The programs in this folder contain these packages.\n\n${texts.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`;
}

function replace() {
  if (existsSync(target)) renameSync(target, old);
  renameSync(fresh, target);
  rmSync(old, { recursive: true, force: true });
}
