import { execFile, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, cpSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { expect, vi } from 'vitest';

/** The program compiled for one test file, and the processes that the tests start with it or beside it. */
export class Program {
  readonly #root = resolve(`node_modules/.cache/taffrail-program-${process.pid}`);
  readonly #children: ChildProcess[] = [];

  constructor() {
    rmSync(this.#root, { recursive: true, force: true });
    mkdirSync(this.#root, { recursive: true });
    copyFileSync('package.json', join(this.#root, 'package.json'));
    cpSync('bin', join(this.#root, 'bin'), { recursive: true });
    symlinkSync(resolve('parsers'), join(this.#root, 'parsers'));
    spawnSync(process.execPath, ['scripts/build.mjs', join(this.#root, 'dist')]);
  }

  /** `taffrail …` in the background, in a process that is ours until `remove`. */
  start(...args: readonly string[]): Running {
    return this.startOther(process.execPath, join(this.#root, 'bin/taffrail.js'), ...args);
  }

  startOther(command: string, ...args: readonly string[]): Running {
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#children.push(child);
    return new Running(child);
  }

  /** `taffrail …` to its end. */
  async run(...args: readonly string[]): Promise<{ status: number; out: string; err: string }> {
    const child = spawn(process.execPath, [join(this.#root, 'bin/taffrail.js'), ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [out, err] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
    const [status] = (await once(child, 'close')) as [number];
    return { status, out, err };
  }

  /** A line for bash, in which `"$TAFFRAIL"` is our program. */
  async shell(line: string): Promise<{ status: number; out: string; err: string }> {
    const TAFFRAIL = join(this.#root, 'bin/taffrail.js');
    const { status, stdout, stderr } = await new Promise<{ status: number; stdout: string; stderr: string }>(
      (resolve) => {
        execFile('bash', ['-c', line], { env: { ...process.env, TAFFRAIL } }, (error, out, err) =>
          resolve({ status: error === null ? 0 : Number(error.code ?? 1), stdout: out, stderr: err }),
        );
      },
    );
    return { status, out: stdout, err: stderr };
  }

  async remove(): Promise<void> {
    for (const child of this.#children) await new Running(child).kill('SIGKILL');
    rmSync(this.#root, { recursive: true, force: true });
  }
}

/** A process of ours, with the last of what it complained about. */
export class Running {
  readonly #child: ChildProcess;
  complaints = '';

  constructor(child: ChildProcess) {
    this.#child = child;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.complaints = (this.complaints + text).slice(-20_000);
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  signal(signal: 'SIGHUP'): void {
    this.#child.kill(signal);
  }

  /** Ends it and waits until it is gone. */
  async kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    if (this.ended) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill(signal);
    await gone;
  }
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

/** Waits until something at the address answers 200. */
export async function answers(url: string, running?: Running): Promise<void> {
  await vi.waitFor(
    async () => {
      const answer = await fetch(url).then(
        ({ status }) => status,
        () => running?.complaints ?? 'silence',
      );
      expect(answer).toBe(200);
    },
    { timeout: 60_000, interval: 50 },
  );
}

/** The values of an instant query by series, from anything that speaks Prometheus's API. */
export async function query(base: string, expr: string): Promise<Readonly<Record<string, string>>[]> {
  const response = await fetch(`${base}/api/v1/query?query=${encodeURIComponent(expr)}`);
  const { data } = (await response.json()) as {
    data: { result: { metric: Record<string, string>; value: [number, string] }[] };
  };
  return data.result.map(({ metric, value }) => ({ ...metric, value: value[1] }));
}
