import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import { httpGet, sleep } from './http-get.ts';

const READY_MS = 40_000;
let made = 0;

/** How a process of ours ended: by a signal that we sent, by one that it sent itself at a fault point, or by itself. */
export interface End {
  readonly by: 'us' | 'fault' | 'itself';
  readonly code: number | null;
}

/** An agent or a collector as a process of its own. Its address is read from its log. */
export class ProductProcess {
  readonly #child: ChildProcess;
  readonly ended: Promise<End>;
  url: string | undefined;
  #end: End | undefined;
  #signalled = false;
  wasReady = false;

  constructor(binary: string, args: readonly string[], env: Readonly<Record<string, string>>, log: string) {
    const out = fs.openSync(log, 'a');
    fs.writeSync(out, `--- ${args.join(' ')} ${JSON.stringify(env)}\n`);
    this.#child = spawn(process.execPath, [binary, ...args], {
      env: {
        PATH: process.env['PATH'] ?? '',
        TAFFRAIL_STOP_WITH_STDIN: '1',
        TAFFRAIL_FAULT_COUNTS: `${log}.${++made}.counts`,
        ...env,
      },
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      fs.writeSync(out, text);
      this.url ??= /"listen":"(http:[^"]+)"/.exec(text)?.[1];
    });
    this.#child.stdin!.on('error', () => undefined);
    this.ended = new Promise((resolve) => {
      this.#child.on('close', (code, signal) => {
        fs.closeSync(out);
        const byFault = signal === 'SIGKILL' && !this.#signalled;
        this.#end = { by: byFault ? 'fault' : this.#signalled ? 'us' : 'itself', code };
        resolve(this.#end);
      });
    });
  }

  get end(): End | undefined {
    return this.#end;
  }

  signal(name: 'SIGKILL' | 'SIGTERM' | 'SIGHUP'): void {
    if (this.#end !== undefined) return;
    if (name !== 'SIGHUP') this.#signalled = true;
    this.#child.kill(name);
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.ended;
  }

  /** False where it ended first. */
  async ready(): Promise<boolean> {
    const deadline = performance.now() + READY_MS;
    while (this.#end === undefined) {
      if (this.url !== undefined && (await httpGet(`${this.url}/-/healthy`)) !== undefined) {
        this.wasReady = true;
        return true;
      }
      if (performance.now() > deadline) throw new Error('a process did not become ready');
      await sleep(15);
    }
    return false;
  }

  /** SIGTERM, and SIGKILL at the deadline. False where it came to that. */
  async terminate(deadlineMs: number): Promise<boolean> {
    this.signal('SIGTERM');
    const late = await Promise.race([this.ended.then(() => false), sleep(deadlineMs).then(() => true)]);
    if (late && this.#end === undefined) await this.kill();
    return !late;
  }
}
