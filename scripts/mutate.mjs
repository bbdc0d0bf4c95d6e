// Changes the source in small ways, one at a time, and counts which of the changes a unit test notices (Stryker with
// vitest). `npm run mutate -- src/buffer` or a single file; without a path, the four areas that must not lose a line.
// It goes file by file and keeps each result in node_modules/.cache/mutate, so that a run that was stopped goes on where
// it was: a file is taken again when it or a test of its area has changed. `--survivors` lists what no test noticed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const cache = join(root, 'node_modules/.cache/mutate');
const AREAS = ['src/buffer', 'src/tail', 'src/hooks', 'src/sinks'];

const words = process.argv.slice(2);
const showSurvivors = words.includes('--survivors');
const paths = words.filter((word) => !word.startsWith('--'));
const files = (paths.length === 0 ? AREAS : paths).flatMap(filesUnder);
if (files.length === 0) {
  complain(`no source files under ${paths.join(' ')}; give a folder or a file of src/`);
  process.exit(2);
}

const results = files.map((file) => [file, resultOf(file)]);
report(results);
if (results.some(([, result]) => result === undefined)) process.exitCode = 1;

function filesUnder(path) {
  const from = join(root, path);
  if (!existsSync(from)) return [];
  if (statSync(from).isFile()) return [relative(root, from)];
  return readdirSync(from, { recursive: true })
    .filter((name) => name.endsWith('.ts'))
    .toSorted((a, b) => (a < b ? -1 : 1))
    .map((name) => relative(root, join(from, name)));
}

/** `[killed, of]`, or undefined where the tests did not run. */
function resultOf(file) {
  const kept = join(cache, `${file}.json`);
  const key = keyOf(file);
  const known = existsSync(kept) ? JSON.parse(readFileSync(kept, 'utf8')) : undefined;
  if (known?.key === key) return known;
  const startedMs = Date.now();
  const report = runStryker(file);
  if (report === undefined) {
    complain(`${file}: the tests could not be run on it`);
    return undefined;
  }
  const mutants = Object.values(report.files)[0]?.mutants ?? [];
  const counted = mutants.filter(({ status }) => !['Ignored', 'CompileError', 'Pending'].includes(status));
  const noticed = counted.filter(({ status }) => ['Killed', 'Timeout', 'RuntimeError'].includes(status));
  const survivors = counted.filter((mutant) => !noticed.includes(mutant));
  const result = {
    key,
    killed: noticed.length,
    of: counted.length,
    survivors: survivors.map(({ status, location, mutatorName, replacement }) => ({
      status,
      line: location.start.line,
      column: location.start.column,
      mutatorName,
      replacement,
    })),
  };
  mkdirSync(dirname(kept), { recursive: true });
  writeFileSync(kept, JSON.stringify(result));
  complain(`${file}: ${result.killed} of ${result.of}, ${Math.round((Date.now() - startedMs) / 1000)} s`);
  return result;
}

/** Of the file and the unit tests of its area, which are those that are run. */
function keyOf(file) {
  const hash = createHash('sha256').update(readFileSync(join(root, file)));
  for (const test of filesUnder(`test/${areaOf(file)}`)) hash.update(readFileSync(join(root, test)));
  return hash.digest('hex');
}

function areaOf(file) {
  return file.split(/[\\/]/)[1];
}

function runStryker(file) {
  // Not below node_modules, where vitest looks for no tests.
  const work = join(root, '.mutate', String(process.pid));
  const output = join(work, 'report.json');
  mkdirSync(work, { recursive: true });
  const config = join(work, 'stryker.json');
  writeFileSync(
    config,
    JSON.stringify({
      testRunner: 'vitest',
      plugins: ['@stryker-mutator/vitest-runner'],
      vitest: { configFile: 'vitest.mutate.config.ts', related: true },
      mutate: [file],
      // Nothing of it checks types: an error of types is no mutant that lives.
      tsconfigFile: 'none.json',
      ignorePatterns: [
        '/*',
        '!/src',
        '!/test',
        '!/parsers',
        '!/examples',
        '!/docs',
        '!/bin',
        '!/*.json',
        '!/*.ts',
      ],
      reporters: ['json'],
      jsonReporter: { fileName: output },
      coverageAnalysis: 'perTest',
      concurrency: 1,
      timeoutMS: 10_000,
      tempDirName: join(work, 'sandbox'),
      cleanTempDir: 'always',
      allowConsoleColors: false,
      logLevel: 'error',
      fileLogLevel: 'off',
    }),
  );
  const stryker = join(root, 'node_modules/@stryker-mutator/core/bin/stryker.js');
  const env = { ...process.env, TAFFRAIL_MUTATE_AREA: areaOf(file) };
  const stdio = ['ignore', 'ignore', 'inherit'];
  spawnSync(process.execPath, [stryker, 'run', config], { cwd: root, env, stdio });
  const result = existsSync(output) ? JSON.parse(readFileSync(output, 'utf8')) : undefined;
  rmSync(work, { recursive: true, force: true });
  return result;
}

function report(all) {
  const areas = new Map();
  for (const [file, result] of all) {
    if (result === undefined) continue;
    const area = dirname(file).split(/[\\/]/).slice(0, 2).join('/');
    const sum = areas.get(area) ?? { killed: 0, of: 0 };
    areas.set(area, { killed: sum.killed + result.killed, of: sum.of + result.of });
    print(`${share(result)}  ${file}`);
    if (!showSurvivors) continue;
    for (const { status, line, column, mutatorName, replacement } of result.survivors)
      print(
        `        ${line}:${column} ${status} ${mutatorName}: ${(replacement ?? '').replace(/\s+/g, ' ').slice(0, 100)}`,
      );
  }
  for (const [area, sum] of areas) print(`${share(sum)}  ${area} in all`);
}

function share({ killed, of }) {
  const percent = of === 0 ? 100 : (100 * killed) / of;
  return `${percent.toFixed(1).padStart(5)} %  ${String(killed).padStart(4)} of ${String(of).padStart(4)}`;
}

function print(line) {
  process.stdout.write(`${line}\n`);
}

function complain(line) {
  process.stderr.write(`${line}\n`);
}
