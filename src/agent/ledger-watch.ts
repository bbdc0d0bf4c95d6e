import type { Log } from '../platform/log.ts';
import type { Ledger, SinkProgress } from './ledger.ts';

export interface LedgerWatchOptions {
  readonly ledger: Ledger;
  readonly cursors: () => readonly SinkProgress[];
  /** The newest entry of the buffer. */
  readonly lastSeq: () => number;
  readonly log: Log;
}

/**
 * Asserts the ledger's identity at each commit. Where it does not hold that is a bug: told once and loudly, shown by a
 * metric and in /status for as long as it is so, and no reason to stop.
 */
export class LedgerWatch {
  readonly #options: LedgerWatchOptions;
  #broken: readonly string[] = [];

  constructor(options: LedgerWatchOptions) {
    this.#options = options;
  }

  /** The identities that did not hold at the last check, as sentences. */
  get broken(): readonly string[] {
    return this.#broken;
  }

  /** A few additions for each source and sink. */
  check(): void {
    const { ledger, cursors, lastSeq, log } = this.#options;
    const broken = ledger.check(cursors(), lastSeq());
    if (broken.length > 0 && this.#broken.length === 0)
      log.error({ broken }, 'the ledger does not add up: this is a bug');
    this.#broken = broken;
  }
}
