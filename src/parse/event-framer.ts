import type { Pack } from '../config/pack-schema.ts';
import type { Chunk } from '../model/chunk.ts';
import { LineWalker } from './line-walker.ts';
import { compileContinuation } from './multiline.ts';
import type { Continuation } from './multiline.ts';
import { PartialLines } from './partial-lines.ts';
import type { JoinedLine } from './partial-lines.ts';

/** An event is closed at this size even if more lines would belong to it. */
const EVENT_BYTES_MAX = 1024 * 1024;

/** Cuts a chunk into events: lines, or runs of lines that belong together. */
export class EventFramer {
  readonly #walker = new LineWalker();
  readonly #continuation: Continuation | undefined;
  readonly #linesMax: number;
  #flush = false;
  /** Where a container runtime writes long lines in parts. */
  #partials: PartialLines | undefined;
  #joined: JoinedLine[] = [];
  /** A line that was read and begins the next event. */
  #ahead: string | undefined;
  #aheadStart = 0;
  #aheadNext = 0;

  text = '';
  lines = 0;
  /** Of the current event, newlines included. */
  bytes = 0;
  /** Bytes of the chunk that are done with. */
  consumed = 0;

  constructor(pack: Pack) {
    this.#continuation = pack.multiline === undefined ? undefined : compileContinuation(pack.multiline);
    if (pack.format === 'cri') this.#partials = new PartialLines();
    this.#linesMax = pack.multiline?.max_lines ?? 1;
  }

  get invalid(): number {
    return this.#walker.invalid;
  }

  reset(chunk: Chunk): void {
    this.#walker.reset(chunk.bytes);
    this.#flush = chunk.flush;
    this.#ahead = undefined;
    this.#joined = [];
    this.#partials?.take();
    this.consumed = 0;
  }

  next(): boolean {
    if (this.#partials !== undefined) return this.#nextJoined(this.#partials);
    return this.#continuation === undefined ? this.#nextLine() : this.#nextRun(this.#continuation);
  }

  #nextLine(): boolean {
    const walker = this.#walker;
    if (!walker.advance()) return false;
    this.text = walker.text();
    this.lines = 1;
    this.bytes = walker.next - walker.start;
    this.consumed = walker.next;
    return true;
  }

  #nextJoined(partials: PartialLines): boolean {
    if (this.#joined.length === 0) {
      const walker = this.#walker;
      while (walker.advance()) {
        partials.push(walker.text(), walker.next - walker.start);
        if (partials.ready) break;
      }
      if (!partials.ready && this.#flush) partials.close();
      if (partials.empty || !partials.ready) return false;
      this.#joined = partials.take().toReversed();
    }
    const { text, lines, bytes } = this.#joined.pop()!;
    this.text = text;
    this.lines = lines;
    this.bytes = bytes;
    this.consumed += bytes;
    return true;
  }

  #nextRun(continuation: Continuation): boolean {
    const walker = this.#walker;
    if (this.#ahead === undefined) {
      if (!this.#look()) return false;
    }
    const start = this.#aheadStart;
    let text = this.#ahead!;
    let end = this.#aheadNext;
    let lines = 1;
    continuation.begin(text);
    for (;;) {
      const invalidBefore = walker.invalid;
      if (!this.#look()) {
        this.#ahead = undefined;
        if (!this.#flush) {
          walker.invalid = invalidBefore;
          return false;
        }
        break;
      }
      if (lines >= this.#linesMax || end - start >= EVENT_BYTES_MAX || !continuation.continues(this.#ahead!))
        break;
      text += `\n${this.#ahead!}`;
      end = this.#aheadNext;
      lines++;
    }
    this.text = text;
    this.lines = lines;
    this.bytes = end - start;
    this.consumed = end;
    return true;
  }

  #look(): boolean {
    const walker = this.#walker;
    if (!walker.advance()) return false;
    this.#ahead = walker.text();
    this.#aheadStart = walker.start;
    this.#aheadNext = walker.next;
    return true;
  }
}
