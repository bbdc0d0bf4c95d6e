import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { answers, freePort, Program } from './program.ts';

let program: Program;
beforeAll(() => {
  program = new Program();
});
afterAll(async () => program.remove());

test('state_dir is emptied while the agent runs: that is told, and after kill -9 nothing is shipped again', async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'taffrail-emptied-'));
  onTestFinished(() => fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  const port = await freePort();
  const config = path.join(folder, 'taffrail.yaml');
  const log = path.join(folder, 'a.log');
  const out = path.join(folder, 'out.json');
  const state = path.join(folder, 'state');
  fs.writeFileSync(
    config,
    `state_dir: ./state\nlisten: 127.0.0.1:${port}\n` +
      `sources: [{ name: a, paths: ['./a.log'], records: true }]\n` +
      `sinks: [{ name: out, type: file, path: ${out} }]\n`,
  );
  const add = (from: number, count: number): void =>
    fs.appendFileSync(log, Array.from({ length: count }, (_, n) => `line ${from + n}\n`).join(''));
  const shipped = (): number[] =>
    fs.existsSync(out)
      ? [...fs.readFileSync(out, 'utf8').matchAll(/line (\d+)/g)].map(([, n]) => Number(n))
      : [];
  const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);
  add(0, 500);
  const agent = program.start('agent', '-c', config);
  await answers(`http://127.0.0.1:${port}/-/healthy`, agent);
  await expect.poll(shipped).toEqual(upTo(500));
  const identity = (): { agent: string } =>
    JSON.parse(fs.readFileSync(path.join(state, 'identity.json'), 'utf8')) as { agent: string };
  const before = identity().agent;
  for (const name of fs.readdirSync(state)) fs.rmSync(path.join(state, name), { recursive: true });
  await expect.poll(() => agent.complaints).toContain('state_dir is written anew');
  expect(agent.complaints).toContain('files were removed from state_dir while the agent ran');
  expect(identity().agent).toBe(before);
  add(500, 100);
  await expect.poll(shipped).toEqual(upTo(600));
  await agent.kill('SIGKILL');
  add(600, 100);
  const next = program.start('agent', '-c', config);
  await answers(`http://127.0.0.1:${port}/-/healthy`, next);
  await expect.poll(shipped).toEqual(upTo(700));
  expect(identity().agent).toBe(before);
  await next.kill('SIGTERM');
  expect(shipped()).toEqual(upTo(700));
});
