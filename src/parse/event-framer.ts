import type { Pack } from '../config/pack-schema.ts';
import type { Chunk } from '../model/chunk.ts';
import { envelopeOf } from './envelope.ts';
import { LineWalker } from './line-walker.ts';
import { compileContinuation } from './multiline.ts';
import type { Continuation } from './multiline.ts';
import { PartialLines } from './partial-lines.ts';
import type { JoinedLine } from './partial-lines.ts';
import { WrappedRuns } from './wrapped-runs.ts';

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
  /** Where the lines of an event are wrapped one by one. */
  readonly #wrapped: WrappedRuns | undefined;
  #gathered = false;
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
    this.#continuation =
      pack.multiline === undefined ? undefined : compileContinuation(pack.multiline, pack.dialect);
    if (pack.format === 'cri') this.#partials = new PartialLines();
    const envelope = envelopeOf(pack);
    if (envelope !== undefined) this.#wrapped = new WrappedRuns(envelope, pack.multiline!);
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
    this.#wrapped?.reset();
    this.#gathered = false;
    this.consumed = 0;
  }

  next(): boolean {
    if (this.#wrapped !== undefined) return this.#nextWrapped(this.#wrapped);
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

  /** All of the chunk at once: which events are whole shows at its end. */
  #nextWrapped(runs: WrappedRuns): boolean {
    if (!this.#gathered) {
      this.#gathered = true;
      this.#gather(runs);
      if (this.#flush) runs.close();
      const { events, bytes } = runs.take();
      this.#joined = events.toReversed();
      this.consumed = bytes;
    }
    const event = this.#joined.pop();
    if (event === undefined) return false;
    this.text = event.text;
    this.lines = event.lines;
    this.bytes = event.bytes;
    return true;
  }

  #gather(runs: WrappedRuns): void {
    const walker = this.#walker;
    const partials = this.#partials;
    while (walker.advance()) {
      const line = { text: walker.text(), lines: 1, bytes: walker.next - walker.start };
      if (partials === undefined) {
        runs.push([line]);
        continue;
      }
      partials.push(line.text, line.bytes);
      if (partials.ready) runs.push(partials.take());
    }
    if (!this.#flush || partials === undefined || partials.empty) return;
    partials.close();
    runs.push(partials.take());
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
    // Empty lines belong to the event if what follows them does. None are waited for after an empty one.
    const waits = text !== '';
    let blanks = 0;
    let firstBlank = 0;
    for (;;) {
      const invalidBefore = walker.invalid;
      if (!this.#look()) {
        this.#ahead = undefined;
        if (!this.#flush) {
          walker.invalid = invalidBefore;
          return false;
        }
        if (blanks > 0) this.#lookAgain(firstBlank);
        break;
      }
      const full = lines + blanks >= this.#linesMax || end - start >= EVENT_BYTES_MAX;
      if (!full && continuation.continues(this.#ahead!)) {
        text += `${'\n'.repeat(blanks + 1)}${this.#ahead!}`;
        end = this.#aheadNext;
        lines += blanks + 1;
        blanks = 0;
        continue;
      }
      if (!full && waits && this.#ahead === '') {
        if (blanks++ === 0) firstBlank = this.#aheadStart;
        continue;
      }
      if (blanks > 0) {
        walker.invalid = invalidBefore;
        this.#lookAgain(firstBlank);
      }
      break;
    }
    this.text = text;
    this.lines = lines;
    this.bytes = end - start;
    this.consumed = end;
    return true;
  }

  #lookAgain(at: number): void {
    this.#walker.seek(at);
    this.#look();
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
