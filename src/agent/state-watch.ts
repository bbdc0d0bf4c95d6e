import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock, Timer } from '../platform/clock.ts';
import { makeFolderDurably } from '../platform/durable-files.ts';
import type { Log } from '../platform/log.ts';

const EACH_MS = 2000;
const ALWAYS_THERE = ['identity.json', 'lock.pid'];

export interface StateWatchOptions {
  readonly dir: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Files below the folder that are missing. */
  readonly missing: () => readonly string[];
  /** Writes everything that is in memory anew, in this order. */
  readonly renew: readonly (() => Promise<unknown>)[];
}

/**
 * Somebody may empty the folder of state while the agent runs. Then a restart would know nothing and ship all again, so
 * it is looked at every few seconds, and what is missing is told and written anew from memory.
 */
export class StateWatch {
  readonly #options: StateWatchOptions;
  #timer: Timer | undefined;
  #looking: Promise<void> = Promise.resolve();
  #stopped = false;
  #failed = false;

  constructor(options: StateWatchOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = this.#options.clock.setTimeout(() => {
      this.#looking = this.look().then(() => {
        if (!this.#stopped) this.start();
      });
    }, EACH_MS);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#looking;
  }

  /** Looks twice, since files of ours come and go. */
  async look(): Promise<void> {
    const first = new Set(this.#missing());
    if (first.size === 0) return;
    await new Promise((resolve) => setImmediate(resolve));
    const missing = this.#missing().filter((file) => first.has(file));
    if (missing.length === 0) return;
    const { dir, log, renew } = this.#options;
    if (!this.#failed)
      log.error(
        { dir, missing: missing.slice(0, 10), files: missing.length },
        'files were removed from state_dir while the agent ran; what is in memory is written anew',
      );
    try {
      await makeFolderDurably(dir, 0o750, 'state');
      for (const step of renew) await step();
      this.#failed = false;
      log.warn(
        { dir },
        'state_dir is written anew; entries that were removed before they were delivered are lost',
      );
    } catch (error) {
      if (!this.#failed)
        log.error({ dir, error: String(error) }, 'state_dir cannot be written anew; it is tried again');
      this.#failed = true;
    }
  }

  #missing(): readonly string[] {
    const { dir, missing } = this.#options;
    return [...ALWAYS_THERE.map((name) => join(dir, name)).filter((file) => !existsSync(file)), ...missing()];
  }
}
