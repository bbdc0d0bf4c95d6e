import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AgentProcess, sumOf } from './agent-process.ts';
import { say } from './report.ts';

const FILES = 1000;
const APPENDS = 200;
/** V8 tidies up about 15 s after a start. */
const SETTLE_MS = 20_000;

/** Many files that nobody writes to: CPU time, and how soon a line that comes is at /metrics. */
export async function idle(dir: string, port: number, seconds: number): Promise<void> {
  const logs = join(dir, 'idle');
  mkdirSync(logs, { recursive: true });
  const fileOf = (n: number): string => join(logs, `${n}.log`);
  for (let n = 0; n < FILES; n++) writeFileSync(fileOf(n), 'the first line\n');
  const agent = new AgentProcess(
    'agent',
    dir,
    { state_dir: join(dir, 'state-idle'), sources: [{ name: 'idle', paths: [`${logs}/*.log`], parser: 'syslog' }], log_level: 'warn' }, // prettier-ignore
    port,
  );
  await agent.until('taffrail_source_lines_total', FILES, 60);
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const before = agent.figures.cpuSeconds;
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const { cpuSeconds, peakMib } = agent.figures;
  const latencies: number[] = [];
  for (let n = 0; n < APPENDS; n++) {
    // Further apart than commits are grouped.
    await new Promise((resolve) => setTimeout(resolve, 250));
    const started = performance.now();
    appendFileSync(fileOf((n * 37) % FILES), 'one more line\n');
    while (sumOf(await agent.metrics(), 'taffrail_source_lines_total') < FILES + n + 1);
    latencies.push(performance.now() - started);
  }
  await agent.stop();
  latencies.sort((a, b) => a - b);
  const at = (share: number): string => latencies[Math.floor((latencies.length - 1) * share)]!.toFixed(1);
  const percent = (((cpuSeconds - before) / seconds) * 100).toFixed(2);
  say(
    `\nidle: ${FILES} files, ${seconds} s, begun ${SETTLE_MS / 1000} s after the start: ${percent} % CPU, peak ${peakMib.toFixed(0)} MiB`,
  );
  say(
    `a line appended is at /metrics after ${at(0.5)} ms (median), ${at(0.99)} ms (99th of 100), ${at(1)} ms at most`,
  );
}
