import { isUtf8 } from 'node:buffer';
import { pieceEnd } from './piece-end.ts';
import { STRANGE, compileFind, countNewlines } from '../wasm/byte-search.ts';
import type { Find } from '../wasm/byte-search.ts';
import { INPUT, scratch } from '../wasm/scratch.ts';
import type { EventHandler } from './event-handler.ts';

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Each literal is a pass of its own over the bytes. */
const LITERALS_MAX = 4;
const LENGTH_MIN = 3;
/** Where more lines than this share hold a literal, going over them one by one costs more than the search spares. */
const SHARE_MAX = 0.02;
/** Lines with a literal after which that is decided, for each chunk anew. */
const TRIAL = 64;
const CHUNKS_WITHOUT = 32;
/** From common to rare, roughly, as bytes of logs go. */
const COMMON = ' 0123eatoinsrl:.-"/456789dcumphgfybvwk,=_[]()';

/**
 * For patterns whose lines are rare: the bytes of a chunk are searched for the literals that each line of theirs
 * holds, and only those lines are read at all. The others are counted.
 */
export class SparseWalker {
  readonly #finds: readonly Find[];
  readonly #next: number[];
  readonly #handler: EventHandler;
  #without = 0;
  /** Lines of this chunk that were read, and that were not. */
  #tried = 0;
  #passed = 0;

  /** Undefined where a pattern has no literal, or there are too many. */
  static of(literals: readonly (string | undefined)[], handler: EventHandler): SparseWalker | undefined {
    const known = literals.filter((literal) => literal !== undefined);
    if (known.length < literals.length || known.length === 0 || known.length > LITERALS_MAX) return undefined;
    return new SparseWalker(known, handler);
  }

  private constructor(literals: readonly string[], handler: EventHandler) {
    this.#finds = literals.map((literal) => compileFind(Buffer.from(fromRarest(literal))));
    this.#next = literals.map(() => 0);
    this.#handler = handler;
  }

  /**
   * Gives how far it got: all of the chunk, or up to where lines turned out to be not so rare. What is left is for
   * another walker.
   */
  walk(bytes: Buffer): number {
    if (this.#without > 0) {
      this.#without--;
      return 0;
    }
    this.#tried = this.#passed = 0;
    let at = 0;
    while (at < bytes.length) {
      const end = pieceEnd(bytes, at);
      at += this.#walkPiece(bytes.subarray(at, end));
      if (at < end) break;
    }
    return at;
  }

  #walkPiece(bytes: Buffer): number {
    if (!scratch.load(bytes)) return 0;
    const lines = countLines(bytes, 0, bytes.length);
    // Lines that are not read cannot be told to be invalid.
    if (scratch.ints[STRANGE] !== 0 && (!isUtf8(bytes) || bytes.includes(0))) return 0;
    const finds = this.#finds;
    const next = this.#next;
    const find = (n: number, from: number): number => finds[n]!(INPUT + from, INPUT + bytes.length) - INPUT;
    for (let i = 0; i < finds.length; i++) next[i] = find(i, 0);
    if (Math.min(...next) >= bytes.length) {
      this.#miss(bytes, 0, bytes.length, lines);
      return bytes.length;
    }
    for (let at = 0; at < bytes.length;) {
      const found = Math.min(...next);
      const start = found >= bytes.length ? bytes.length : bytes.lastIndexOf(NEWLINE, found) + 1;
      if (start > at) this.#miss(bytes, at, start, countLines(bytes, at, start));
      if (start >= bytes.length) break;
      const newline = bytes.indexOf(NEWLINE, found);
      const end = newline < 0 ? bytes.length : newline;
      at = newline < 0 ? end : newline + 1;
      this.#handler.handle(lineText(bytes, start, end), 1, at - start);
      for (let i = 0; i < finds.length; i++) {
        if (next[i]! < at) next[i] = find(i, at);
      }
      if (++this.#tried === TRIAL && this.#tried > SHARE_MAX * (this.#tried + this.#passed)) {
        this.#without = CHUNKS_WITHOUT;
        return at;
      }
    }
    return bytes.length;
  }

  #miss(bytes: Buffer, start: number, end: number, lines: number): void {
    this.#passed += lines;
    this.#handler.missUnread(lines, end - start, () => {
      const newline = bytes.indexOf(NEWLINE, start);
      const last = newline < 0 ? end : newline;
      return lineText(bytes, start, last);
    });
  }
}

/** `end` is where its newline is, or the end of the chunk. */
function lineText(bytes: Buffer, start: number, end: number): string {
  const cut = end > start && bytes[end - 1] === CARRIAGE_RETURN ? end - 1 : end;
  return bytes.toString('utf8', start, cut);
}

/** Of what is in `scratch`. The last of them may have no newline. */
function countLines(bytes: Buffer, start: number, end: number): number {
  return countNewlines(INPUT + start, INPUT + end) + (bytes[end - 1] === NEWLINE ? 0 : 1);
}

/** What is searched for byte by byte first should be rare; what is left of the literal must tell as much. */
function fromRarest(literal: string): string {
  let best = 0;
  let rank = -1;
  for (let i = 0; i <= literal.length / 2 && i + LENGTH_MIN <= literal.length; i++) {
    const common = COMMON.indexOf(literal[i]!);
    const here = common < 0 ? COMMON.length : common;
    if (here > rank) [best, rank] = [i, here];
  }
  return literal.slice(best);
}
