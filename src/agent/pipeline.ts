import type { BufferClosed } from '../buffer/buffer-closed.ts';
import type { Committer } from '../buffer/committer.ts';
import type { Chunk } from '../model/chunk.ts';
import { NO_LINES } from '../model/line-counts.ts';
import type { Slice } from '../model/slice.ts';
import type { Log } from '../platform/log.ts';
import type { Tailer } from '../tail/tailer.ts';
import type { Lanes } from './lanes.ts';
import type { Scanned } from './scanner-set.ts';
import { unscanned } from './unscanned.ts';

export interface PipelineOptions {
  readonly tailer: Tailer;
  readonly committer: Committer;
  readonly log: Log;
  /** Labels of a source as they are now configured. */
  readonly labelsOf: (source: string) => Readonly<Record<string, string>>;
  readonly onUnmatched: (source: string, sample: string) => void;
  /** A chunk of the source could not be scanned: its lines are passed over, and counted. */
  readonly onScanFailed: (source: string, reason: string) => void;
}

/**
 * Moves chunks from the tailer through a lane to the committer, several at once where there are several lanes. Of a
 * stream one chunk is scanned at a time; the next may be while the records of the last are still compressed, so what is
 * scanned is handed to the committer in the order in which it was. Backpressure comes from the committer: while it has no
 * room nothing is taken, and unread files are the buffer.
 */
export class Pipeline {
  readonly #options: PipelineOptions;
  readonly #stop = new AbortController();
  readonly #lanes: Lanes;
  #runners: Promise<void>[] = [];
  /** What was scanned, and what was noticed, up to here is with the committer. */
  #handedOver: Promise<void> = Promise.resolve();

  constructor(options: PipelineOptions, lanes: Lanes) {
    this.#options = options;
    this.#lanes = lanes;
  }

  start(): void {
    this.#runners = Array.from({ length: this.#lanes.width }, async () => this.#run());
    this.addNotices();
  }

  /** Takes nothing more; resolves when what was taken is with the committer. Does not wait for a buffer that is full. */
  async pause(): Promise<void> {
    this.#stop.abort();
    this.#options.committer.wake();
    await Promise.all(this.#runners);
    this.addNotices();
    await this.#handedOver;
  }

  /** Takes nothing more; resolves when what was taken is committed. */
  async stop(): Promise<void> {
    await this.pause();
    await this.#options.committer.flush();
  }

  async #run(): Promise<void> {
    const { tailer, committer } = this.#options;
    while (!this.#stop.signal.aborted) {
      await committer.ready(this.#stop.signal);
      const chunk = await tailer.take(this.#stop.signal, () => this.#inTurn(() => committer.rest()));
      if (chunk === undefined) return;
      this.#commit(chunk, await this.#scan(chunk));
    }
  }

  /** Never throws: a runner that ended would leave its file waiting for ever. */
  async #scan(chunk: Chunk): Promise<Scanned> {
    try {
      const scanned = await this.#lanes.scan(chunk);
      const { consumed } = scanned.fragment;
      const { length } = chunk.bytes;
      if (consumed >= 0 && consumed <= length && (!chunk.flush || consumed === length)) return scanned;
      throw new RangeError(`${consumed} of ${length} bytes were said to be consumed`);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#options.log.debug(
        { source: chunk.source, path: chunk.path, from: chunk.from, error: (error as Error).stack },
        'a chunk cannot be scanned',
      );
      this.#options.onScanFailed(chunk.source, reason);
      return { fragment: unscanned(chunk), records: Promise.resolve([]) };
    }
  }

  #commit(chunk: Chunk, { fragment, records }: Scanned): void {
    const { tailer, labelsOf, onUnmatched } = this.#options;
    if (fragment.unmatchedSample !== undefined) onUnmatched(chunk.source, fragment.unmatchedSample);
    const position = tailer.settle(chunk, fragment.consumed, fragment.parserState);
    if (fragment.consumed === 0 && position.offset === chunk.from) return;
    const slice = {
      position,
      from: chunk.from,
      counts: fragment.counts,
      deltas: fragment.deltas,
      labels: labelsOf(chunk.source),
    };
    this.#inTurn(async () => this.#add({ ...slice, records: await records }));
  }

  /** Does it after what was to be done so far. It must not throw. */
  #inTurn(next: () => void | Promise<void>): void {
    const before = this.#handedOver;
    this.#handedOver = (async () => {
      await before;
      await next();
    })();
  }

  /** Positions that move without a line: a first look at the end of a file, a stream that is finished, content that is gone. */
  addNotices(): void {
    for (const { position, from, missed } of this.#options.tailer.drainNotices()) {
      const slice = {
        position,
        from,
        counts: NO_LINES,
        deltas: NOTHING,
        records: [],
        labels: {},
        ...(missed === undefined ? {} : { missed }),
      };
      this.#inTurn(() => this.#add(slice));
    }
  }

  /** Rejects only when the buffer closes first: then the lines are read again at the next start. */
  #add(slice: Slice): void {
    this.#options.committer
      .add(slice)
      .then(() => this.#options.tailer.committed([slice.position]))
      .catch((error: BufferClosed) =>
        this.#options.log.debug({ error: error.message }, 'slice not committed'),
      );
  }
}

const NOTHING = new Uint8Array(0);
