import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { readMetrics, readStatus, sumFor } from '../torture/agent-view.ts';
import { sleep } from '../torture/http-get.ts';
import { answers, freePort, Program } from './program.ts';

const FILES = ['a', 'b', 'c'];
const LINES = 800_000;

let program: Program;
beforeAll(() => {
  program = new Program();
});
afterAll(async () => program.remove());

/** Each line has the number of those before it. */
function numbered(name: string): string {
  return Array.from({ length: LINES }, (_, n) => `${name} ${n} a line as services write them\n`).join('');
}

function threads(pid: number): number {
  return fs.readdirSync(`/proc/${pid}/task`).length;
}

test('files that are read by several threads count once, killed and rotated in the middle', async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'taffrail-threads-'));
  onTestFinished(() => fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  const logs = path.join(folder, 'logs');
  fs.mkdirSync(logs);
  fs.mkdirSync(path.join(folder, 'parsers/numbered'), { recursive: true });
  fs.writeFileSync(
    path.join(folder, 'parsers/numbered/pack.yaml'),
    `name: numbered
description: lines that have a number
patterns:
  - { name: line, pattern: '\\b(?<n>\\d+) a line' }
metrics:
  - { name: numbers_total, type: counter, help: The sum of the numbers., value: n }
`,
  );
  const port = await freePort();
  const config = path.join(folder, 'taffrail.yaml');
  fs.writeFileSync(
    config,
    `state_dir: ./agent
listen: 127.0.0.1:${port}
workers: 2
parsers: [./parsers]
sources:
${FILES.map((name) => `  - { name: ${name}, paths: ['./logs/${name}.log'], parser: numbered }`).join('\n')}
`,
  );
  const url = `http://127.0.0.1:${port}`;
  let agent = program.start('agent', '-c', config);
  onTestFinished(async () => agent.kill('SIGKILL'));
  await answers(`${url}/-/healthy`, agent);
  const before = threads(agent.pid);
  for (const name of FILES) fs.writeFileSync(path.join(folder, name), numbered(name));
  for (const name of FILES) fs.renameSync(path.join(folder, name), path.join(logs, `${name}.log`));

  const read = async (name: string): Promise<number> =>
    (await readStatus(url))?.sources.find((source) => source.name === name)?.ledger.read ?? 0;
  let withThreads = 0;
  for (let round = 0; round < 3; round++) {
    const done = await read('a');
    while ((await read('a')) < LINES && threads(agent.pid) === before) await sleep(1);
    if (threads(agent.pid) > before) withThreads++;
    while ((await read('a')) < Math.min(LINES, done + round * 20_000)) await sleep(1);
    await agent.kill('SIGKILL');
    if (round === 1)
      for (const name of FILES)
        fs.renameSync(path.join(logs, `${name}.log`), path.join(logs, `${name}.log.1`));
    agent = program.start('agent', '-c', config);
    await answers(`${url}/-/healthy`, agent);
  }
  for (const name of FILES) await expect.poll(async () => read(name), { timeout: 60_000 }).toBe(LINES);
  const metrics = await readMetrics(url);
  for (const name of FILES) {
    expect(sumFor(metrics.get('numbers_total'), name)).toBe((LINES * (LINES - 1)) / 2);
    expect(sumFor(metrics.get('taffrail_source_lines_total'), name)).toBe(LINES);
  }
  expect(metrics.get('taffrail_ledger_holds')?.[0]?.value).toBe(1);
  expect(withThreads, 'lives in which a thread was started').toBeGreaterThan(0);
});
