import type { Chunk } from '../model/chunk.ts';
import type { Log } from '../platform/log.ts';
import { shownPath } from '../platform/path-bytes.ts';
import { detectEncoding, TELLING_BYTES } from './detect-encoding.ts';
import { BufferPool } from './buffer-pool.ts';
import type { LentDescriptor } from './content.ts';
import type { RunPlan } from './file-run.ts';
import { anchorBefore, FINGERPRINT_BYTES, growFingerprint } from './fingerprint.ts';
import { readLines, type Block, type ReadOptions, type ReadOutcome } from './line-reader.ts';
import { openContent, type OpenFiles } from './open-files.ts';
import type { Stream } from './stream.ts';
import { encodingOf, type TextEncoding } from './text-encoding.ts';

const NO_BYTES = Buffer.alloc(0);
/** Of many files that are busy, those whose turn comes late would only hold memory. */
const AHEADS_MAX = 8;

/** Of a stream that is read on elsewhere for a while. */
export interface Run {
  readonly plan: RunPlan;
  readonly stream: Stream;
  readonly lent: LentDescriptor;
  /** Whether what was read so goes on where the stream stands. */
  stands: boolean;
  /** See Block: of the last one. */
  more: boolean;
}

/** Reads streams block by block, opens what was closed, and moves a stream's place as its blocks are settled. */
export class StreamReader {
  readonly #files: OpenFiles;
  readonly #chunkBytes: number;
  readonly #log: Log;
  readonly #pool = new BufferPool();
  /** Streams that have something that was read ahead. */
  readonly #ahead = new Set<Stream>();

  constructor(files: OpenFiles, chunkBytes: number, log: Log) {
    this.#log = log;
    this.#files = files;
    this.#chunkBytes = chunkBytes;
  }

