import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import type { Clock } from '../../platform/clock.ts';
import { faultPoint } from '../../platform/fault.ts';

export interface ProgramOptions {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly workingDirectory: string;
  readonly stdin: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

export type ProgramEnd =
  | { readonly kind: 'exited'; readonly code: number; readonly output: string }
  | { readonly kind: 'killed'; readonly by: string; readonly output: string }
  | { readonly kind: 'timed_out'; readonly output: string }
  | { readonly kind: 'aborted'; readonly output: string };

const OUTPUT_BYTES = 8 * 1024;
const TERM_GRACE_MS = 1000;
const PIPE_GRACE_MS = 500;

/**
 * Runs a program without a shell, in a process group of its own. When its time is up or the caller wants it gone,
 * the whole group gets SIGTERM and, a second later, SIGKILL: children that it started go with it. Rejects when
 * the program cannot be started.
 */
export async function runProgram(options: ProgramOptions): Promise<ProgramEnd> {
  const [program, ...args] = options.command;
  faultPoint('hooks.exec.before');
  const child = spawn(program!, args, {
    cwd: options.workingDirectory,
    env: { ...options.env },
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const output = new Output(child);
  // A program that does not read its input is none of our business.
  child.stdin!.on('error', () => {});
  child.stdin!.end(options.stdin);
  const reaper = new Reaper(child, options);
  try {
    const { code, signal } = await ended(child, options.clock);
    faultPoint('hooks.exec.after');
    if (reaper.reason !== undefined) return { kind: reaper.reason, output: output.text };
    return code === null
      ? { kind: 'killed', by: signal ?? 'a signal', output: output.text }
      : { kind: 'exited', code, output: output.text };
  } finally {
    reaper.end();
    output.end();
  }
}

/** Ends a process group when its time is up or its caller aborts. */
class Reaper {
  reason: 'timed_out' | 'aborted' | undefined;
  readonly #child: ChildProcess;
  readonly #options: ProgramOptions;
  readonly #timer: { cancel(): void };
  #killTimer: { cancel(): void } | undefined;
  readonly #onAbort = (): void => this.#kill('aborted');

  constructor(child: ChildProcess, options: ProgramOptions) {
    this.#child = child;
    this.#options = options;
    this.#timer = options.clock.setTimeout(() => this.#kill('timed_out'), options.timeoutMs);
    if (options.signal.aborted) this.#onAbort();
    else options.signal.addEventListener('abort', this.#onAbort);
  }

  end(): void {
    this.#timer.cancel();
    this.#options.signal.removeEventListener('abort', this.#onAbort);
    // Whoever of a condemned group outlived its leader goes now: the group's id may be another's later.
    if (this.#killTimer === undefined) return;
    this.#killTimer.cancel();
    signalGroup(this.#child, 'SIGKILL');
  }

  #kill(reason: 'timed_out' | 'aborted'): void {
    if (this.reason !== undefined) return;
    this.reason = reason;
    signalGroup(this.#child, 'SIGTERM');
    this.#killTimer = this.#options.clock.setTimeout(
      () => signalGroup(this.#child, 'SIGKILL'),
      TERM_GRACE_MS,
    );
  }
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // Nobody of the group is left.
  }
}

/** The first kilobytes of what a program prints on both channels. */
class Output {
  readonly #child: ChildProcess;
  readonly #parts: Buffer[] = [];
  #bytes = 0;

  constructor(child: ChildProcess) {
    this.#child = child;
    const keep = (part: Buffer): void => {
      if (this.#bytes >= OUTPUT_BYTES) return;
      this.#parts.push(part.subarray(0, OUTPUT_BYTES - this.#bytes));
      this.#bytes += part.length;
    };
    child.stdout!.on('data', keep);
    child.stderr!.on('data', keep);
  }

  get text(): string {
    return Buffer.concat(this.#parts).toString('utf8');
  }

  end(): void {
    this.#child.stdout!.destroy();
    this.#child.stderr!.destroy();
  }
}

/** The program's exit; its pipes get a moment more, since a child that it left running may hold them open. */
function ended(
  child: ChildProcess,
  clock: Clock,
): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      const timer = clock.setTimeout(() => resolve({ code, signal }), PIPE_GRACE_MS);
      child.once('close', () => {
        timer.cancel();
        resolve({ code, signal });
      });
    });
  });
}
