import { isUtf8 } from 'node:buffer';
import { ByteFiller } from './byte-filler.ts';
import type { EventHandler } from './event-handler.ts';
import { NO_MATCH, STOPS } from './pattern/byte-matcher.ts';
import type { ByteMatcher } from './pattern/byte-matcher.ts';

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const REPLACEMENT = '\uFFFD';

/** Where so many lines of a chunk do not go well this way, the next ones are walked as text. */
const POOR_SHARE = 0.7;
const CHUNKS_AS_TEXT = 32;

/**
 * One pattern over the bytes of a chunk: lines of plain ASCII, with either line end, are never made into text. A line
 * that the matcher is not sure of is handed to the pack's parser, as text.
 */
export class ByteWalker {
  readonly #matcher: ByteMatcher;
  readonly #handler: EventHandler;
  readonly #filler: ByteFiller;
  /** Many lines do not match, and a search for a literal would spare them. */
  readonly #hasLiteral: boolean;
  #asText = 0;

  constructor(matcher: ByteMatcher, handler: EventHandler, hasLiteral: boolean) {
    this.#matcher = matcher;
    this.#handler = handler;
    this.#filler = new ByteFiller(matcher, handler);
    this.#hasLiteral = hasLiteral;
  }

  /** Whether this is the way for the next chunk. Asked once for each. */
  wants(): boolean {
    if (this.#asText === 0) return true;
    this.#asText--;
    return false;
  }

  walk(bytes: Buffer): void {
    const { match } = this.#matcher;
    const handler = this.#handler;
    const last = bytes.lastIndexOf(NEWLINE);
    let poor = 0;
    let lines = 0;
    for (let at = 0; at <= last; lines++) {
      const end = match(bytes, at);
      if (end >= 0) {
        const next = bytes[end] === NEWLINE ? end + 1 : end + 2;
        this.#filler.fill(bytes);
        handler.acceptBytes(at, end, next - at, this.#filler.direct ? this.#matcher.places : undefined);
        at = next;
        continue;
      }
      if (end !== NO_MATCH || this.#hasLiteral) poor++;
      at = this.#other(bytes, at, end === NO_MATCH);
    }
    if (last < bytes.length - 1) this.#slow(bytes, last + 1, bytes.length);
    this.#filler.clear();
    if (poor > lines * POOR_SHARE) this.#asText = CHUNKS_AS_TEXT;
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
    this.#slow(bytes, at, newline);
    return newline + 1;
  }

  /** `end` is where its newline is, or the end of the chunk. */
  #slow(bytes: Buffer, at: number, end: number): void {
    this.#filler.clear();
    const cut = end > at && bytes[end - 1] === CARRIAGE_RETURN ? end - 1 : end;
    let text = bytes.toString('utf8', at, cut);
    const nul = text.includes('\0');
    if (nul || !isUtf8(bytes.subarray(at, cut))) this.#handler.tally.invalid++;
    if (nul) text = text.replaceAll('\0', REPLACEMENT);
    this.#handler.handle(text, 1, end - at + (end < bytes.length ? 1 : 0));
  }
}
