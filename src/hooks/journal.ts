import { join } from 'node:path';
import type { Clock } from '../platform/clock.ts';
import { isDiskTrouble, makeFolderDurably } from '../platform/durable-files.ts';
import { LineJournal } from '../platform/line-journal.ts';
import type { Log } from '../platform/log.ts';

const NAME = 'journal';
const COMPACT_AT_LEAST_BYTES = 1024 * 1024;
const RETRY_MS = 5000;
const AREA = 'hooks.journal';

/** The first line, so that a file that was emptied is known from one without any step. */
const HEAD = { format: 1, journal: 'hooks' };

export interface JournalOptions {
  readonly dir: string;
  readonly clock: Clock;
  readonly log: Log;
  /** The steps that build the present state from nothing. */
  readonly snapshot: () => Iterable<unknown>;
}

/** The durable steps of alerting. Each line but the first is the list of the steps of one append, which so are there together or not at all. */
export class Journal {
  readonly #options: JournalOptions;
  readonly #lines: LineJournal;

  constructor(options: JournalOptions) {
    this.#options = options;
    this.#lines = new LineJournal({
      area: 'hooks.journal',
      file: join(options.dir, NAME),
      what: 'notification journal',
      clock: options.clock,
      log: options.log,
      snapshot: function* () {
        yield HEAD;
        for (const step of options.snapshot()) yield [step];
      },
      compactAtLeastBytes: COMPACT_AT_LEAST_BYTES,
      retryMs: RETRY_MS,
      failedMessage: 'the notification journal cannot be written; alerts are told from memory until it can',
    });
  }

  /** False while what is appended stays in memory only. */
  get healthy(): boolean {
    return this.#lines.healthy;
  }

  /** Reads all steps that the file holds. Follow it by `start` once they are applied. */
  async load(): Promise<readonly unknown[]> {
    const { dir, log } = this.#options;
    // A full disk is the journal's to report, and to wait for.
    await makeFolderDurably(dir, 0o700, AREA).catch((error: unknown) => {
      if (!isDiskTrouble(error)) throw error;
    });
    const { found, bytes, values } = await this.#lines.load();
    if (found && bytes === 0)
      log.warn(
        { file: join(dir, NAME) },
        'the notification journal is empty; silences and notifications that were owed, if there were any, are gone',
      );
    return values.filter((value) => Array.isArray(value)).flat() as unknown[];
  }

  /** Writes the present state as a fresh file; where that fails, work goes on in memory until it can be written. */
  async start(): Promise<void> {
    await this.#lines.start();
  }

  /** Resolves once the steps are on disk. Rejects when they are not; then they will be with the next rewrite. */
  async append(steps: readonly unknown[]): Promise<void> {
    if (steps.length > 0) await this.#lines.append(steps);
  }

  /** Its file was removed behind our back. */
  async renew(): Promise<void> {
    await this.#lines.renew();
  }

  async close(): Promise<void> {
    await this.#lines.close();
  }
}
