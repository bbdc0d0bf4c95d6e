import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { WriterPlan } from './log-writer.ts';
import type { RunPlan } from './plan.ts';

const PACKS: Readonly<Record<'counter' | 'multiline', string>> = {
  counter: '',
  multiline: `multiline: { start: '^w\\d+ \\d+ ', timeout: 400ms }\n`,
};

/** The folder of a run: configuration, packs, logs, state. */
export class RunFolder {
  readonly path: string;
  #mounted = false;

  constructor(seed: number) {
    this.path = fs.mkdtempSync(path.join(os.tmpdir(), `taffrail-torture-${seed}-`));
    fs.mkdirSync(this.at('logs'));
    fs.mkdirSync(this.at('state'));
  }

  at(...names: string[]): string {
    return path.join(this.path, ...names);
  }

  mountState(mib: number): void {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mib}m`, 'none', this.at('state')]);
    this.#mounted = true;
  }

  remove(): void {
    this.unmount();
    fs.rmSync(this.path, { recursive: true, force: true, maxRetries: 5 });
  }

  unmount(): void {
    if (this.#mounted) execFileSync('umount', ['-l', this.at('state')]);
    this.#mounted = false;
  }

  writePacks(): void {
    for (const [name, more] of Object.entries(PACKS)) {
      fs.mkdirSync(this.at('packs', name), { recursive: true });
      fs.writeFileSync(
        this.at('packs', name, 'pack.yaml'),
        `name: ${name}
description: Numbered events
pattern: '^(?<writer>w\\d+) (?<n>\\d+) '
fields: { n: int }
${more}metrics:
  - { name: seq_events_total, type: counter, help: Events., labels: [writer] }
  - { name: seq_numbers_total, type: counter, help: Sum of their numbers., value: n, labels: [writer] }
`,
      );
    }
  }

  /** `change` counts reloads: each changes something that must not disturb what is under way. */
  writeAgentConfig(plan: RunPlan, run: string, port: number, change: number): void {
    const { buffer } = plan;
    const sources = plan.writers.map(
      ({ name, kubelet }) => `  - name: ${run}-${name}
    paths: ['./logs/${name}/${globOf(kubelet, plan.glob)}']
    parser: ${plan.pack}
    records: true
    linger: ${change % 3 === 2 ? '20s' : plan.linger}`,
    );
    if (change % 2 === 1) sources.push(`  - { name: ${run}-extra, paths: ['./logs/none/*.log'] }`);
    fs.writeFileSync(
      this.at('taffrail.yaml'),
      `state_dir: ./state
listen: 127.0.0.1:0
built_in_rules: false
log_level: debug
workers: ${plan.workers}
parsers: [./packs]
sources:
${sources.join('\n')}
sinks:
  - name: central
    type: otlp
    endpoint: http://127.0.0.1:${port}
    encoding: ${plan.encoding}
    compression: ${plan.compression}
    concurrency: ${plan.concurrency}
    retry_initial: 20ms
    retry_max: ${200 + (change % 2) * 100}ms
    timeout: 3s
buffer: { max_bytes: ${buffer.maxBytes}, when_full: ${buffer.whenFull}, commit_interval: ${buffer.commitInterval}, batch_bytes: ${buffer.batchBytes}, commit_bytes: ${plan.smallDisk === undefined ? '4MiB' : '256KiB'} }
metrics: { sample_interval: 1s, heartbeat_interval: 1s }
`,
    );
  }
}

function globOf(kubelet: WriterPlan['kubelet'], glob: string): string {
  if (kubelet === undefined) return glob;
  return kubelet === 'pods' ? 'pods/*/*/*.log' : 'containers/*.log';
}

export function writeCollectorConfig(folder: string): string {
  const file = path.join(folder, 'collector.yaml');
  fs.writeFileSync(
    file,
    'state_dir: ./collector\nlisten: 127.0.0.1:0\nbuilt_in_rules: false\nlimits: { requests_per_second: 100000 }\n',
  );
  return file;
}
