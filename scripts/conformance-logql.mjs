// Runs the LogQL conformance suite against a collector of this build: starts it on a port of its own with an empty store,
// has the suite push its lines, and compares the answers. `npm run conformance:logql -- FOLDER [options of run.mjs]`
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { withCollector } from './with-collector.mjs';

const [folder, ...options] = process.argv.slice(2);
if (folder === undefined || !existsSync(join(folder, 'run.mjs'))) {
  process.stderr.write(
    'usage: npm run conformance:logql -- FOLDER [--metadata-in-series all] [options of its run.mjs]\n',
  );
  process.exit(2);
}
const at = options.indexOf('--metadata-in-series');
const metadataInSeries = at < 0 ? 'named' : options.splice(at, 2)[1];
const base = Math.floor(Date.now() / 3_600_000) * 3600;
process.exitCode = await withCollector(`logql: { metadata_in_series: ${metadataInSeries} }\n`, (url) =>
  run([
    join(resolve(folder), 'run.mjs'),
    '--url',
    url,
    '--base',
    String(base),
    '--push',
    '--check',
    join(resolve(folder), 'results.json'),
    '--min',
    '99',
    ...options,
  ]),
);

function run(args) {
  const child = spawn(process.execPath, args, { stdio: 'inherit' });
  return new Promise((done) => child.once('exit', (code) => done(code ?? 1)));
}
