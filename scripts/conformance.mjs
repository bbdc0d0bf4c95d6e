// Scores the built engine against a folder of PromQL test scripts: `node scripts/conformance.mjs FOLDER [options]`,
// where FOLDER holds the runner run.mjs and its testdata/. Options go to the runner. Build first.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [folder, ...options] = process.argv.slice(2);
const adapter = fileURLToPath(new URL('conformance-adapter.mjs', import.meta.url));
const engine = fileURLToPath(new URL('../dist/promql/engine.js', import.meta.url));

function refuse(message) {
  process.stderr.write(`conformance: ${message}\n`);
  process.exit(2);
}

if (folder === undefined) refuse('name the folder that holds run.mjs and testdata/');
const runner = join(folder, 'run.mjs');
const testdata = join(folder, 'testdata');
for (const needed of [runner, testdata]) if (!existsSync(needed)) refuse(`${needed} is not there`);
if (!existsSync(engine)) refuse('dist/promql/engine.js is not there; run `npm run build` first');

const minimum = options.includes('--min') ? [] : ['--min', '99'];
const run = spawnSync(process.execPath, [runner, testdata, '--adapter', adapter, ...minimum, ...options], {
  stdio: 'inherit',
});
process.exitCode = run.status ?? 1;
