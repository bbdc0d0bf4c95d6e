import type { Pack } from '../config/pack-schema.ts';
import type { Chunk } from '../model/chunk.ts';
import { LineWalker } from './line-walker.ts';
import { compileContinuation } from './multiline.ts';
import type { Continuation } from './multiline.ts';

/** An event is closed at this size even if more lines would belong to it. */
const EVENT_BYTES_MAX = 1024 * 1024;

/** Cuts a chunk into events: lines, or runs of lines that belong together. */
export class EventFramer {
  readonly #walker = new LineWalker();
  readonly #continuation: Continuation | undefined;
  readonly #linesMax: number;
  #flush = false;
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
    this.#linesMax = pack.multiline?.max_lines ?? 1;
  }

  get invalid(): number {
    return this.#walker.invalid;
  }

  reset(chunk: Chunk): void {
    this.#walker.reset(chunk.bytes);
    this.#flush = chunk.flush;
    this.#ahead = undefined;
    this.consumed = 0;
  }

  next(): boolean {
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
