import type { Chunk } from '../model/chunk.ts';
import type { Position } from '../model/position.ts';
import type { WatchStatus } from '../model/status.ts';
import type { Clock } from '../platform/clock.ts';
import { errorCode, stepsOfLooking } from '../platform/files.ts';
import type { Log } from '../platform/log.ts';
import { shownPath } from '../platform/path-bytes.ts';
import type { PartState } from '../platform/stall-watch.ts';
import { blocksDecompressed } from './compressed-content.ts';
import { Catalogue } from './catalogue.ts';
import { leavesNothing, type RunBlock } from './file-run.ts';
import { Hints } from './hints.ts';
import type { Block } from './line-reader.ts';
import { LookSchedule } from './look-schedule.ts';
import { OpenFiles } from './open-files.ts';
import { ReadyQueue } from './ready-queue.ts';
import type { SourceSpec } from './source-spec.ts';
import type { Missed } from './sight.ts';
import type { Stream } from './stream.ts';
import { type Run, StreamReader } from './stream-reader.ts';
import { statusOf, type StreamStatus } from './stream-status.ts';
import { type SourceState, StreamTable } from './stream-table.ts';

export interface TailerOptions {
  readonly sources: readonly SourceSpec[];
  /** As they were committed; of sources that are not configured any more too. */
  readonly positions: readonly Position[];
  /** Above every stream number ever given in this state directory. */
  readonly nextStream: number;
  readonly clock: Clock;
  readonly log: Log;
  /** Between two looks at everything while the kernel sends hints. */
  readonly sweepIntervalMs?: number;
  /** The same while it does not. */
  readonly pollIntervalMs?: number;
  readonly chunkBytes?: number;
  readonly maxOpenFiles?: number;
  /** Whether to ask the kernel for hints. */
  readonly watch?: boolean;
  /** `drainNotices` has something; never called from within `settle`. */
  readonly onNotice?: () => void;
}

/** A position to be committed although no bytes were read. Its path is '' where the stream is to be forgotten. */
export interface Notice {
  readonly position: Position;
  readonly from: number;
  readonly missed?: Missed;
}

interface Outstanding {
  readonly chunk: Chunk;
  readonly stream: Stream;
  readonly block: Block;
}

const FIRST_BLOCK_BYTES = 256 * 1024;
const RETRY_MS_MIN = 50;
const RETRY_MS_MAX = 10_000;
/** How often a file that has no name any more is asked whether it still grows. */
const UNLINKED_POLL_MS = 100;
/** A compressed file that is damaged after so many tries stays so. */
const SEALED_RETRIES_MAX = 8;

/**
 * The durable reader: files in, chunks of whole lines out, each stream's position moving only as its chunks are
 * settled. Hints and looks put streams into the queue of those that may have something to read; lanes take from
 * that queue, in turns, and read; what is settled moves the stream's place.
 */
export class Tailer {
  readonly #options: TailerOptions;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #table: StreamTable;
  readonly #files: OpenFiles;
  readonly #reader: StreamReader;
  readonly #catalogue: Catalogue;
  readonly #looks: LookSchedule;
  readonly #hints: Hints;
  readonly #queue = new ReadyQueue();
  /** By stream. */
  readonly #outstanding = new Map<number, Outstanding>();
  /** By stream: it stays busy. */
  readonly #runs = new Map<number, Run>();
  /** Reads for a `take` that are under way. */
  #reads = 0;
  /** By source: how often something was done with one of its files. */
  readonly #steps = new Map<string, number>();
  /** Positions of sources that are not configured (any more). */
  #parked: Position[];
  #notices: Notice[] = [];
  #stopped = false;

