import type { Chunk } from '../model/chunk.ts';
import type { Position } from '../model/position.ts';
import type { Clock, Timer } from '../platform/clock.ts';
import { errorCode } from '../platform/files.ts';
import type { Log } from '../platform/log.ts';
import { BufferPool } from './buffer-pool.ts';
import { Catalogue } from './catalogue.ts';
import { anchorBefore, growFingerprint } from './fingerprint.ts';
import { FolderWatch } from './folder-watch.ts';
import { readLines, type Block, type ReadOutcome } from './line-reader.ts';
import { OpenFiles, openContent } from './open-files.ts';
import type { SourceSpec } from './source-spec.ts';
import type { Stream } from './stream.ts';
import { encodingOf } from './text-encoding.ts';

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
  /** `drainNotices` has something. */
  readonly onNotice?: () => void;
}

/** A position to be committed although no bytes were read. Its path is '' where the stream may be forgotten. */
export interface Notice {
  readonly position: Position;
  readonly from: number;
  readonly missed?: { readonly reason: 'truncated' | 'deleted'; readonly bytes: number };
}

export interface StreamStatus {
  readonly source: string;
  readonly path: string;
  readonly stream: number;
  readonly offset: number;
  readonly size: number;
  readonly lagBytes: number;
  readonly state: 'following' | 'replaced' | 'finished' | 'unreadable';
  readonly error?: string;
}

interface Outstanding {
  readonly chunk: Chunk;
  readonly stream: Stream;
  readonly block: Block;
}

const FIRST_BLOCK_BYTES = 256 * 1024;
const UNDECIDED_RETRY_MS = 100;
const RETRY_MS_MAX = 10_000;
/** A look may cost one part in so many of the time. */
const LOOK_COST_PART = 250;

/**
 * The durable reader: files in, chunks of whole lines out, each stream's position moving only as its chunks are
 * settled. Three things happen here: hints and looks put streams into the queue of those that may have something to
 * read; lanes take from that queue, in turns, and read; and what is settled moves the stream's place.
 */
export class Tailer {
  readonly #options: TailerOptions;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #chunkBytes: number;
  readonly #files: OpenFiles;
  readonly #catalogue: Catalogue;
  readonly #watch: FolderWatch;
  readonly #pool = new BufferPool();
  readonly #outstanding = new Map<number, Outstanding>();
  #ready: Stream[] = [];
  #waiting: (() => void)[] = [];
  #notices: Notice[] = [];
  #stopped = false;

  /** Paths to look at; '' means everything. */
  readonly #toLookAt = new Set<string>();
  #looking: Promise<void> | undefined;
  #sweepTimer: Timer | undefined;
  #undecidedTimer: Timer | undefined;
  #lookMs = 0;

