import type { BufferClosed } from '../buffer/buffer-closed.ts';
import type { Committer } from '../buffer/committer.ts';
import type { Chunk } from '../model/chunk.ts';
import { NO_LINES } from '../model/line-counts.ts';
import type { Position } from '../model/position.ts';
import type { Fragment, Slice } from '../model/slice.ts';
import type { Log } from '../platform/log.ts';
import type { Run } from '../tail/stream-reader.ts';
import type { Tailer } from '../tail/tailer.ts';
import type { ReadOn } from './lane.ts';
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

/** So many blocks of a file a thread reads in a row while others wait for their turn, */
const IN_A_ROW = 16;
/** and so many while none does, so that looks at a file that was moved need not wait for ever. */
const IN_A_ROW_MAX = 256;
/** So many of them it is asked for at a time. */
const AT_ONCE = 4;

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

  async #go(chunk: Chunk, seat: Seat): Promise<void> {
    const { tailer } = this.#options;
    const run = seat.readsOn() ? tailer.beginRun(chunk) : undefined;
    if (run === undefined) {
      tailer.readAhead(chunk);
      this.#commit(chunk, await this.#scan(chunk, seat));
    } else await this.#goOn(chunk, run, seat);
  }

  /**
   * A thread reads on in the file by itself: from here it would get its bytes later than it could have scanned them, since
   * this thread scans as well. It is asked for the next blocks before the results of the first are here.
   */
  async #goOn(first: Chunk, run: Run, seat: Seat): Promise<void> {
    const { tailer } = this.#options;
    let asked = 0;
    let over = false;
    const reads: Promise<ReadOn | undefined>[] = [];
    const ask = (): void => {
      while (!over && reads.length < AT_ONCE && this.#mayTake()) {
        const othersWait = tailer.othersWait || seat.isWanted();
        if (asked >= (othersWait ? IN_A_ROW : IN_A_ROW_MAX)) return;
        asked++;
        reads.push(seat.readOn(run.plan));
      }
    };
    const scanned = this.#scan(first, seat);
    ask();
    this.#commit(first, await scanned);
    for (let next = reads.shift(); next !== undefined; next = reads.shift()) {
      const read = await next;
      if (read === undefined || !this.#settleRead(run, read)) over = true;
      ask();
    }
    tailer.endRun(run);
  }

  #mayTake(): boolean {
    return !this.#stop.signal.aborted && this.#options.committer.hasRoom;
  }

  /** False where nothing of the run stands any more. */
  #settleRead(run: Run, { block, fragment }: ReadOn): boolean {
    const position = this.#options.tailer.settleRun(run, block);
    if (position === undefined) return false;
    this.#addScanned(run.plan, block.from, position, fragment);
    return true;
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
    const position = this.#options.tailer.settle(chunk, fragment.consumed, fragment.parserState);
    this.#addScanned(chunk, chunk.from, position, fragment);
  }

  #addScanned(
    { source, attributes }: Pick<Chunk, 'source' | 'attributes'>,
    from: number,
    position: Position,
    fragment: Fragment,
  ): void {
    const { labelsOf, onUnmatched } = this.#options;
    const { counts, deltas, records, giveBack, unmatchedSample } = fragment;
    if (unmatchedSample !== undefined) onUnmatched(source, unmatchedSample);
    if (fragment.consumed === 0 && position.offset === from) {
      giveBack?.();
      return;
    }
    const labels = records.length === 0 ? labelsOf(source) : { ...labelsOf(source), ...attributes };
    this.#add({ position, from, counts, deltas, records, labels, ...(giveBack && { giveBack }) });
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
