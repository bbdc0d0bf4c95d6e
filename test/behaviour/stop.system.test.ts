import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
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

test('an agent told to stop while a reload waits for a receiver keeps to its stop_timeout', async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'taffrail-stop-'));
  onTestFinished(() => fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  let asked = 0;
  const silent = http.createServer((request) => void request.resume().on('end', () => asked++));
  await new Promise<void>((resolve) => {
    silent.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    silent.closeAllConnections();
    silent.close();
  });
  const port = await freePort();
  const config = path.join(folder, 'taffrail.yaml');
  const sink = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const write = (timeout: string): void =>
    fs.writeFileSync(
      config,
      [
        `{ state_dir: ./state, listen: '127.0.0.1:${port}', stop_timeout: 1s, hot_reload: false,`,
        `sources: [{ name: s, paths: ['./*.log'], records: true }],`,
        `sinks: [{ name: c, type: otlp, metrics: false, endpoint: '${sink}', timeout: ${timeout} }] }\n`,
      ].join(' '),
    );
  write('50s');
  fs.writeFileSync(path.join(folder, 'a.log'), 'a line\n');
  const agent = program.start('agent', '-c', config);
  onTestFinished(async () => agent.kill('SIGKILL'));
  await expect.poll(() => asked, { timeout: 20_000 }).toBeGreaterThan(0);
  write('51s');
  const reloading = fetch(`http://127.0.0.1:${port}/-/reload`, { method: 'POST' }).catch(() => undefined);
  await sleep(200);
  // A change alone would give the request under way five seconds.
  const ended = await Promise.race([agent.kill('SIGTERM').then(() => true), sleep(4000).then(() => false)]);
  expect(ended).toBe(true);
  await reloading;
});

test('SIGHUP while the agent starts is a reload that is due, and not its end', async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'taffrail-stop-'));
  onTestFinished(() => fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  const port = await freePort();
  const config = path.join(folder, 'taffrail.yaml');
  fs.writeFileSync(
    config,
    `{ state_dir: ./state, listen: '127.0.0.1:${port}', hot_reload: false, sources: [{ name: s, paths: ['./*.log'] }] }\n`,
  );
  const agent = program.start('agent', '-c', config);
  onTestFinished(async () => agent.kill('SIGKILL'));
  // The state folder is made before the agent listens.
  await expect
    .poll(() => fs.existsSync(path.join(folder, 'state')), { timeout: 20_000, interval: 1 })
    .toBe(true);
  agent.signal('SIGHUP');
  await answers(`http://127.0.0.1:${port}/-/healthy`, agent);
  await expect.poll(() => agent.complaints).toContain('configuration reloaded');
});
