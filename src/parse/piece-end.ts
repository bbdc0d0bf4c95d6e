const NEWLINE = 0x0a;
/**
 * Text of this size is made where V8 has its young objects, and is gone with them. Larger ones are kept, a mebibyte
 * each outside of its heap or in it, until all of the heap is swept. And what several passes go over is best in the
 * processor's cache.
 */
const PIECE_BYTES = 112 * 1024;

/** Where a piece of the chunk ends that begins at `at`: after the last newline that is near enough, or after the next one. */
export function pieceEnd(bytes: Buffer, at: number): number {
  if (bytes.length - at <= PIECE_BYTES) return bytes.length;
  const last = bytes.lastIndexOf(NEWLINE, at + PIECE_BYTES - 1);
  if (last >= at) return last + 1;
  const next = bytes.indexOf(NEWLINE, at + PIECE_BYTES);
  return next < 0 ? bytes.length : next + 1;
}
