import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { sumOf, Taffrail, type TaffrailProcess, untilEqual } from '../test/behaviour/run-taffrail.ts';

/**
 * What an agent costs that has nothing to do, and how soon it notices that there is something: CPU of a minute with
 * 1,000 quiet files, and the time from the append of a line to its count at /metrics.
 * `bench/idle.ts [seconds] [appends]` with any runner of TypeScript, after `npm run build`.
 */
const FILES = 1000;
const seconds = Number(process.argv[2] ?? 60);
const appends = Number(process.argv[3] ?? 200);
const TICKS_A_SECOND = 100;

const t = new Taffrail();
try {
  const name = (i: number): string => `logs/service-${i}.log`;
  for (let i = 0; i < FILES; i++) t.write(name(i), 'a first line\n');
  const agent = await t.agent({ sources: [{ name: 'idle', paths: [t.path('logs/*.log')] }] });
  await untilEqual(() => agent.metric('log_lines_total'), FILES, 'the first lines');
  await sleep(3000);

  const before = cpuSeconds(agent);
  await sleep(seconds * 1000);
  const used = ((cpuSeconds(agent) - before) / seconds) * 100;
  process.stdout.write(`${FILES} idle files, ${seconds} s: ${used.toFixed(2)} % of a core\n`);

  const times: number[] = [];
  for (let i = 0; i < appends; i++) {
    await sleep(250 + Math.random() * 50);
    const begun = performance.now();
    appendFileSync(t.path(name(Math.floor(Math.random() * FILES))), 'another line\n');
    while (sumOf((await agent.get('/metrics')).text, 'log_lines_total') !== FILES + i + 1);
    times.push(performance.now() - begun);
  }
  times.sort((a, b) => a - b);
  const at = (part: number): string => times[Math.floor((times.length - 1) * part)]!.toFixed(1);
  process.stdout.write(
    `from append to /metrics, ${appends} lines: median ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${at(1)} ms\n`,
  );
} finally {
  await t.dispose();
}

function cpuSeconds(agent: TaffrailProcess): number {
  const stat = readFileSync(join('/proc', String(agent.pid), 'stat'), 'utf8');
  const [, , , , , , , , , , , user, system] = stat.slice(stat.lastIndexOf(')')).split(' ');
  return (Number(user) + Number(system)) / TICKS_A_SECOND;
}
