import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export interface Child {
  /** The first line it prints. */
  firstLine(): Promise<string>;
}

/** Node processes that live and end together. Each has its standard input on a pipe and is asked to end when that ends. */
export class ChildGroup {
  readonly #children: { readonly name: string; readonly process: ChildProcess }[] = [];
  readonly #failed: Promise<string>;
  #fail!: (reason: string) => void;
  #stopping = false;

  constructor() {
    this.#failed = new Promise((resolve) => {
      this.#fail = resolve;
    });
  }

  spawn(name: string, args: readonly string[]): Child {
    const child = spawn(process.execPath, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, TAFFRAIL_STOP_WITH_STDIN: '1' },
      // Own group: Ctrl-C reaches us alone, and we stop the children in reverse order.
      detached: true,
    });
    let complaints = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaints = (complaints + text).slice(-2000);
    });
    const firstLine = once(createInterface({ input: child.stdout }), 'line');
    firstLine.catch(() => undefined);
    child.on('exit', (code, signal) => {
      if (!this.#stopping) this.#fail(`the ${name} ended (${signal ?? `status ${code}`}):\n${complaints}`);
    });
    this.#children.push({ name, process: child });
    return {
      firstLine: async () =>
        String(
          (
            await Promise.race([firstLine, this.#failed.then((reason) => Promise.reject(new Error(reason)))])
          )[0],
        ),
    };
  }

  /** Resolves with a sentence when a child ends by itself. */
  async failure(): Promise<string> {
    return this.#failed;
  }

  /** Ends the children, last started first; SIGKILL for what is still there at the deadline. */
  async stop(deadlineMs: number): Promise<void> {
    this.#stopping = true;
    for (const { process: child } of this.#children.toReversed()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), deadlineMs);
      await exited;
      clearTimeout(timer);
    }
  }
}
