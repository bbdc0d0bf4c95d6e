import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentStatus } from '../../src/model/status.ts';

/** What `npm run build` made; another compiled tree by TAFFRAIL_MAIN. */
const MAIN = resolve(process.env['TAFFRAIL_MAIN'] ?? 'bin/taffrail.js');
const READY_MS = 60_000;

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** A file's mode counts for it, although we may be root. */
  readonly obeysModes?: boolean;
}

/** A folder of its own, with the agents and collectors that run in it. Ends and removes them all. */
export class Taffrail {
  readonly folder = mkdtempSync(join(tmpdir(), 'taffrail-behaviour-'));
  readonly #processes: TaffrailProcess[] = [];
  readonly #cleanups: (() => void)[] = [];

  path(...parts: readonly string[]): string {
    return join(this.folder, ...parts);
  }

  /** Writes a file below the folder, with the folders above it; gives its path. What is no text is written as JSON, which is YAML. */
  write(name: string, content: string | object): string {
    const file = this.path(name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content, undefined, 2));
    return file;
  }

  /** `taffrail agent` with this configuration; ready when it resolves. */
  async agent(config: object, options: RunOptions = {}): Promise<TaffrailProcess> {
    const file = this.write('taffrail.yaml', this.agentConfig(config));
    return this.start(['agent', '-c', file], options).ready();
  }

  agentConfig(config: object): object {
    return { state_dir: './state/agent', listen: '127.0.0.1:0', built_in_rules: false, ...config };
  }

  async collector(config: object = {}, options: RunOptions = {}): Promise<TaffrailProcess> {
    const file = this.write('collector.yaml', this.collectorConfig(config));
    return this.start(['collector', '-c', file], options).ready();
  }

  collectorConfig(config: object = {}): object {
    return { state_dir: './state/collector', listen: '127.0.0.1:0', built_in_rules: false, ...config };
  }

  /** Any command, not waited for. */
  start(args: readonly string[], options: RunOptions = {}): TaffrailProcess {
    const process_ = new TaffrailProcess(args, options);
    this.#processes.push(process_);
    return process_;
  }

  /** To be undone when all processes have ended: a mount, a server. */
  onDispose(cleanup: () => void): void {
    this.#cleanups.push(cleanup);
  }

  async dispose(): Promise<void> {
    await Promise.all(this.#processes.map((running) => running.kill('SIGKILL')));
    for (const cleanup of this.#cleanups.reverse()) cleanup();
    makeRemovable(this.folder);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** `taffrail …` as a process of its own. */
export class TaffrailProcess {
  readonly #child: ChildProcess;
  /** Its exit code; null where a signal ended it. */
  readonly ended: Promise<number | null>;
  #isOver = false;
  out = '';
  err = '';

  constructor(args: readonly string[], { env = {}, obeysModes = false }: RunOptions) {
    const command = [process.execPath, MAIN, ...args];
    const isRoot = process.getuid?.() === 0;
    const withoutPrivilege = ['setpriv', '--bounding-set', '-dac_override,-dac_read_search'];
    const [program, ...rest] = obeysModes && isRoot ? [...withoutPrivilege, ...command] : command;
    this.#child = spawn(program!, rest, {
      env: { PATH: process.env['PATH'] ?? '', TAFFRAIL_STOP_WITH_STDIN: '1', ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#child.stdin!.on('error', () => undefined);
    this.#child.stdout!.setEncoding('utf8').on('data', (text: string) => (this.out += text));
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => (this.err += text));
    this.ended = new Promise((done) => {
      this.#child.on('close', (code) => {
        this.#isOver = true;
        done(code);
      });
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** From its log; empty until it listens. */
  get url(): string {
    return /"listen":"(https?:[^"]+)"/.exec(this.err)?.[1] ?? '';
  }

  /** What it logged, of these words or all. */
  log(words = ''): readonly Readonly<Record<string, unknown>>[] {
    return this.err
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}') && line.includes(words))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  async ready(): Promise<this> {
    await until(
      () => {
        if (this.#isOver) throw new Error(`it ended before it was ready:\n${this.err}`);
        return this.url !== '';
      },
      () => `an address in ${this.err}`,
      READY_MS,
    );
    return this;
  }

  async get(path: string): Promise<{ readonly status: number; readonly text: string }> {
    const response = await fetch(`${this.url}${path}`, { headers: { connection: 'close' } });
    return { status: response.status, text: await response.text() };
  }

  async status(): Promise<AgentStatus> {
    return JSON.parse((await this.get('/status')).text) as AgentStatus;
  }

  /** The sum over the series of this name that have these labels; undefined where there is none. */
  async metric(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number | undefined> {
    return sumOf((await this.get('/metrics')).text, name, labels);
  }

  /** The answer to an instant query, added up. */
  async query(expr: string): Promise<number | undefined> {
    const { text } = await this.get(`/api/v1/query?query=${encodeURIComponent(expr)}`);
    const { data } = JSON.parse(text) as { data: { result: { value: [number, string] }[] } };
    if (data.result.length === 0) return undefined;
    return data.result.reduce((sum, { value }) => sum + Number(value[1]), 0);
  }

  async reload(): Promise<{ readonly status: number; readonly text: string }> {
    const response = await fetch(`${this.url}/-/reload`, {
      method: 'POST',
      headers: { connection: 'close' },
    });
    return { status: response.status, text: await response.text() };
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Resolves with the exit code when it is gone. */
  async kill(name: NodeJS.Signals): Promise<number | null> {
    if (!this.#isOver) this.#child.kill(name);
    return this.ended;
  }

  openFiles(): readonly string[] {
    const folder = `/proc/${this.pid}/fd`;
    return readdirSync(folder).flatMap((name) => {
      try {
        return [readlinkSync(join(folder, name))];
      } catch {
        return [];
      }
    });
  }

  residentBytes(): number {
    const [, kib] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8')) ?? [];
    return Number(kib) * 1024;
  }
}

export function sumOf(
  exposition: string,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  let sum: number | undefined;
  for (const line of exposition.split('\n')) {
    const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line);
    if (match?.[1] !== name) continue;
    const isWanted = Object.entries(labels).every(([key, value]) => match[2]?.includes(`${key}="${value}"`));
    if (isWanted) sum = (sum ?? 0) + Number(match[3]);
  }
  return sum;
}

/** Asks again and again until the answer is true. What is thrown is not waited out; a refused connection is. */
export async function until(
  isTrue: () => boolean | Promise<boolean>,
  what: string | (() => string),
  mostMs = 30_000,
): Promise<void> {
  const deadline = performance.now() + mostMs;
  for (;;) {
    const answer = await Promise.resolve()
      .then(isTrue)
      .catch((error: unknown) => {
        if (error instanceof TypeError && error.message === 'fetch failed') return false;
        throw error;
      });
    if (answer) return;
    if (performance.now() > deadline)
      throw new Error(`waited in vain for ${typeof what === 'string' ? what : what()}`);
    await sleep(20);
  }
}

/** Waits for a value to be this one; says what it was last where it does not come to be. */
export async function untilEqual<T extends number | string | boolean | undefined>(
  read: () => T | Promise<T>,
  wanted: T,
  what: string,
  mostMs = 30_000,
): Promise<void> {
  let last: T | undefined;
  await until(
    async () => (last = await read()) === wanted,
    () => `${what} to be ${String(wanted)}; it is ${String(last)}`,
    mostMs,
  );
}

function makeRemovable(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    chmodSync(join(folder, entry.name), 0o700);
    makeRemovable(join(folder, entry.name));
  }
}
