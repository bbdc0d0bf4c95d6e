import { addCounts, type LineCounts, NO_LINES } from '../model/line-counts.ts';
import type { Scanner } from '../model/scanner.ts';
import type { Fragment } from '../model/slice.ts';

/** A line that has no end by then is taken as it is. */
const LINE_BYTES_MAX = 16 * 1024 * 1024;

/** Feeds a scanner with a file's content, block by block, in whole lines; adds up what it counts. */
export class ContentScan {
  readonly #scanner: Scanner;
  readonly #path: string;
  readonly #readAtMs: () => number;
  #rest: Buffer = Buffer.alloc(0);
  #from = 0;
  #state: string | undefined;
  counts: LineCounts = NO_LINES;

  /** `readAtMs`: the clock that years are inferred by. */
  constructor(scanner: Scanner, path: string, readAtMs: () => number) {
    this.#scanner = scanner;
    this.#path = path;
    this.#readAtMs = readAtMs;
  }

  push(block: Buffer): void {
    const joined = this.#rest.length === 0 ? block : Buffer.concat([this.#rest, block]);
    const end = joined.lastIndexOf(10) + 1;
    const whole = end === 0 && joined.length > LINE_BYTES_MAX ? joined.length : end;
    const consumed = whole === 0 ? 0 : this.#scan(joined.subarray(0, whole), false);
    this.#rest = joined.subarray(consumed);
  }

  /** What is there is all there is for now: the last line need not end, an event of several lines is over. */
  flush(): void {
    if (this.#rest.length > 0) this.#rest = this.#rest.subarray(this.#scan(this.#rest, true));
  }

  /** The same for whole lines only. */
  flushLines(): void {
    const end = this.#rest.lastIndexOf(10) + 1;
    if (end > 0) this.#rest = this.#rest.subarray(this.#scan(this.#rest.subarray(0, end), true));
  }

  #scan(bytes: Buffer, flush: boolean): number {
    const fragment: Fragment = this.#scanner.scan({
      source: 'try',
      stream: 1,
      path: this.#path,
      bytes,
      from: this.#from,
      to: this.#from + bytes.length,
      ...(this.#state === undefined ? {} : { parserState: this.#state }),
      cutBytes: 0,
      cutLines: 0,
      flush,
      readAtMs: this.#readAtMs(),
    });
    this.#from += fragment.consumed;
    this.#state = fragment.parserState;
    this.counts = addCounts(this.counts, fragment.counts);
    return fragment.consumed;
  }
}
