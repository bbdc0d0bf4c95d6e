// Sends the recorded requests of real senders to a collector of this build, on a port of its own with an empty store, and
// looks for what they hold. `npm run wire -- FOLDER FORM [options of its run.mjs]`
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { withCollector } from './with-collector.mjs';

const [folder, form, ...options] = process.argv.slice(2);
if (form === undefined || !existsSync(join(folder, 'run.mjs'))) {
  process.stderr.write('usage: npm run wire -- FOLDER rw1|rw2|read|otlp [options of its run.mjs]\n');
  process.exit(2);
}
// The recordings keep their times.
process.exitCode = await withCollector('retention: { time: 3650d }\n', (url) => {
  const args = [join(resolve(folder), 'run.mjs'), '--url', url, '--form', form, ...options];
  const child = spawn(process.execPath, args, { stdio: 'inherit' });
  return new Promise((done) => child.once('exit', (code) => done(code ?? 1)));
});