  constructor(options: TailerOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#chunkBytes = options.chunkBytes ?? 1024 * 1024;
    this.#files = new OpenFiles(options.maxOpenFiles ?? 512);
    this.#catalogue = new Catalogue({
      clock: options.clock,
      log: options.log,
      files: this.#files,
      nextStream: options.nextStream,
      blockBytes: Math.min(FIRST_BLOCK_BYTES, this.#chunkBytes),
      events: {
        ready: (stream) => this.#enqueue(stream),
        noted: (stream, missed) => this.#note(stream, missed),
        undecided: (path) => this.#lookAgain(path),
      },
    });
    this.#watch = new FolderWatch(
      {
        changed: (path) => this.#changed(path),
        renamed: (path) => this.#renamed(path),
        failed: () => this.#scheduleSweep(),
      },
      options.log,
    );
    for (const source of options.sources) {
      const positions = options.positions.filter((position) => position.source === source.name);
      this.#catalogue.addSource(source, positions);
    }
  }

  /** Watches first and looks then, so that nothing falls between. */
  async start(): Promise<void> {
    if (this.#options.watch !== false) {
      await this.#watch.start(this.#catalogue.bases(), (folder) => this.#catalogue.mayHold(folder));
    }
    this.#requestLook('');
    await this.#looking;
  }

  /** The next chunk; `undefined` once aborted or stopped. Several lanes may wait at once. */
  async take(signal: AbortSignal): Promise<Chunk | undefined> {
    while (!signal.aborted && !this.#stopped) {
      const stream = this.#next();
      if (stream === undefined) {
        await this.#wait(signal);
        continue;
      }
      const chunk = await this.#advance(stream);
      if (chunk !== undefined) return chunk;
    }
    return undefined;
  }

  /**
   * `consumed` bytes of the chunk are done with; the rest comes again with what follows it. The chunk's bytes must
   * not be used any more. Returns the position to be committed.
   */
  settle(chunk: Chunk, consumed: number, parserState?: string): Position {
    const { stream, block } = this.#claim(chunk);
    if (consumed < 0 || consumed > chunk.bytes.length || (chunk.flush && consumed < chunk.bytes.length)) {
      throw new RangeError(
        `settle: ${consumed} of ${chunk.bytes.length} bytes of ${chunk.path} cannot be consumed`,
      );
    }
    const whole = consumed === chunk.bytes.length;
    const end = whole
      ? block.end
      : block.start + (block.cutBytes > 0 ? 0 : rawConsumed(stream, chunk, consumed));
    stream.fingerprint = growFingerprint(
      stream.fingerprint,
      block.raw.subarray(block.start, end),
      block.from,
    );
    stream.offset = whole ? block.to : block.from + end - block.start;
    stream.anchor = whole ? block.anchor : anchorBefore(block.raw, end);
    if (parserState !== undefined) stream.parserState = parserState;
    stream.scanned = 0;
    stream.heldTo = whole ? 0 : block.to;
    if (block.pooled) this.#pool.give(block.raw);
    if (stream.ahead !== undefined && stream.ahead.from !== stream.offset) this.#dropAhead(stream);
    stream.busy = false;
    if (block.final) this.#finish(stream);
    else if (block.more || stream.dirty || stream.finishing || stream.flushDue) this.#enqueue(stream);
    else this.#reachedEnd(stream);
    if (!whole) this.#expectMore(stream);
    return stream.position();
  }

  /** Gives a chunk back unread: it will be taken again. */
  release(chunk: Chunk): void {
    const { stream, block } = this.#claim(chunk);
    if (block.pooled) this.#pool.give(block.raw);
    this.#dropAhead(stream);
    stream.busy = false;
    this.#enqueue(stream);
  }

  /** These positions are durable. */
  committed(positions: readonly Position[]): void {
    const byNumber = new Map(positions.map((position) => [position.stream, position]));
    for (const stream of this.#catalogue.streams) {
      const position = byNumber.get(stream.number);
      if (position !== undefined) stream.committedOffset = position.offset;
    }
  }

  drainNotices(): readonly Notice[] {
    const notices = this.#notices;
    this.#notices = [];
    return notices;
  }

  get nextStream(): number {
    return this.#catalogue.nextStream;
  }

  status(): readonly StreamStatus[] {
    const streams = [...this.#catalogue.streams].map((stream): StreamStatus => {
      const size = Math.max(stream.size, stream.offset);
      return {
        source: stream.source.name,
        path: stream.path,
        stream: stream.number,
        offset: stream.offset,
        size,
        lagBytes: size - stream.offset,
        state: stream.state === 'forgotten' ? 'finished' : stream.state,
        ...(stream.error === undefined ? {} : { error: stream.error }),
      };
    });
    const unreadable = this.#catalogue.unreadable().map(({ source, path, error }): StreamStatus => {
      return { source, path, stream: 0, offset: 0, size: 0, lagBytes: 0, state: 'unreadable', error };
    });
    return [...streams, ...unreadable];
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#sweepTimer?.cancel();
    this.#undecidedTimer?.cancel();
    this.#wake();
    await this.#watch.close();
    await this.#looking;
    for (const stream of this.#catalogue.streams) {
      stream.cancelTimers();
      await stream.ahead?.outcome;
      await this.#files.release(stream);
    }
  }

  // Queue

  #enqueue(stream: Stream): void {
    if (stream.busy) stream.dirty = true;
    if (stream.busy || stream.queued || stream.state !== 'following' || this.#stopped) return;
    stream.queued = true;
    this.#ready.push(stream);
    this.#wake();
  }

  #next(): Stream | undefined {
    const ready = this.#ready;
    for (let tries = ready.length; tries > 0; tries--) {
      const stream = ready.shift()!;
      stream.queued = false;
      if (stream.state !== 'following' || stream.busy) continue;
      if (!mustWait(stream)) return stream;
      stream.queued = true;
      ready.push(stream);
    }
    return undefined;
  }

  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        signal.removeEventListener('abort', done);
        resolve();
      };
      signal.addEventListener('abort', done, { once: true });
      this.#waiting.push(done);
    });
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resume of waiting) resume();
  }

  // Reading

  async #advance(stream: Stream): Promise<Chunk | undefined> {
    stream.busy = true;
    stream.dirty = false;
    const before = stream.offset;
    let outcome: ReadOutcome | undefined;
    try {
      outcome = await this.#read(stream);
      if (stream.error !== undefined) this.#log.info({ path: stream.path }, 'a file can be read again');
      stream.error = undefined;
      stream.retries = 0;
    } catch (error) {
      this.#failed(stream, error);
      return undefined;
    }
    if (stream.offset !== before || this.#stopped) return this.#idle(stream);
    if (outcome === undefined) {
      this.#idle(stream);
      this.#requestLook(stream.path);
      return undefined;
    }
    if (outcome.kind === 'replaced') {
      stream.busy = false;
      await this.#catalogue.replaced(stream);
      this.#requestLook(stream.path);
      return undefined;
    }
    if (outcome.kind === 'end') {
      stream.scanned = outcome.scanned;
      stream.size = Math.max(stream.size, outcome.size);
      return this.#reachedEnd(stream);
    }
    return this.#deliver(stream, outcome.block);
  }

  async #read(stream: Stream): Promise<ReadOutcome | undefined> {
    const { ahead } = stream;
    stream.ahead = undefined;
    if (ahead !== undefined && ahead.from === stream.offset && !stream.finishing) {
      const outcome = await ahead.outcome;
      if (outcome !== undefined) return outcome;
    }
    if (!(await this.#ensureOpen(stream))) return undefined;
    return await readLines(stream.content!, stream, this.#readOptions(stream));
  }

  #readOptions(stream: Stream): Parameters<typeof readLines>[2] {
    return {
      blockBytes: stream.blockBytes,
      maxLineBytes: stream.source.maxLineBytes,
      encoding: stream.encoding ?? encodingOf(stream.source.encoding, Buffer.alloc(0)),
      pool: this.#pool,
      finishing: stream.finishing,
    };
  }

  /** False where the path leads to another file, or none: a look will tell. */
  async #ensureOpen(stream: Stream): Promise<boolean> {
    if (stream.content === undefined) {
      const opened = await openContent(stream.path, stream.body.compression);
      if (opened === undefined) return false;
      if (opened.stat.id !== stream.id) {
        await opened.content.close();
        return false;
      }
      await this.#files.attach(stream, opened.content);
    } else this.#files.touch(stream);
    if (stream.encoding === undefined) {
      const head = Buffer.alloc(4);
      const got = await stream.content!.read(head, 0, 4, 0);
      const mayBeMark = got < 3 && (got === 0 || head[0]! >= 0xef);
      const encoding = encodingOf(stream.source.encoding, head.subarray(0, got));
      if (!mayBeMark) stream.encoding = encoding;
    }
    return true;
  }

  #deliver(stream: Stream, block: Block): Chunk | undefined {
    stream.size = Math.max(stream.size, block.to);
    if (block.to <= stream.heldTo && !stream.flushDue && !block.final) {
      if (block.pooled) this.#pool.give(block.raw);
      // A block full of lines that the parser holds all: more will not come without being asked to let go.
      if (!block.more) return this.#reachedEnd(stream);
      stream.flushDue = true;
      stream.busy = false;
      this.#enqueue(stream);
      return undefined;
    }
    const flush = block.final || stream.flushDue;
    stream.flushDue = false;
    const { markBytes, decode } = stream.encoding ?? encodingOf(stream.source.encoding, Buffer.alloc(0));
    const start = block.start + (block.from === 0 ? markBytes : 0);
    const chunk: Chunk = {
      source: stream.source.name,
      stream: stream.number,
      path: stream.path,
      bytes: decode(block.raw.subarray(start, block.end)),
      from: block.from,
      ...(stream.parserState === undefined ? {} : { parserState: stream.parserState }),
      cutBytes: block.cutBytes,
      cutLines: block.cutLines,
      to: block.to,
      flush,
      readAtMs: this.#clock.now(),
    };
    if (block.more) this.#readAhead(stream, block);
    this.#outstanding.set(stream.number, { chunk, stream, block });
    return chunk;
  }

  /** While the parser works on one block the next is being read. */
  #readAhead(stream: Stream, block: Block): void {
    stream.blockBytes = Math.min(this.#chunkBytes, stream.blockBytes * 2);
    if (stream.content === undefined || stream.ahead !== undefined || stream.finishing) return;
    const place = { offset: block.to, anchor: block.anchor, fingerprint: stream.fingerprint, scanned: 0 };
    const outcome = readLines(stream.content, place, this.#readOptions(stream)).catch(() => undefined);
    stream.ahead = { from: block.to, outcome };
  }

  #dropAhead(stream: Stream): void {
    const { ahead } = stream;
    stream.ahead = undefined;
    void ahead?.outcome.then((outcome) => {
      if (outcome?.kind === 'lines' && outcome.block.pooled) this.#pool.give(outcome.block.raw);
    });
  }

  #claim(chunk: Chunk): Outstanding {
    const outstanding = this.#outstanding.get(chunk.stream);
    if (outstanding?.chunk !== chunk)
      throw new Error(`a chunk of ${chunk.path} was settled that is not outstanding`);
    this.#outstanding.delete(chunk.stream);
    return outstanding;
  }

  #idle(stream: Stream): undefined {
    stream.busy = false;
    if (stream.dirty) this.#enqueue(stream);
  }

  #reachedEnd(stream: Stream): undefined {
    stream.busy = false;
    const sealed = stream.content?.sealed === true;
    if (stream.dirty) {
      this.#enqueue(stream);
      return;
    }
    stream.atEnd = true;
    this.#wake();
    if (stream.finishing) {
      this.#finish(stream);
    } else if (sealed) {
      stream.finishing = true;
      this.#enqueue(stream);
    } else if (stream.retired) this.#linger(stream);
  }

  #linger(stream: Stream): void {
    stream.lingerTimer?.cancel();
    stream.lingerTimer = this.#clock.setTimeout(() => {
      stream.lingerTimer = undefined;
      if (!stream.retired || stream.state !== 'following') return;
      stream.finishing = true;
      this.#enqueue(stream);
    }, stream.source.lingerMs);
  }

  #finish(stream: Stream): void {
    stream.state = 'finished';
    stream.atEnd = true;
    stream.finishing = false;
    stream.cancelTimers();
    this.#dropAhead(stream);
    void this.#files.release(stream);
    this.#note(stream);
    this.#wake();
    if (!stream.bound) this.#requestLook('');
  }

  #expectMore(stream: Stream): void {
    const wait = stream.source.multilineTimeoutMs;
    if (wait === undefined) return;
    stream.multilineTimer?.cancel();
    stream.multilineTimer = this.#clock.setTimeout(() => {
      stream.multilineTimer = undefined;
      if (stream.heldTo === 0) return;
      stream.flushDue = true;
      this.#enqueue(stream);
    }, wait);
  }

  #failed(stream: Stream, error: unknown): void {
    stream.busy = false;
    this.#dropAhead(stream);
    const code = errorCode(error) || String(error);
    if (stream.error !== code) {
      this.#log.warn(
        { source: stream.source.name, path: stream.path, code },
        'a file cannot be read; it is tried again',
      );
    }
    stream.error = code;
    stream.atEnd = true;
    this.#wake();
    const wait = Math.min(RETRY_MS_MAX, 100 * 2 ** Math.min(10, stream.retries++));
    stream.retryTimer?.cancel();
    stream.retryTimer = this.#clock.setTimeout(() => this.#enqueue(stream), wait);
  }

  // Looking

  #changed(path: string): void {
    const streams = this.#catalogue.at(path);
    if (streams === undefined || streams.size === 0) {
      if (this.#catalogue.isRelevant(path)) this.#requestLook(path);
      return;
    }
    for (const stream of streams) {
      if (stream.state === 'finished') this.#requestLook(path);
      else this.#enqueue(stream);
    }
  }

  #renamed(path: string): void {
    for (const stream of this.#catalogue.at(path) ?? []) this.#enqueue(stream);
    if (this.#catalogue.isRelevant(path)) this.#requestLook(path);
    else if (this.#catalogue.mayHold(path)) this.#requestLook('');
  }

  #lookAgain(path: string): void {
    this.#toLookAt.add(path);
    this.#undecidedTimer ??= this.#clock.setTimeout(() => {
      this.#undecidedTimer = undefined;
      this.#look();
    }, UNDECIDED_RETRY_MS);
  }

  #requestLook(path: string): void {
    this.#toLookAt.add(path);
    this.#look();
  }

  #look(): void {
    if (this.#stopped) return;
    this.#looking ??= this.#lookUntilDone().finally(() => {
      this.#looking = undefined;
      this.#scheduleSweep();
    });
  }

  async #lookUntilDone(): Promise<void> {
    while (this.#toLookAt.size > 0 && !this.#stopped) {
      const paths = [...this.#toLookAt];
      this.#toLookAt.clear();
      const started = this.#clock.monotonic();
      try {
        if (paths.includes('')) await this.#catalogue.lookAtAll();
        else for (const path of paths) await this.#catalogue.lookAt(path);
      } catch (error) {
        this.#log.warn(
          { code: errorCode(error), error: String(error) },
          'looking for files failed; it is tried again',
        );
        this.#lookAgain('');
        return;
      }
      if (paths.includes('')) this.#lookMs = this.#clock.monotonic() - started;
      if (this.#undecidedTimer !== undefined) return;
    }
  }

  #scheduleSweep(): void {
    if (this.#stopped) return;
    this.#sweepTimer?.cancel();
    const base = this.#watch.working
      ? (this.#options.sweepIntervalMs ?? 10_000)
      : (this.#options.pollIntervalMs ?? 250);
    const wait = Math.max(base, this.#lookMs * LOOK_COST_PART);
    this.#sweepTimer = this.#clock.setTimeout(() => this.#requestLook(''), wait);
  }

  #note(stream: Stream, missed?: Notice['missed']): void {
    this.#notices.push({
      position: stream.position(),
      from: stream.offset,
      ...(missed === undefined ? {} : { missed }),
    });
    this.#wake();
    this.#options.onNotice?.();
  }
}

/** A new file's content comes after the rest of the file that had its place before. */
function mustWait(stream: Stream): boolean {
  const { after } = stream;
  if (after === undefined) return false;
  const blocked = (after.state === 'following' && !after.atEnd) || after.state === 'replaced';
  if (!blocked) stream.after = undefined;
  return blocked;
}

function rawConsumed(stream: Stream, chunk: Chunk, consumed: number): number {
  if (consumed === 0 || stream.encoding === undefined) return consumed;
  const mark = chunk.from === 0 ? stream.encoding.markBytes : 0;
  return mark + stream.encoding.rawLength(chunk.bytes.subarray(0, consumed));
}
