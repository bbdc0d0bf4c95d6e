import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { readMetrics, readStatus, sumFor } from '../torture/agent-view.ts';
import { sleep } from '../torture/http-get.ts';
import { answers, freePort, Program, type Running } from './program.ts';

const FILES = ['a', 'b', 'c'];
const LINES = 800_000;

let program: Program;
beforeAll(() => {
  program = new Program();
});
afterAll(async () => program.remove());

/** Each line has the number of those before it. */
function numbered(name: string, from = 0, lines = LINES): string {
  return Array.from({ length: lines }, (_, n) => `${name} ${from + n} a line as services write them\n`).join(
    '',
  );
}

function threads(pid: number): number {
  return fs.readdirSync(`/proc/${pid}/task`).length;
}

interface Reading {
  readonly config: string;
  readonly url: string;
  readonly logs: string;
  /** Threads before there was anything to read. */
  readonly before: number;
  readonly agent: Running;
}

/** An agent over three files that turn up at once. */
async function reading(): Promise<Reading> {
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
  const agent = await started(config, url);
  const before = threads(agent.pid);
  for (const name of FILES) fs.writeFileSync(path.join(folder, name), numbered(name));
  for (const name of FILES) fs.renameSync(path.join(folder, name), path.join(logs, `${name}.log`));
  return { config, url, logs, before, agent };
}

async function started(config: string, url: string): Promise<Running> {
  const agent = program.start('agent', '-c', config);
  onTestFinished(async () => agent.kill('SIGKILL'));
  await answers(`${url}/-/healthy`, agent);
  return agent;
}

async function read(url: string, name: string): Promise<number> {
  return (await readStatus(url))?.sources.find((source) => source.name === name)?.ledger.read ?? 0;
}

/** Of each file, so many lines, each once. */
async function countsOnce(url: string, lines: number): Promise<void> {
  for (const name of FILES) await expect.poll(async () => read(url, name), { timeout: 60_000 }).toBe(lines);
  const metrics = await readMetrics(url);
  for (const name of FILES) {
    expect(sumFor(metrics.get('numbers_total'), name)).toBe((lines * (lines - 1)) / 2);
    expect(sumFor(metrics.get('taffrail_source_lines_total'), name)).toBe(lines);
    expect(sumFor(metrics.get('taffrail_source_missed_bytes_total'), name)).toBe(0);
  }
  expect(metrics.get('taffrail_ledger_holds')?.[0]?.value).toBe(1);
}

test('files that are read by several threads count once, killed and rotated in the middle', async () => {
  const { config, url, logs, before, ...first } = await reading();
  let { agent } = first;
  let withThreads = 0;
  for (let round = 0; round < 3; round++) {
    const done = await read(url, 'a');
    while ((await read(url, 'a')) < LINES && threads(agent.pid) === before) await sleep(1);
    if (threads(agent.pid) > before) withThreads++;
    while ((await read(url, 'a')) < Math.min(LINES, done + round * 20_000)) await sleep(1);
    await agent.kill('SIGKILL');
    if (round === 1)
      for (const name of FILES)
        fs.renameSync(path.join(logs, `${name}.log`), path.join(logs, `${name}.log.1`));
    agent = await started(config, url);
  }
  await countsOnce(url, LINES);
  expect(withThreads, 'lives in which a thread was started').toBeGreaterThan(0);
});

test('files that are copied and cut while threads read them count once, and what is written then', async () => {
  const { url, logs, before, agent } = await reading();
  while (threads(agent.pid) === before) await sleep(1);
  while ((await read(url, 'c')) < 20_000) await sleep(1);
  for (const name of FILES) {
    const log = path.join(logs, `${name}.log`);
    fs.copyFileSync(log, `${log}.1`);
    fs.truncateSync(log, 0);
  }
  const left =
    LINES * FILES.length -
    (await Promise.all(FILES.map(async (name) => read(url, name)))).reduce((a, b) => a + b);
  for (const name of FILES) fs.appendFileSync(path.join(logs, `${name}.log`), numbered(name, LINES, 1000));
  await countsOnce(url, LINES + 1000);
  expect(left, 'lines that were still to be read when the files were cut').toBeGreaterThan(0);
});
