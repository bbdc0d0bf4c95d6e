/** Room for the blocks of most chunks. */
const PIECE_BYTES = 256 * 1024;
/** What is smaller would leave most of a piece unused. */
const WORTH_IT_BYTES = 16 * 1024;
/** So many pieces are kept while nobody uses them. */
const KEPT_PIECES = 24;

/**
 * Memory for blocks that is used again as soon as nobody reads them any more. V8 knows that only once it has looked at
 * all of its heap: at full speed blocks outlive its nursery, and every few of them make it look.
 *
 * What is not given back is V8's to collect, as other memory is: nothing depends on it.
 */
export class LentMemory {
  readonly #kept: Uint8Array[] = [];
  /** Of the loan that is open: all its pieces, and how much of the last one is used. */
  #pieces: Uint8Array[] = [];
  #used = 0;

  /** A copy, in lent memory or, where that would be a waste, in its own. */
  copy(bytes: Uint8Array): Uint8Array {
    const { length } = bytes;
    let piece = this.#pieces.at(-1);
    if (piece === undefined || this.#used + length > PIECE_BYTES) {
      if (length < WORTH_IT_BYTES || length > PIECE_BYTES) return new Uint8Array(bytes);
      piece = this.#kept.pop() ?? new Uint8Array(PIECE_BYTES);
      this.#pieces.push(piece);
      this.#used = 0;
    }
    const copy = piece.subarray(this.#used, this.#used + length);
    copy.set(bytes);
    this.#used += length;
    return copy;
  }

  /** Closes the loan of what was copied since the last call; what it returns gives that back. Undefined for nothing. */
  lend(): (() => void) | undefined {
    let pieces = this.#pieces;
    if (pieces.length === 0) return undefined;
    this.#pieces = [];
    return () => {
      this.#kept.push(...pieces.slice(0, KEPT_PIECES - this.#kept.length));
      pieces = [];
    };
  }
}
