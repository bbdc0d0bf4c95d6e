/** Where things lie in the memory of a Deflater, in bytes. First: where the input was left, the last bits. */
export const STOPPED = 16;
export const BITS = 24;
export const BITS_COUNT = 28;

const WORD = 4;
/** How often each literal or length occurs, and each distance's symbol. Lengths are counted from 256 on, less three. */
export const COUNTS = 1024;
export const COUNTS_LENGTH = 512;
export const DISTANCE_COUNTS = COUNTS + COUNTS_LENGTH * WORD;
/** What is written for each of these: see `bits-code.ts`. */
export const CODES = 4 * 1024;
export const DISTANCE_CODES = CODES + COUNTS_LENGTH * WORD;

/** Where four, and where eight bytes with the same hash were seen last. */
export const HASH_BITS = 13;
export const SHORT_TABLE = 8 * 1024;
export const LONG_TABLE = SHORT_TABLE + WORD * 2 ** HASH_BITS;

/** A token is a literal, or 256 and more: nine bits of length, five of the distance's symbol, then the distance's extra bits. */
export const TOKENS = LONG_TABLE + WORD * 2 ** HASH_BITS;
export const TOKENS_MAX = 64 * 1024;
export const DISTANCE_SHIFT = 9;
export const EXTRA_SHIFT = 14;

/** Further on than any distance: a table's zero is out of reach. */
export const INPUT = TOKENS + TOKENS_MAX * WORD;
export const WINDOW = 32 * 1024;
/** Code reads and writes so far beyond what it is given. */
export const SLACK = 64;
