import type { Buffer } from '../buffer/buffer.ts';
import type { Log } from '../platform/log.ts';
import type { DurableState } from './durable-state.ts';

/** Stores the agent's state, one snapshot at a time. */
export class Snapshots {
  readonly #buffer: Pick<Buffer, 'snapshot' | 'closed'>;
  readonly #state: Pick<DurableState, 'snapshot'>;
  readonly #log: Log;
  #taking: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(buffer: Pick<Buffer, 'snapshot' | 'closed'>, state: Pick<DurableState, 'snapshot'>, log: Log) {
    this.#buffer = buffer;
    this.#state = state;
    this.#log = log;
  }

  /** Resolves when the state, as it is now or later, is stored or the disk has refused it. Never rejects. */
  take(): Promise<void> {
    if (this.#taking !== undefined) {
      this.#next ??= this.#taking.then(() => {
        this.#next = undefined;
        return this.take();
      });
      return this.#next;
    }
    this.#taking = this.#write().finally(() => {
      this.#taking = undefined;
    });
    return this.#taking;
  }

  async #write(): Promise<void> {
    if (this.#buffer.closed) return;
    try {
      await this.#buffer.snapshot(this.#state.snapshot());
    } catch (error) {
      this.#log.error({ error: String(error) }, 'snapshot failed');
    }
  }
}
