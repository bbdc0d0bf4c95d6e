import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { sleep } from '../torture/http-get.ts';
import { answers, freePort, Program } from './program.ts';

let program: Program;
beforeAll(() => {
  program = new Program();
});
afterAll(async () => program.remove());

test('an agent told to stop in the middle of a reload ends', async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'taffrail-stop-'));
  onTestFinished(() => fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  const port = await freePort();
  const config = path.join(folder, 'taffrail.yaml');
  for (const afterMs of [0, 1, 3, 8, 20]) {
    fs.writeFileSync(
      config,
      `state_dir: ./state\nlisten: 127.0.0.1:${port}\nsources: [{ name: s${afterMs}, paths: ['./*.log'] }]\n`,
    );
    const agent = program.start('agent', '-c', config);
    onTestFinished(async () => agent.kill('SIGKILL'));
    const url = `http://127.0.0.1:${port}`;
    await answers(`${url}/-/healthy`, agent);
    const reloading = fetch(`${url}/-/reload`, { method: 'POST' }).then(
      () => undefined,
      () => undefined,
    );
    await sleep(afterMs);
    const ended = await Promise.race([
      agent.kill('SIGTERM').then(() => true),
      sleep(15_000).then(() => false),
    ]);
    expect(ended).toBe(true);
    await reloading;
  }
});
