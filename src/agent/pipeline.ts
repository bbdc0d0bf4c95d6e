import type { BufferClosed } from '../buffer/buffer-closed.ts';
import type { Committer } from '../buffer/committer.ts';
import type { Chunk } from '../model/chunk.ts';
import { NO_LINES } from '../model/line-counts.ts';
import type { Fragment, Slice } from '../model/slice.ts';
import type { Log } from '../platform/log.ts';
import type { Tailer } from '../tail/tailer.ts';
import type { Lanes, Seat } from './lanes.ts';
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

/** So many chunks of a file are scanned in a row at most by a thread, */
const IN_A_ROW = 16;
/** and so many of them are with it at a time. */
const AT_ONCE = 3;

/**
 * Moves chunks from the tailer through a lane to the committer, several at once where there are several lanes. The
 * chunks of a stream go one after another to one lane, and from it to the committer. Backpressure comes from the
 * committer: while it has no room nothing is taken, and unread files are the buffer.
 */
export class Pipeline {
  readonly #options: PipelineOptions;
  readonly #stop = new AbortController();
  readonly #lanes: Lanes;
  #runners: Promise<void>[] = [];

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
      const chunk = await tailer.take(this.#stop.signal, () => committer.rest());
      if (chunk === undefined) return;
      const seat = await this.#lanes.seat(chunk);
      await this.#go(chunk, seat);
      seat.leave();
    }
  }

  /**
   * A thread is handed the next chunks of its file before the results of the first are here: it would wait for the main
   * thread, which scans as well, longer than it scans. Other files have their turn after a few.
   */
  async #go(first: Chunk, seat: Seat): Promise<void> {
    const { tailer } = this.#options;
    const underWay = [{ chunk: first, scanned: this.#scan(first, seat) }];
    let left = IN_A_ROW - 1;
    for (let front = underWay[0]; front !== undefined; front = underWay[0]) {
      const { chunk, scanned } = front;
      while (left > 0 && seat.queues() && underWay.length < AT_ONCE && this.#mayTake()) {
        const next = await tailer.takeNext(underWay.at(-1)!.chunk, scanned);
        if (next === undefined) break;
        left--;
        underWay.push({ chunk: next, scanned: this.#scan(next, seat) });
      }
      const fragment = await scanned;
      if (tailer.stands(chunk)) this.#commit(chunk, fragment);
      else fragment.giveBack?.();
      underWay.shift();
    }
  }

  #mayTake(): boolean {
    return !this.#stop.signal.aborted && this.#options.committer.hasRoom;
  }

  /** Never throws: a runner that ended would leave its file waiting for ever. */
  async #scan(chunk: Chunk, seat: Seat): Promise<Fragment> {
    try {
      const fragment = await seat.scan(chunk);
      const { consumed } = fragment;
      const { length } = chunk.bytes;
      if (consumed >= 0 && consumed <= length && (!chunk.flush || consumed === length)) return fragment;
      throw new RangeError(`${consumed} of ${length} bytes were said to be consumed`);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#options.log.debug(
        { source: chunk.source, path: chunk.path, from: chunk.from, error: (error as Error).stack },
        'a chunk cannot be scanned',
      );
      this.#options.onScanFailed(chunk.source, reason);
      return unscanned(chunk);
    }
  }

  #commit(chunk: Chunk, fragment: Fragment): void {
    const { tailer, labelsOf, onUnmatched } = this.#options;
    if (fragment.unmatchedSample !== undefined) onUnmatched(chunk.source, fragment.unmatchedSample);
    const position = tailer.settle(chunk, fragment.consumed, fragment.parserState);
    const { giveBack } = fragment;
    if (fragment.consumed === 0 && position.offset === chunk.from) {
      giveBack?.();
      return;
    }
    this.#add({
      position,
      from: chunk.from,
      counts: fragment.counts,
      deltas: fragment.deltas,
      records: fragment.records,
      labels: labelsOf(chunk.source),
      ...(giveBack === undefined ? {} : { giveBack }),
    });
  }

  /** Positions that move without a line: a first look at the end of a file, a stream that is finished, content that is gone. */
  addNotices(): void {
    for (const { position, from, missed } of this.#options.tailer.drainNotices()) {
      this.#add({
        position,
        from,
        counts: NO_LINES,
        deltas: NOTHING,
        records: [],
        labels: {},
        ...(missed === undefined ? {} : { missed }),
      });
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
