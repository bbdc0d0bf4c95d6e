// Runs the LogQL conformance suite against a collector of this build: starts it on a port of its own with an empty store,
// has the suite push its lines, and compares the answers. `npm run conformance:logql -- FOLDER [options of run.mjs]`
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const [folder, ...options] = process.argv.slice(2);
if (folder === undefined || !existsSync(join(folder, 'run.mjs'))) {
  process.stderr.write(
    'usage: npm run conformance:logql -- FOLDER [--metadata-in-series all] [options of its run.mjs]\n',
  );
  process.exit(2);
}
const at = options.indexOf('--metadata-in-series');
const metadataInSeries = at < 0 ? 'named' : options.splice(at, 2)[1];
const dir = await mkdtemp(join(tmpdir(), 'taffrail-logql-'));
const program = fileURLToPath(new URL('../bin/taffrail.js', import.meta.url));
let collector;
try {
  const file = join(dir, 'collector.yaml');
  await writeFile(
    file,
    `state_dir: ${join(dir, 'state')}\nlisten: 127.0.0.1:0\nbuilt_in_rules: false\nlogql: { metadata_in_series: ${metadataInSeries} }\n`,
  );
  const url = await start(file);
  const base = Math.floor(Date.now() / 3_600_000) * 3600;
  const known = join(resolve(folder), 'results.json');
  process.exitCode = await run([
    join(resolve(folder), 'run.mjs'),
    '--url',
    url,
    '--base',
    String(base),
    '--push',
    '--check',
    known,
    '--min',
    '99',
    ...options,
  ]);
} finally {
  collector?.kill('SIGTERM');
  await new Promise((done) =>
    collector === undefined || collector.exitCode !== null ? done() : collector.once('exit', done),
  );
  await rm(dir, { recursive: true, force: true });
}

/** Resolves with the address once the collector says where it listens. */
function start(file) {
  collector = spawn(process.execPath, [program, 'collector', '-c', file], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  return new Promise((found, failed) => {
    const look = (chunk) => {
      said += chunk;
      const url = /http:\/\/127\.0\.0\.1:\d+/.exec(said)?.[0];
      if (url !== undefined) found(url);
    };
    collector.stdout.on('data', look);
    collector.stderr.on('data', look);
    collector.once('exit', (code) => failed(new Error(`the collector ended with ${code}: ${said}`)));
  });
}

function run(args) {
  const child = spawn(process.execPath, args, { stdio: 'inherit' });
  return new Promise((done) => child.once('exit', (code) => done(code ?? 1)));
}
