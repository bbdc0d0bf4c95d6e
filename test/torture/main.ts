import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { faultPoints } from './fault-points.ts';
import { planRun, type RunPlan } from './plan.ts';
import { CollectorUnderTest } from './receiver-under-test.ts';
import { countedPlan, reachedIn, usual } from './reached.ts';
import { Run, type RunResult } from './run.ts';

/** Runs after which a shared collector makes room for a new one. */
const SHARED_RUNS = 40;

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: '1' },
    jobs: { type: 'string', default: '2' },
    seeds: { type: 'string', default: '' },
    /** Plans that were kept, by file: what a seed means may change with the harness. */
    plan: { type: 'string', multiple: true, default: [] },
    verbose: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    /** Strikes nothing; writes how often each fault point is passed to the file that plans go by. */
    record: { type: 'boolean', default: false },
    binary: { type: 'string' },
    source: { type: 'string' },
  },
});

const binary = values.binary!;
const reachedFile = path.join(values.source!, '../test/torture/reached.json');
const reached = JSON.parse(fs.readFileSync(reachedFile, 'utf8')) as Readonly<Record<string, number>>;
const points = { ...faultPoints(values.source!), reached };
const mayMount = process.getuid?.() === 0 && process.platform === 'linux';
const first = Number(values.seed);
const kept = values.plan.map((file) => JSON.parse(fs.readFileSync(file, 'utf8')) as RunPlan);
const seeds =
  kept.length > 0
    ? Array.from({ length: Number(values.count) * kept.length }, (_, i) => i)
    : values.seeds === ''
      ? Array.from({ length: Number(values.count) }, (_, i) => first + i)
      : values.seeds.split(',').map(Number);
const results: RunResult[] = [];
const recorded: Readonly<Record<string, number>>[] = [];
let next = 0;
let stopped = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => (stopped = true));

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function job(): Promise<void> {
  let shared: CollectorUnderTest | undefined;
  let folder = '';
  let used = 0;
  while (next < seeds.length && !stopped) {
    const seed = seeds[next++]!;
    const planned = kept[seed % kept.length] ?? planRun(seed, points, mayMount);
    const plan = values.record ? countedPlan(planned) : planned;
    if (plan.receiver === 'shared' && (shared === undefined || used++ >= SHARED_RUNS)) {
      await shared?.stop();
      fs.rmSync(folder, { recursive: true, force: true });
      folder = fs.mkdtempSync(path.join(os.tmpdir(), 'taffrail-torture-shared-'));
      shared = new CollectorUnderTest(binary, folder);
      await shared.start();
      used = 1;
    }
    if (values.verbose) print(JSON.stringify(plan));
    const run = new Run(plan, binary, shared);
    const result = await run.run();
    results.push(result);
    report(result);
    if (values.record) recorded.push(...reachedIn(result.folder));
    if (result.violations.length > 0 || values.keep) {
      fs.writeFileSync(path.join(result.folder, 'plan.json'), JSON.stringify(plan, undefined, 1));
      fs.writeFileSync(
        path.join(result.folder, 'story.txt'),
        `${JSON.stringify(plan, undefined, 1)}\n${result.story.join('\n')}\n${result.violations.join('\n')}\n`,
      );
    } else run.removeFolder();
  }
  await shared?.stop();
  fs.rmSync(folder, { recursive: true, force: true });
}

function report(result: RunResult): void {
  const { seed, violations, lines, lives, ms, folder, struck } = result;
  if (violations.length === 0) {
    if (values.verbose)
      print(
        `seed ${seed}: well; ${lines} lines, ${lives} lives, ${(ms / 1000).toFixed(1)} s ${struck.join(' ')}`,
      );
    else if (results.length % 50 === 0)
      print(`${results.length} of ${seeds.length} runs, ${failed().length} failed`);
    return;
  }
  print(`seed ${seed}: FAILED after ${(ms / 1000).toFixed(1)} s`);
  for (const violation of violations) print(`  ${violation}`);
  print(`  kept: ${folder} (story.txt, agent.log)`);
  print(`  again: npm run torture -- --seed ${seed} --verbose, or --plan ${path.join(folder, 'plan.json')}`);
}

function failed(): readonly RunResult[] {
  return results.filter(({ violations }) => violations.length > 0);
}

const startedAt = performance.now();
await Promise.all(Array.from({ length: Number(values.jobs) }, job));
const sum = (of: (result: RunResult) => number): number =>
  results.reduce((all, result) => all + of(result), 0);
const struck = new Set(results.flatMap((result) => result.struck.map((fault) => fault.split(':')[0]!)));
const known = points.agent.length + points.collector.length;
print(
  `${results.length} runs, ${failed().length} failed; ${sum(({ lines }) => lines)} lines, ${sum(({ lives }) => lives)} lives of agents, ` +
    `${sum((result) => result.struck.length)} of ${sum(({ kills }) => kills)} planned kills struck, at ${struck.size} of ${known} fault points; ${sum(({ repeats }) => repeats)} repeated batches; ` +
    `${((performance.now() - startedAt) / 1000).toFixed(0)} s`,
);
if (values.record) fs.writeFileSync(reachedFile, usual(recorded));
if (failed().length > 0)
  print(
    `failed seeds: ${failed()
      .map(({ seed }) => seed)
      .join(' ')}`,
  );
if (values.verbose)
  print(
    `never struck: ${[...points.agent, ...points.collector].filter((point) => !struck.has(point)).join(' ')}`,
  );
process.exitCode = failed().length > 0 ? 1 : 0;
