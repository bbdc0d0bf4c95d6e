import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

const CALLS = 'fsync,fdatasync,write,writev,pwrite64,pwritev,read,pread64,openat,rename';

/** What a process asks of the kernel, by `strace -c`, where that is installed. */
export class SystemCalls {
  #strace: ChildProcess | undefined;
  #said = '';

  /** Resolves once all threads are followed. */
  async start(pid: number): Promise<void> {
    const strace = spawn('strace', ['-c', '-f', '-w', '-e', `trace=${CALLS}`, '-p', String(pid)], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    strace.stderr.setEncoding('utf8').on('data', (text: string) => (this.#said += text));
    const first = await Promise.race([
      once(strace.stderr, 'data').then(() => 'follows'),
      once(strace, 'error').then(() => 'missing'),
    ]);
    if (first === 'follows') this.#strace = strace;
  }

  async stop(): Promise<string> {
    if (this.#strace === undefined) return 'strace is not installed';
    this.#strace.kill('SIGINT');
    await once(this.#strace, 'close');
    return this.#said
      .split('\n')
      .filter((line) => !line.startsWith('strace:'))
      .join('\n');
  }
}
