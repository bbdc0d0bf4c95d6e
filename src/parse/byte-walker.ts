import { isUtf8 } from 'node:buffer';
import type { EventHandler } from './event-handler.ts';
import { NEWLINE } from './matched-lines.ts';
import type { MatchedLines } from './matched-lines.ts';
import { MISSED, MISSED_BYTES, NEXT, NO_MATCH, STATUS } from './pattern/byte-matcher.ts';
import { STOPS } from './pattern/line-code.ts';
import { INPUT, scratch } from '../wasm/scratch.ts';

const CARRIAGE_RETURN = 0x0d;
const REPLACEMENT = '\uFFFD';

/** Where so many lines of a chunk do not go well this way, the next ones are walked as text. */
const POOR_SHARE = 0.7;
const CHUNKS_AS_TEXT = 32;

/**
 * Lines of a chunk by code over its bytes: those of plain ASCII, with either line end, are never made into text. A line
 * that the matcher is not sure of is handed to the pack's parser, as text.
 */
export class ByteWalker {
  readonly #lines: MatchedLines;
  readonly #handler: EventHandler;
  /** There is a faster way where many lines do not match. */
  readonly #isSpared: boolean;
  #asText = 0;

  constructor(lines: MatchedLines, handler: EventHandler, isSpared: boolean) {
    this.#lines = lines;
    this.#handler = handler;
    this.#isSpared = isSpared;
  }

  /** Whether this is the way for the next chunk. Asked once for each. */
  wants(): boolean {
    if (this.#asText === 0) return true;
    this.#asText--;
    return false;
  }

  /** False where the chunk cannot be walked this way. */
  walk(chunk: Buffer): boolean {
    const lines = this.#lines;
    const matcher = lines.matcher();
    if (matcher === undefined || !scratch.load(chunk)) return false;
    const { bytes, ints } = scratch;
    const handler = this.#handler;
    lines.begin();
    handler.beginPiece(bytes);
    const end = INPUT + chunk.length;
    const last = INPUT + chunk.lastIndexOf(NEWLINE);
    ints[MISSED] = ints[MISSED_BYTES] = 0;
    const { tally } = handler;
    const linesBefore = tally.lines;
    const missedBefore = tally.unmatched;
    let slow = 0;
    for (let at = INPUT; at <= last;) {
      const count = matcher.run(at, last, !lines.decides || handler.wantsMissed ? 1 : 0);
      at = ints[NEXT]!;
      if (count > 0) lines.accept(count);
      const status = ints[STATUS]!;
      if (status === 0) continue;
      const missed = status === NO_MATCH && lines.decides;
      if (!missed) slow++;
      at = this.#other(bytes, at, missed);
    }
    if (last < end - 1) this.#slow(bytes, last + 1, end, end);
    lines.end();
    if (ints[MISSED]! > 0) handler.missUnread(ints[MISSED]!, ints[MISSED_BYTES]!, () => '');
    const poor = Math.max(slow, this.#isSpared ? tally.unmatched - missedBefore : 0);
    if (poor > (tally.lines - linesBefore) * POOR_SHARE) this.#asText = CHUNKS_AS_TEXT;
    return true;
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
    this.#lines.clear();
    const cut = end > at && bytes[end - 1] === CARRIAGE_RETURN ? end - 1 : end;
    let text = bytes.toString('utf8', at, cut);
    const nul = text.includes('\0');
    if (nul || !isUtf8(bytes.subarray(at, cut))) this.#handler.tally.invalid++;
    if (nul) text = text.replaceAll('\0', REPLACEMENT);
    this.#handler.handle(text, 1, next - at);
  }
}