  /** `undefined` where the stream's path leads to another file, or to none: a look will tell. */
  async read(stream: Stream): Promise<ReadOutcome | undefined> {
    const { ahead } = stream;
    if (ahead !== undefined) {
      if (ahead.from === stream.offset && !stream.finishing) {
        this.#forgetAhead(stream);
        const outcome = await ahead.outcome;
        // The file may have grown since it was read ahead, and the hint of that is spent: an end that was seen then is
        // none, and after these lines there is another look for more.
        if (outcome?.kind === 'lines') {
          stream.dirty = true;
          return outcome;
        }
      } else this.dropAhead(stream);
    }
    if (!(await this.#ensureOpen(stream))) return undefined;
    return readLines(stream.content!, stream, this.#options(stream));
  }

  toChunk(stream: Stream, block: Block, flush: boolean, readAtMs: number): Chunk {
    // Here and not as the chunk is settled: until then the file may be copied and cut, and its copy judged.
    grow(stream, block, block.end);
    const encoding = encodingFor(stream);
    const start = Math.min(block.end, block.start + (block.from === 0 ? encoding.markBytes : 0));
    return {
      source: stream.source.name,
      stream: stream.number,
      path: shownPath(stream.path),
      attributes: stream.attributes,
      bytes: encoding.decode(block.raw.subarray(start, block.end)),
      from: block.from,
      ...(stream.parserState === undefined ? {} : { parserState: stream.parserState }),
      cutBytes: block.cutBytes,
      cutLines: block.cutLines,
      to: block.to,
      flush,
      readAtMs,
    };
  }

  /** While the parser works on one block the next is being read. */
  readAhead(stream: Stream, block: Block): void {
    stream.blockBytes = Math.min(this.#mostBytes(stream), stream.blockBytes * 2);
    // Where the parser leaves something over each time, what was read ahead was read in vain.
    if (stream.heldTo > 0) return;
    if (stream.content === undefined || stream.ahead !== undefined || stream.finishing) return;
    if (this.#ahead.size >= AHEADS_MAX) this.#dropIdle();
    if (this.#ahead.size >= AHEADS_MAX) return;
    this.#ahead.add(stream);
    const { fingerprint } = stream;
    const place = { offset: block.to, anchor: block.anchor, fingerprint, scanned: 0 };
    // Should it fail, the read is done again in its turn, and fails there.
    const outcome = readLines(stream.content, place, this.#options(stream)).catch(() => undefined);
    stream.ahead = { from: block.to, outcome };
  }

  /** Lets another thread read on behind the block; undefined where only this one can. */
  beginRun(stream: Stream, block: Block): Run | undefined {
    if (!block.more || stream.finishing || stream.fingerprint.bytes < FINGERPRINT_BYTES) return undefined;
    // Where the parser leaves something for what follows, or left over some lines just now, that has to wait for it.
    if (stream.parserState !== undefined || stream.heldTo > 0) return undefined;
    if (stream.source.multilineTimeoutMs !== undefined || !encodingFor(stream).asIs) return undefined;
    const lent = stream.content?.lend();
    if (lent === undefined) return undefined;
    stream.blockBytes = this.#mostBytes(stream);
    const { number, attributes, blockBytes, source } = stream;
    const path = shownPath(stream.path);
    const { name, maxLineBytes } = source;
    const at = { descriptor: lent.descriptor, offset: block.to, anchor: block.anchor };
    const plan = { source: name, stream: number, path, attributes, ...at, blockBytes, maxLineBytes };
    return { plan, stream, lent, stands: true, more: true };
  }

  dropAhead(stream: Stream): void {
    const { ahead } = stream;
    this.#forgetAhead(stream);
    void ahead?.outcome.then((outcome) =>
      outcome?.kind === 'lines' ? this.giveBack(outcome.block) : undefined,
    );
  }

  /** For streams that nothing is being read of: their source's encoding is another from now on. */
  detectAnew(streams: Iterable<Stream>): void {
    for (const stream of streams) {
      stream.encoding = undefined;
      this.dropAhead(stream);
    }
  }

  giveBack(block: Block): void {
    if (block.pooled) this.#pool.give(block.raw);
  }

  /** Moves the stream past the first `consumed` bytes of the chunk. */
  advance(stream: Stream, chunk: Chunk, block: Block, consumed: number): void {
    const whole = consumed === chunk.bytes.length;
    const end = whole ? block.end : block.start + rawLength(stream, chunk, block, consumed);
    grow(stream, block, end);
    stream.anchor = whole ? block.anchor : anchorBefore(block.raw, end);
    stream.offset = whole ? block.to : block.from + end - block.start;
    stream.scanned = 0;
    stream.heldTo = whole ? 0 : block.to;
    this.giveBack(block);
    if (stream.ahead !== undefined && stream.ahead.from !== stream.offset) this.dropAhead(stream);
  }

  #forgetAhead(stream: Stream): void {
    this.#ahead.delete(stream);
    stream.ahead = undefined;
  }

  /** Of streams that came to an end in another way than by being read to it. */
  #dropIdle(): void {
    for (const stream of this.#ahead) if (stream.state !== 'following') this.dropAhead(stream);
  }

  #mostBytes({ source }: Stream): number {
    return Math.min(this.#chunkBytes, source.chunkBytes ?? this.#chunkBytes);
  }

  #options(stream: Stream): ReadOptions {
    return {
      blockBytes: stream.blockBytes,
      maxLineBytes: stream.source.maxLineBytes,
      encoding: encodingFor(stream),
      pool: this.#pool,
      finishing: stream.finishing,
    };
  }

  async #ensureOpen(stream: Stream): Promise<boolean> {
    if (stream.content === undefined) {
      const opened = await openContent(stream.place, stream.body.compression);
      if (opened === undefined) return false;
      if (opened.stat.id !== stream.id) {
        await opened.content.close();
        return false;
      }
      await this.#files.attach(stream, opened.content);
    } else this.#files.touch(stream);
    if (stream.encoding === undefined) await this.#detectEncoding(stream);
    return true;
  }

  async #detectEncoding(stream: Stream): Promise<void> {
    const head = Buffer.alloc(TELLING_BYTES);
    const got = await stream.content!.read(head, 0, TELLING_BYTES, 0);
    detectEncoding(stream, head.subarray(0, got), this.#log);
  }
}

/** Knows the stream's file by the block up to `end` as well. */
function grow(stream: Stream, block: Block, end: number): void {
  // Behind the head of a line that was cut stands a newline which the file does not have there.
  const own = block.cutBytes > 0 && block.more ? block.end - encodingFor(stream).unit : block.end;
  const content = block.raw.subarray(block.start, Math.min(end, own));
  if (block.from === 0) stream.knowBeginning(content);
  stream.fingerprint = growFingerprint(stream.fingerprint, content, block.from);
}

function encodingFor(stream: Stream): TextEncoding {
  return stream.encoding ?? encodingOf(stream.source.encoding, NO_BYTES);
}

function rawLength(stream: Stream, chunk: Chunk, block: Block, consumed: number): number {
  // Of a line that was cut, the head alone is no place to stand.
  if (consumed === 0 || block.cutBytes > 0) return 0;
  const encoding = encodingFor(stream);
  return (block.from === 0 ? encoding.markBytes : 0) + encoding.rawLength(chunk.bytes.subarray(0, consumed));
}
