import { isUtf8 } from 'node:buffer';
import { ByteFiller } from './byte-filler.ts';
import type { RowUse } from './capture-use.ts';
import type { EventHandler } from './event-handler.ts';
import type { LineCapture } from './record-feed.ts';
import { MISSED, MISSED_BYTES, NEXT, NO_MATCH, STATUS, UNSURE } from './pattern/byte-matcher.ts';
import type { ByteMatcher, BytePattern } from './pattern/byte-matcher.ts';
import { STOPS } from './pattern/line-code.ts';
import { LINES, PATTERN, PLACES } from './pattern/line-results.ts';
import { INPUT, SETS, TOTALS, scratch } from '../wasm/scratch.ts';

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const REPLACEMENT = '\uFFFD';

/** Where so many lines of a chunk do not go well this way, the next ones are walked as text. */
const POOR_SHARE = 0.7;
const CHUNKS_AS_TEXT = 32;

/**
 * Patterns over the bytes of a chunk: lines of plain ASCII, with either line end, are never made into text. A line
 * that the matcher is not sure of is handed to the pack's parser, as text.
 */
export class ByteWalker {
  readonly #matcher: ByteMatcher<RowUse>;
  readonly #handler: EventHandler;
  readonly #filler: ByteFiller;
  /** There is a faster way where many lines do not match. */
  readonly #isSpared: boolean;
  /** Records are written from the bytes. */
  readonly #isDirect: boolean;
  #asText = 0;

  constructor(matcher: ByteMatcher<RowUse>, handler: EventHandler, isSpared: boolean) {
    this.#matcher = matcher;
    this.#handler = handler;
    this.#filler = new ByteFiller(matcher, handler);
    this.#isSpared = isSpared;
    this.#isDirect = matcher.patterns.every(({ use }) => use.direct);
    if (this.#isDirect) handler.bindLines(matcher.patterns.map(lineCaptures), matcher.stride);
  }

  /** Whether this is the way for the next chunk. Asked once for each. */
  wants(): boolean {
    if (this.#asText === 0) return true;
    this.#asText--;
    return false;
  }

  /** False where the chunk is too large to be walked this way. */
  walk(chunk: Buffer): boolean {
    if (!scratch.load(chunk)) return false;
    const { bytes, ints } = scratch;
    const { run, stride } = this.#matcher;
    const handler = this.#handler;
    scratch.forgetSets();
    this.#filler.begin();
    handler.beginPiece(bytes);
    const end = INPUT + chunk.length;
    const last = INPUT + chunk.lastIndexOf(NEWLINE);
    ints[MISSED] = ints[MISSED_BYTES] = 0;
    const { tally } = handler;
    const linesBefore = tally.lines;
    const missedBefore = tally.unmatched;
    let unsure = 0;
    for (let at = INPUT; at <= last;) {
      const count = run(at, last, handler.wantsMissed ? 1 : 0);
      at = ints[NEXT]!;
      this.#accept(count, stride);
      const status = ints[STATUS]!;
      if (status === 0) continue;
      if (status === UNSURE) unsure++;
      at = this.#other(bytes, at, status === NO_MATCH);
    }
    if (last < end - 1) this.#slow(bytes, last + 1, end, end);
    this.#addTotals();
    this.#filler.clear();
    if (ints[MISSED]! > 0) handler.missUnread(ints[MISSED]!, ints[MISSED_BYTES]!, () => '');
    const poor = Math.max(unsure, this.#isSpared ? tally.unmatched - missedBefore : 0);
    if (poor > (tally.lines - linesBefore) * POOR_SHARE) this.#asText = CHUNKS_AS_TEXT;
    return true;
  }

  #accept(count: number, stride: number): void {
    const { bytes, ints } = scratch;
    const handler = this.#handler;
    const filler = this.#filler;
    for (let n = 0; n < count; n++) {
      const from = LINES + n * stride;
      const start = ints[from]!;
      const end = ints[from + 1]!;
      filler.fill(bytes, ints, from);
      const lineEnd = bytes[end] === NEWLINE ? 1 : 2;
      const line = { start, end, bytes: end - start + lineEnd, pattern: ints[from + PATTERN]! };
      if (this.#isDirect) handler.noteBytes(n, line);
      else handler.acceptBytes(line);
    }
    if (this.#isDirect) handler.writeLines(count);
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

  /** A line without a match, if that is certain; gives where the next begins. */
  #other(bytes: Buffer, at: number, missed: boolean): number {
    let end = at;
    if (missed) {
      while (STOPS[bytes[end]!] === 0) end++;
      const next = bytes[end] === NEWLINE ? end + 1 : end + 2;
      if (bytes[next - 1] === NEWLINE && (next === end + 1 || bytes[end] === CARRIAGE_RETURN)) {
        this.#handler.missBytes(bytes, at, end, next - at);
        return next;
      }
    }
    const newline = bytes.indexOf(NEWLINE, at);
    this.#slow(bytes, at, newline, newline + 1);
    return newline + 1;
  }

  /** `end` is where its newline is, or the end of the chunk; `next` is behind that newline. */
  #slow(bytes: Buffer, at: number, end: number, next: number): void {
    this.#filler.clear();
    const cut = end > at && bytes[end - 1] === CARRIAGE_RETURN ? end - 1 : end;
    let text = bytes.toString('utf8', at, cut);
    const nul = text.includes('\0');
    if (nul || !isUtf8(bytes.subarray(at, cut))) this.#handler.tally.invalid++;
    if (nul) text = text.replaceAll('\0', REPLACEMENT);
    this.#handler.handle(text, 1, next - at);
  }
}

function lineCaptures({ captures, use }: BytePattern<RowUse>): LineCapture[] {
  return captures.map(({ field }, n) => {
    const number = use.numeric.indexOf(n);
    const digits = number < 0 ? -1 : PLACES + (captures.length + number) * 2;
    return { field, place: PLACES + n * 2, digits };
  });
}
