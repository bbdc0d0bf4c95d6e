import type { LogWriter } from '../../samples/log-codec.ts';
import type { IngestResult } from '../store/ingest-request.ts';
import type { HeadLog } from './head-log.ts';

type Answer = (result: IngestResult) => void;

/**
 * Answers requests once what they brought is durable: all that came while a write was under way is written together. What
 * could not be written is kept, and written before anything else: a repeat of it would find its samples known, and would
 * be acknowledged without them.
 */
export class GroupCommit {
  readonly #writer: LogWriter;
  readonly #log: HeadLog;
  #waiting: { readonly result: IngestResult; readonly answer: Answer }[] = [];
  #unwritten: Uint8Array | undefined;
  #work: Promise<void> = Promise.resolve();
  #isScheduled = false;
  #commits = 0;

  constructor(writer: LogWriter, log: HeadLog) {
    this.#writer = writer;
    this.#log = log;
  }

  get commits(): number {
    return this.#commits;
  }

  /** Whether something that is in memory could not be written: nothing more is to be taken until it is. */
  get isFailing(): boolean {
    return this.#unwritten !== undefined;
  }

  /** Gives the result once all that is in the log by now is durable; else that it failed. */
  answer(result: IngestResult, answer: Answer): void {
    this.#waiting.push({ result, answer });
    this.schedule();
  }

  schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    // What arrives at the same time is read first.
    setImmediate(() => void this.run(() => this.#commit()));
  }

  /** Does work on the log's files when no other is under way. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#work.then(work);
    this.#work = done.then(
      () => undefined,
      () => undefined,
    );
    return done;
  }

  async #commit(): Promise<void> {
    this.#isScheduled = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    try {
      await this.#write();
    } catch (error) {
      const message = failureMessage(error);
      for (const { result, answer } of waiting)
        answer(result.kind === 'stored' ? { kind: 'failed', message } : result);
      return;
    }
    for (const { result, answer } of waiting) answer(result);
  }

  async #write(): Promise<void> {
    if (this.#unwritten !== undefined) {
      await this.#log.append(this.#unwritten);
      this.#unwritten = undefined;
    }
    if (this.#writer.length === 0) return;
    const group = this.#writer.take();
    this.#unwritten = group;
    await this.#log.append(group);
    this.#unwritten = undefined;
    this.#commits++;
  }
}

export function failureMessage(error: unknown): string {
  const { message } = error as Error;
  if (/disk is full|ENOSPC/i.test(message)) return 'the disk of the collector is full';
  return `the store cannot write: ${message}`;
}