  constructor(options: TailerOptions) {
    const { clock, log, sources } = options;
    const chunkBytes = options.chunkBytes ?? 1024 * 1024;
    this.#options = options;
    this.#clock = clock;
    this.#log = log;
    this.#table = new StreamTable(options.nextStream, Math.min(FIRST_BLOCK_BYTES, chunkBytes));
    this.#files = new OpenFiles(options.maxOpenFiles ?? 512);
    this.#reader = new StreamReader(this.#files, chunkBytes, log);
    this.#catalogue = new Catalogue(this.#table, this.#files, clock, log, {
      ready: (stream) => this.#queue.add(stream),
      noted: (stream, missed) => this.#note(stream, missed),
      undecided: (path) => this.#looks.again(path),
      silent: () => this.#looks.pollForAWhile(),
      passing: {
        folder: (path, id) => this.#hints.folder(path, id),
        lead: (at, path) => this.#hints.lead(at, path),
      },
      lookBegins: () => this.#hints.begin(),
      lookEnds: () => this.#hints.end(),
    });
    const intervals = { sweepMs: options.sweepIntervalMs ?? 10_000, pollMs: options.pollIntervalMs ?? 250 };
    this.#looks = new LookSchedule(this.#catalogue, clock, log, intervals, () => this.#hints.working);
    this.#hints = new Hints(this.#table, this.#catalogue, this.#looks, this.#queue, log);
    this.#parked = [...options.positions];
    for (const source of sources) this.#addSource(source);
  }

  /** Looks for files, resumes those that are known, and watches from here on. */
  async start(): Promise<void> {
    if (this.#options.watch !== false) this.#hints.start();
    await this.lookAtAll();
  }

  /** Resolves after one whole look at everything, however much of it has to be looked at again. */
  async lookAtAll(): Promise<void> {
    await this.#looks.atAll();
  }

  /**
   * The next chunk; `undefined` once aborted or stopped. Several lanes may wait at once. `onRest` is called when no file is
   * known to have more and no chunk is under way.
   */
  async take(signal: AbortSignal, onRest?: () => void): Promise<Chunk | undefined> {
    while (!signal.aborted && !this.#stopped) {
      const stream = this.#queue.next();
      if (stream === undefined) {
        if (this.#reads + this.#outstanding.size + this.#runs.size === 0) onRest?.();
        await this.#queue.wait(signal);
        continue;
      }
      this.#reads++;
      const chunk = await this.#readFrom(stream).finally(() => this.#reads--);
      this.#stepped(stream);
      if (chunk !== undefined) return chunk;
    }
    return undefined;
  }

  /** Reads what follows a chunk that is under way, so that it is at hand. */
  readAhead(chunk: Chunk): void {
    const { stream, block } = this.#underWay(chunk);
    if (block.more) this.#reader.readAhead(stream, block);
  }

  /**
   * Lets another thread read what follows a chunk that is under way; undefined where that has to wait. The chunk is settled
   * first, then what that thread read, in order; when it will give nothing more the run is ended.
   */
  beginRun(chunk: Chunk): Run | undefined {
    const { stream, block } = this.#underWay(chunk);
    const run = this.#reader.beginRun(stream, block);
    if (run !== undefined) this.#runs.set(stream.number, run);
    return run;
  }

  /** All of the block is done with. Returns the position to be committed; undefined where it will come again. */
  settleRun(run: Run, { from, to, anchor, more }: RunBlock): Position | undefined {
    const { stream } = run;
    run.stands &&= stream.state === 'following' && stream.offset === from;
    if (!run.stands) return undefined;
    stream.offset = stream.takenTo = to;
    stream.anchor = anchor;
    this.#stepped(stream);
    stream.size = Math.max(stream.size, to);
    run.more = more;
    return stream.position();
  }

  endRun(run: Run): void {
    const { stream, lent } = run;
    lent.giveBack();
    this.#runs.delete(stream.number);
    // The file may have grown since it was read.
    stream.dirty = true;
    this.#free(stream, run.more, false);
  }

  /**
   * `consumed` bytes of the chunk are done with; the rest comes again with what follows it. The chunk's bytes must
   * not be used any more. Returns the position to be committed.
   */
  settle(chunk: Chunk, consumed: number, parserState?: string): Position {
    if (consumed < 0 || consumed > chunk.bytes.length || (chunk.flush && consumed < chunk.bytes.length)) {
      throw new RangeError(
        `settle: ${consumed} of ${chunk.bytes.length} bytes of ${chunk.path} cannot be consumed`,
      );
    }
    const { stream, block } = this.#underWay(chunk);
    this.#outstanding.delete(stream.number);
    this.#reader.advance(stream, chunk, block, consumed);
    if (parserState !== undefined) stream.parserState = parserState;
    stream.quietSinceMs = undefined;
    const run = this.#runs.get(stream.number);
    if (run === undefined) this.#free(stream, block.more, block.final);
    else run.stands = leavesNothing(chunk, consumed, parserState);
    if (consumed < chunk.bytes.length) this.#expectMore(stream);
    return stream.position();
  }

  /** These positions are durable. */
  committed(positions: readonly Position[]): void {
    for (const { stream, offset } of positions) {
      const known = this.#table.get(stream);
      if (known !== undefined) known.committedOffset = offset;
    }
  }

  /** Whether a file that may have something to read waits for who reads it. */
  get othersWait(): boolean {
    return !this.#queue.isEmpty;
  }

  drainNotices(): readonly Notice[] {
    const notices = this.#notices;
    this.#notices = [];
    return notices;
  }

  /**
   * Takes over changed sources; streams of those that stay go on where they are. `pause` is called between two looks, and
   * resolves when nothing is read any more; who reads again sees what was there before, and the next look brings the rest.
   */
  async updateSources(sources: readonly SourceSpec[], pause = async () => {}): Promise<void> {
    await this.#looks.between(async () => {
      await pause();
      await this.#change(sources);
    });
    this.#looks.now('');
  }

  async #change(sources: readonly SourceSpec[]): Promise<void> {
    for (const name of this.#table.sources.keys()) {
      if (!sources.some((source) => source.name === name)) await this.#parkSource(name);
    }
    for (const source of sources) {
      const state = this.#table.sources.get(source.name);
      if (state === undefined) this.#addSource(source);
      else {
        const { encoding } = state.spec;
        await this.#parkStreams(this.#table.change(state, source));
        if (source.encoding !== encoding)
          this.#reader.detectAnew([...this.#table.streams].filter((stream) => stream.source === source));
        this.#takeUp(state);
      }
    }
  }

  /**
   * For those who watch that reading goes on: the sources, the files that somebody reads or scans just now, and looking
   * for files. `reason` tells why files may not be read for now.
   */
  parts(reason: string | undefined): readonly PartState[] {
    const waiting = new Map<string, number>();
    const busy: PartState[] = [];
    for (const stream of this.#table.streams) {
      const { state, steps, path, source, content } = stream;
      // Where one waits for the rest of the file before it, that file tells.
      if (state !== 'following' || stream.after?.blocking === true) continue;
      const isUnread = stream.size > stream.seenTo && stream.error === undefined;
      if (stream.busy || stream.queued || isUnread)
        waiting.set(source.name, (waiting.get(source.name) ?? 0) + (content?.progress ?? 0));
      if (!stream.busy) continue;
      busy.push({
        part: 'file',
        name: shownPath(path),
        waits: true,
        progress: `${steps} ${content?.progress}`,
      });
    }
    const progress = this.#catalogue.steps + stepsOfLooking() + blocksDecompressed();
    return [
      ...[...this.#table.sources].map(([name, { unreadable }]) => ({
        part: 'reading',
        name,
        waits: waiting.has(name),
        progress: `${this.#steps.get(name) ?? 0} ${waiting.get(name)}`,
        reason,
        note: unreadable.size === 0 ? undefined : `${unreadable.size} files or folders cannot be read`,
      })),
      ...busy,
      { part: 'looking', name: 'files', waits: this.#looks.isLooking, progress },
    ];
  }

  /** Above every stream number given so far. */
  get nextStream(): number {
    return this.#table.nextStream;
  }

  get openFiles(): number {
    return this.#files.count;
  }

  /** How much of what the sources name the kernel tells of. */
  get watching(): WatchStatus {
    return this.#hints.status;
  }

  status(): readonly StreamStatus[] {
    const streams = [...this.#table.streams].map((stream) => statusOf(stream));
    const unreadable = [...this.#table.sources.values()].flatMap((state) =>
      [...state.unreadable].map(([path, error]): StreamStatus => {
        const nothing = { stream: 0, offset: 0, size: 0, lagBytes: 0 };
        return { source: state.spec.name, path: shownPath(path), ...nothing, state: 'unreadable', error };
      }),
    );
    return [...streams, ...unreadable];
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#queue.wake();
    this.#hints.close();
    await this.#looks.stop();
    for (const stream of this.#table.streams) {
      stream.cancelTimers();
      await stream.ahead?.outcome;
      await this.#files.release(stream);
    }
  }

  async #readFrom(stream: Stream): Promise<Chunk | undefined> {
    stream.busy = true;
    stream.dirty = false;
    try {
      const outcome = await this.#reader.read(stream);
      if (stream.error !== undefined)
        this.#log.info({ path: shownPath(stream.path) }, 'a file can be read again');
      stream.error = undefined;
      if (outcome !== undefined) stream.retries = 0;
      if (outcome?.kind === 'lines' || outcome?.kind === 'end') stream.verified = true;
      if (this.#stopped || stream.state !== 'following') {
        if (outcome?.kind === 'lines') this.#reader.giveBack(outcome.block);
        stream.busy = false;
        return undefined;
      }
      if (outcome?.kind === 'lines') return this.#deliver(stream, outcome.block);
      if (outcome?.kind === 'end') {
        stream.scanned = outcome.scanned;
        stream.endedAt(outcome.size);
        this.#reachedEnd(stream);
        return undefined;
      }
      if (outcome?.kind === 'replaced') await this.#catalogue.replaced(stream);
      stream.busy = false;
      this.#looks.now(stream.path);
      // The look may find it where it is, unchanged.
      if (outcome === undefined) this.#retry(stream);
    } catch (error) {
      this.#failed(stream, error);
    }
    return undefined;
  }

  #deliver(stream: Stream, block: Block): Chunk | undefined {
    if (block.to <= stream.heldTo && !stream.flushDue && !block.final) {
      this.#reader.giveBack(block);
      // Lines that the parser holds already. A block full of them: more will not come before it lets go.
      if (!block.more) return this.#reachedEnd(stream);
      stream.flushDue = true;
      stream.busy = false;
      this.#queue.add(stream);
      return undefined;
    }
    const flush = block.final || stream.flushDue;
    stream.flushDue = false;
    stream.takenTo = block.to;
    stream.size = Math.max(stream.size, block.to);
    const chunk = this.#reader.toChunk(stream, block, flush, this.#clock.now());
    this.#outstanding.set(stream.number, { chunk, stream, block });
    return chunk;
  }

  #underWay(chunk: Chunk): Outstanding {
    const outstanding = this.#outstanding.get(chunk.stream);
    if (outstanding?.chunk !== chunk) throw new Error(`a chunk of ${chunk.path} that is not outstanding`);
    return outstanding;
  }

  #stepped(stream: Stream): void {
    const { name } = stream.source;
    stream.steps++;
    this.#steps.set(name, (this.#steps.get(name) ?? 0) + 1);
  }

  /** Nobody reads it any more. */
  #free(stream: Stream, more: boolean, final: boolean): void {
    this.#stepped(stream);
    stream.busy = false;
    if (final) this.#finish(stream);
    else if (more || stream.dirty || stream.finishing || stream.flushDue) this.#queue.add(stream);
    else this.#reachedEnd(stream);
  }

  #reachedEnd(stream: Stream): undefined {
    stream.busy = false;
    stream.seenTo = stream.size;
    if (stream.dirty) {
      this.#queue.add(stream);
      return;
    }
    stream.atEnd = true;
    this.#queue.wake();
    if (stream.finishing) this.#finish(stream);
    else if (stream.content?.sealed === true) this.#finishSoon(stream);
    else if (stream.retired) this.#linger(stream);
  }

  /** Waits until a file that was rotated away or deleted has been quiet for long enough. */
  #linger(stream: Stream): void {
    const now = this.#clock.monotonic();
    stream.quietSinceMs ??= now;
    const left = stream.source.lingerMs - (now - stream.quietSinceMs);
    if (left <= 0) {
      this.#finishSoon(stream);
      return;
    }
    stream.lingerTimer?.cancel();
    // No hint and no listing tells of a file without a name.
    const wait = stream.bound ? left : Math.min(left, UNLINKED_POLL_MS);
    stream.lingerTimer = this.#clock.setTimeout(() => this.#queue.add(stream), Math.ceil(wait));
  }

  #finishSoon(stream: Stream): void {
    stream.finishing = true;
    this.#queue.add(stream);
  }

  #finish(stream: Stream): void {
    if (stream.state !== 'following') return;
    stream.state = 'finished';
    stream.finishing = false;
    stream.quietSinceMs = undefined;
    stream.atEnd = true;
    stream.heldTo = 0;
    stream.cancelTimers();
    this.#reader.dropAhead(stream);
    void this.#files.release(stream);
    this.#note(stream);
    this.#queue.wake();
    if (!stream.bound) this.#looks.now(stream.path);
  }

  #expectMore(stream: Stream): void {
    const wait = stream.source.multilineTimeoutMs;
    if (wait === undefined) return;
    stream.multilineTimer?.cancel();
    stream.multilineTimer = this.#clock.setTimeout(() => {
      stream.multilineTimer = undefined;
      if (stream.heldTo === 0) return;
      stream.flushDue = true;
      this.#queue.add(stream);
    }, wait);
  }

  #failed(stream: Stream, error: unknown): void {
    stream.busy = false;
    this.#reader.dropAhead(stream);
    const code = errorCode(error) || String(error);
    const fields = { source: stream.source.name, path: shownPath(stream.path), code };
    if (stream.error !== code) this.#log.warn(fields, 'a file cannot be read; it is tried again');
    stream.error = code;
    // Others do not wait for it.
    stream.atEnd = true;
    this.#queue.wake();
    if (stream.body.compression !== 'none' && stream.retries >= SEALED_RETRIES_MAX) {
      this.#log.error(fields, 'a rotated file is damaged: what had not been read of it is lost');
      this.#catalogue.giveUp(stream);
      return;
    }
    this.#retry(stream);
  }

  #retry(stream: Stream): void {
    const wait = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** Math.min(10, stream.retries++));
    stream.retryTimer?.cancel();
    stream.retryTimer = this.#clock.setTimeout(() => this.#queue.add(stream), wait);
  }

  #addSource(source: SourceSpec): void {
    this.#takeUp(this.#table.addSource(source));
  }

  /** Goes on with what was parked of the source and is wanted now. */
  #takeUp(state: SourceState): void {
    const mine = this.#parked.filter((position) => position.source === state.spec.name);
    const others = this.#parked.filter((position) => position.source !== state.spec.name);
    this.#parked = [...others, ...this.#table.takeUp(state, mine)];
  }

  async #parkSource(name: string): Promise<void> {
    const streams = [...this.#table.streams].filter((stream) => stream.source.name === name);
    await this.#parkStreams(streams);
    this.#table.sources.delete(name);
  }

  /** Streams that no source wants: their positions are kept, should one want them again. */
  async #parkStreams(streams: readonly Stream[]): Promise<void> {
    for (const stream of streams) {
      this.#parked.push(stream.position());
      const state = this.#table.sources.get(stream.source.name);
      if (state !== undefined) this.#table.remove(state, stream);
      stream.state = 'parked';
      await this.#files.release(stream);
    }
    this.#queue.wake();
  }

  #note(stream: Stream, missed?: Missed): void {
    const position = stream.position();
    this.#notices.push({ position, from: stream.offset, ...(missed === undefined ? {} : { missed }) });
    this.#queue.wake();
    // Not at once: where it is `settle` that finishes the stream, its caller commits the lines before their end.
    queueMicrotask(() => this.#options.onNotice?.());
  }
}
