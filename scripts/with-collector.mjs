import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../bin/taffrail.js', import.meta.url));

/** Starts a collector of this build on a port of its own with an empty store, and stops it when `use(url)` is done. */
export async function withCollector(settings, use) {
  const dir = await mkdtemp(join(tmpdir(), 'taffrail-suite-'));
  let collector;
  try {
    const file = join(dir, 'collector.yaml');
    const own = `state_dir: ${join(dir, 'state')}\nlisten: 127.0.0.1:0\nbuilt_in_rules: false\n`;
    await writeFile(file, own + settings);
    collector = spawn(process.execPath, [program, 'collector', '-c', file], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return await use(await addressOf(collector));
  } finally {
    collector?.kill('SIGTERM');
    await new Promise((done) =>
      collector === undefined || collector.exitCode !== null ? done() : collector.once('exit', done),
    );
    await rm(dir, { recursive: true, force: true });
  }
}

/** Resolves once the collector says where it listens. */
function addressOf(collector) {
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
