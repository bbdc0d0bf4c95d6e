import { ByteFiller } from './byte-filler.ts';
import type { RowUse } from './capture-use.ts';
import type { EventHandler } from './event-handler.ts';
import { NEWLINE } from './matched-lines.ts';
import type { MatchedLines } from './matched-lines.ts';
import type { ByteMatcher, BytePattern } from './pattern/byte-matcher.ts';
import { LINES, PATTERN, PLACES, SET, TOTALLED } from './pattern/line-results.ts';
import type { LineCapture } from './record-feed.ts';
import { SETS, TOTALS, scratch } from '../wasm/scratch.ts';

/** Lines that match the patterns of a pack. */
export class PatternLines implements MatchedLines {
  readonly decides = true;
  readonly #matcher: ByteMatcher<RowUse>;
  readonly #handler: EventHandler;
  readonly #filler: ByteFiller;
  /** Records are written from the bytes. */
  readonly #isDirect: boolean;

  constructor(matcher: ByteMatcher<RowUse>, handler: EventHandler) {
    this.#matcher = matcher;
    this.#handler = handler;
    this.#filler = new ByteFiller(matcher, handler);
    this.#isDirect = matcher.patterns.every(({ use }) => use.direct);
    if (this.#isDirect) handler.bindLines(matcher.patterns.map(lineCaptures), matcher.stride);
  }

  matcher(): ByteMatcher<RowUse> {
    return this.#matcher;
  }

  begin(): void {
    scratch.forgetSets();
    this.#filler.begin();
  }

  accept(count: number): void {
    if (this.#isDirect) {
      this.#note(count);
      this.#handler.writeLines(count);
      return;
    }
    const { stride } = this.#matcher;
    const { bytes, ints } = scratch;
    for (let n = 0; n < count; n++) {
      const from = LINES + n * stride;
      const start = ints[from]!;
      const end = ints[from + 1]!;
      this.#filler.fill(bytes, ints, from);
      const lineEnd = bytes[end] === NEWLINE ? 1 : 2;
      this.#handler.acceptBytes({
        start,
        end,
        bytes: end - start + lineEnd,
        pattern: ints[from + PATTERN]!,
      });
    }
  }

  #note(count: number): void {
    const { stride } = this.#matcher;
    const { bytes, ints } = scratch;
    const handler = this.#handler;
    const filler = this.#filler;
    // Whether the line before may be noted again: most lines of a busy log have the time of the one before.
    let again = false;
    for (let n = 0; n < count; n++) {
      const from = LINES + n * stride;
      const pattern = ints[from + PATTERN]!;
      if (ints[from + SET] !== TOTALLED) {
        filler.fill(bytes, ints, from);
        handler.noteBytes(n, ints[from]!, ints[from + 1]!, pattern);
        again = false;
      } else if (again && filler.isAskedAgain(ints, from, from - stride)) handler.noteAgain(n);
      else {
        filler.fillAsked(bytes, ints, from);
        again = handler.noteTotalled(n, pattern);
      }
    }
  }

  clear(): void {
    this.#filler.clear();
  }

  end(): void {
    this.#addTotals();
    this.#filler.clear();
  }

  /** Of the sets of this chunk. */
  #addTotals(): void {
    const { patterns } = this.#matcher;
    const length = patterns.find(({ use }) => use.totals !== undefined)?.use.totals!.length;
    if (length === undefined) return;
    const { ints, doubles } = scratch;
    for (let set = 0; set < ints[SETS]!; set++) {
      const from = TOTALS / 8 + set * length;
      const lines = doubles[from]!;
      if (lines === 0) continue;
      const pattern = this.#filler.fillKnown(set);
      const totals = doubles.subarray(from, from + length);
      this.#handler.acceptTotals(lines, pattern, totals, patterns[pattern]!.use.totalPlaces);
    }
  }
}

function lineCaptures({ captures, use }: BytePattern<RowUse>): LineCapture[] {
  return captures.map(({ field }, n) => {
    const number = use.numeric.indexOf(n);
    const digits = number < 0 ? -1 : PLACES + (captures.length + number) * 2;
    return { field, place: PLACES + n * 2, digits };
  });
}
