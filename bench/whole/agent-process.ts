import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { figuresOf } from './process-figures.ts';
import type { ProcessFigures } from './process-figures.ts';

export interface Finished extends ProcessFigures {
  readonly seconds: number;
  readonly loopMaxMs: number;
}

/**
 * Each look is a scrape, which takes the agent's time, and fifty a second make V8 compile what writes them. The next one
 * is half way to where the end seems to be, and not long after the last: speed grows at first.
 */
const LOOK_MS = 15;
const LATER_LOOKS = 0.2;

/** As its systemd unit has it; the user's own comes first. */
export const MALLOC_ARENA_MAX = process.env['MALLOC_ARENA_MAX'] ?? '2';

/** `taffrail agent` or `collector`, started as a user would. */
export class AgentProcess {
  readonly #child: ChildProcess;
  readonly #url: string;
  readonly #loopFile: string;
  readonly #started = performance.now();

  constructor(command: 'agent' | 'collector', dir: string, config: object, port: number) {
    const file = join(dir, `${command}.yaml`);
    writeFileSync(file, JSON.stringify({ ...config, listen: `127.0.0.1:${port}` }));
    this.#url = `http://127.0.0.1:${port}`;
    this.#loopFile = join(dir, `${command}.loop.json`);
    const watcher = new URL('./loop-delay.js', import.meta.url).href;
    this.#child = spawn(process.execPath, ['--import', watcher, 'bin/taffrail.js', command, '-c', file], {
      env: { ...process.env, MALLOC_ARENA_MAX, TAFFRAIL_BENCH_LOOP: this.#loopFile },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get figures(): ProcessFigures {
    return figuresOf(this.#child.pid!);
  }

  async metrics(): Promise<string> {
    try {
      return await (await fetch(`${this.#url}/metrics`)).text();
    } catch {
      if (this.#child.exitCode !== null) throw new Error('the process ended early');
      return '';
    }
  }

  /** The sum of a metric over its series. */
  async read(name: string): Promise<number> {
    return sumOf(await this.metrics(), name);
  }

  /** Waits until the metric has come to a value; gives the figures of that moment. */
  async until(name: string, value: number, secondsMax = 600): Promise<Omit<Finished, 'loopMaxMs'>> {
    const begun = performance.now();
    for (let now = await this.read(name); now < value; now = await this.read(name)) {
      if (performance.now() - this.#started > secondsMax * 1000)
        throw new Error(`${name} is ${now}, not ${value}`);
      const tookMs = performance.now() - begun;
      const leftMs = (tookMs / Math.max(now, 1)) * (value - now);
      const waitMs = Math.max(LOOK_MS, Math.min(leftMs / 2, tookMs * LATER_LOOKS));
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
    return { ...this.figures, seconds: (performance.now() - this.#started) / 1000 };
  }

  /** From here on the hold-ups of its event loop are measured. */
  watchLoop(): void {
    this.#child.kill('SIGUSR2');
  }

  /** Gives the longest time for which its event loop was held up, in ms. */
  async stop(): Promise<number> {
    this.#child.kill('SIGTERM');
    if (this.#child.exitCode === null) await once(this.#child, 'exit');
    if (!existsSync(this.#loopFile)) return Number.NaN;
    return (JSON.parse(readFileSync(this.#loopFile, 'utf8')) as { maxMs: number }).maxMs;
  }
}

export function sumOf(exposition: string, name: string): number {
  let sum = 0;
  for (const line of exposition.split('\n')) {
    if (line.startsWith(name) && /^[{ ]/.test(line.slice(name.length)))
      sum += Number(line.slice(line.lastIndexOf(' ')));
  }
  return sum;
}
