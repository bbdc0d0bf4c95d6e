import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AgentProcess } from './agent-process.ts';
import type { Row } from './report.ts';

export interface CatchUp {
  readonly name: string;
  readonly dir: string;
  readonly port: number;
  /** Files in the same file system as `dir`; they are moved into sight once the agent runs, and back. */
  readonly files: readonly string[];
  readonly lines: number;
  readonly parser: string;
  readonly source?: object;
  readonly agent?: object;
  /** What has to come to `lines`; the lines that are committed by default. */
  readonly until?: string;
  /** Once the agent runs, before there is anything to read. */
  readonly begin?: (agent: AgentProcess) => Promise<void>;
}

/** An agent that finds files which are already there, from that moment until all is done. Its start is not counted. */
export async function catchUp(
  use: CatchUp,
  also?: (agent: AgentProcess, seconds: number) => Promise<void>,
): Promise<Row> {
  const { dir, files, lines } = use;
  const logs = join(dir, `logs-${use.port}`);
  mkdirSync(logs, { recursive: true });
  const config = {
    state_dir: join(dir, `state-${use.port}`),
    sources: [{ name: 'bench', paths: [`${logs}/*.log`], parser: use.parser, ...use.source }],
    parsers: [join(dir, 'parsers')],
    log_level: 'warn',
    ...use.agent,
  };
  const agent = new AgentProcess('agent', dir, config, use.port);
  await agent.until('taffrail_ready', 1, 30);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  agent.watchLoop();
  await use.begin?.(agent);
  const before = agent.figures;
  const started = performance.now();
  files.forEach((file, n) => renameSync(file, join(logs, `${n}.log`)));
  const done = await agent.until(use.until ?? 'taffrail_source_lines_total', lines);
  const seconds = (performance.now() - started) / 1000;
  await also?.(agent, seconds);
  const loopMaxMs = await agent.stop();
  files.forEach((file, n) => renameSync(join(logs, `${n}.log`), file));
  return {
    name: use.name,
    seconds,
    cpuSeconds: done.cpuSeconds - before.cpuSeconds,
    peakMib: done.peakMib,
    loopMaxMs,
  };
}

export function writePack(dir: string, name: string, pack: object): void {
  mkdirSync(join(dir, 'parsers', name), { recursive: true });
  writeFileSync(
    join(dir, 'parsers', name, 'pack.yaml'),
    JSON.stringify({ name, description: 'bench', ...pack }),
  );
}
