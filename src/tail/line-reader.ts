import type { Anchor, Fingerprint } from '../model/position.ts';
import type { BufferPool } from './buffer-pool.ts';
import type { Content } from './content.ts';
import { ANCHOR_BYTES, anchorBefore, beginsWith, holdsAnchor } from './fingerprint.ts';
import type { TextEncoding } from './text-encoding.ts';

type Readable = Pick<Content, 'read'>;

/** Where to read, and what must still be found there. */
export interface Place {
  readonly offset: number;
  readonly anchor: Anchor;
  readonly fingerprint: Fingerprint;
  /** So many bytes from `offset` on are known to hold no newline. */
  readonly scanned: number;
}

export interface ReadOptions {
  readonly blockBytes: number;
  readonly maxLineBytes: number;
  readonly encoding: TextEncoding;
  readonly pool: BufferPool;
  /** Deliver what follows the last newline too: the file ends there. */
  readonly finishing: boolean;
}

/** Whole lines as they stand in the file, with the anchor's bytes before them. */
export interface Block {
  /** `raw[start … end]` is the file's content from `from` on. */
  readonly raw: Buffer;
  readonly start: number;
  readonly end: number;
  readonly from: number;
  /** `from + (end - start) + cutBytes`. */
  readonly to: number;
  readonly cutBytes: number;
  readonly cutLines: number;
  /** The anchor at `to`. */
  readonly anchor: Anchor;
  /** The file has more bytes after `to` than a partial line, as far as is known. */
  readonly more: boolean;
  /** It ends where the file ends, as `finishing` asked for. */
  readonly final: boolean;
  readonly pooled: boolean;
}

export type ReadOutcome =
  | { readonly kind: 'lines'; readonly block: Block }
  /** Nothing but perhaps a partial line up to the end of the file, at `size`. */
  | { readonly kind: 'end'; readonly scanned: number; readonly size: number }
  /** The bytes before the offset are not those that were read: the file was cut or is another one. */
  | { readonly kind: 'replaced' };

/** From here on a partial line is not read again as a whole each time it grows; only what is new is searched. */
const RESCAN_BYTES = 64 * 1024;
const SCAN_BLOCK_BYTES = 256 * 1024;

/**
 * Reads the next whole lines in one positional read. The read begins at the anchor's bytes, so that a file that
 * was cut and has grown beyond the offset is noticed without a further system call.
 */
export async function readLines(content: Readable, place: Place, options: ReadOptions): Promise<ReadOutcome> {
  if (place.scanned >= RESCAN_BYTES) return readLongLine(content, place, options);
  const prefix = place.anchor.bytes;
  const capacity = options.blockBytes + ANCHOR_BYTES;
  const raw = options.pool.take(capacity);
  let kept = false;
  try {
    const got = await content.read(raw, 0, prefix + options.blockBytes, place.offset - prefix);
    if (isReplaced(raw.subarray(0, got), place)) return { kind: 'replaced' };
    const outcome = cutLines(raw, got, place, options);
    if (outcome === 'long') return await readLongLine(content, place, options);
    kept = outcome.kind === 'lines';
    return outcome;
  } finally {
    if (!kept) options.pool.give(raw);
  }
}

function isReplaced(raw: Buffer, place: Place): boolean {
  if (!holdsAnchor(raw, place.anchor)) return true;
  return place.offset === 0 && !beginsWith(raw, place.fingerprint);
}

function cutLines(raw: Buffer, got: number, place: Place, options: ReadOptions): ReadOutcome | 'long' {
  const { encoding, maxLineBytes } = options;
  const prefix = place.anchor.bytes;
  const full = got === prefix + options.blockBytes;
  const size = place.offset + got - prefix;
  const lastEnd = encoding.afterLastNewline(raw, prefix, got);
  if (lastEnd === -1) {
    if (full || got - prefix >= RESCAN_BYTES) return 'long';
    if (!options.finishing || got === prefix) return { kind: 'end', scanned: got - prefix, size };
  }
  const wanted = lastEnd === -1 || (options.finishing && !full) ? got : lastEnd;
  const longAt = longLineAt(raw, prefix, wanted, maxLineBytes, encoding);
  if (longAt === prefix) return 'long';
  const end = longAt === -1 ? wanted : longAt;
  const to = place.offset + end - prefix;
  const more = full || longAt !== -1;
  const final = options.finishing && !more;
  const block = { raw, start: prefix, end, from: place.offset, to, cutBytes: 0, cutLines: 0 };
  return { kind: 'lines', block: { ...block, anchor: anchorBefore(raw, end), more, final, pooled: true } };
}

/** Where the first line longer than the limit begins, or -1. Steps as far as a line may be long, not line by line. */
function longLineAt(
  raw: Buffer,
  from: number,
  to: number,
  maxLineBytes: number,
  encoding: TextEncoding,
): number {
  const step = maxLineBytes + encoding.unit;
  let at = from;
  while (to - at > step) {
    const next = encoding.afterLastNewline(raw, at, at + step);
    if (next === -1) return at;
    at = next;
  }
  return -1;
}

/** One line that does not fit a block, or is longer than allowed: found by searching on, then cut to its head. */
async function readLongLine(content: Readable, place: Place, options: ReadOptions): Promise<ReadOutcome> {
  if (!(await isStanding(content, place))) return { kind: 'replaced' };
  const found = await findNewline(content, place, options);
  if (found.end === -1 && !options.finishing)
    return { kind: 'end', scanned: found.scanned, size: found.size };
  const to = found.end === -1 ? found.size : found.end;
  const newline = found.end === -1 ? 0 : options.encoding.unit;
  const length = to - place.offset - newline;
  if (length + newline === 0) return { kind: 'end', scanned: 0, size: to };
  const { encoding, maxLineBytes } = options;
  const most = Math.min(length, maxLineBytes - (maxLineBytes % encoding.unit));
  const prefix = place.anchor.bytes;
  // The file is known by its first bytes, of which a line may be allowed fewer.
  const head = place.offset === 0 ? Math.max(most, place.fingerprint.bytes) : most;
  const raw = Buffer.allocUnsafeSlow(prefix + head + newline);
  const got = await content.read(raw, 0, prefix + head, place.offset - prefix);
  if (got < prefix + head || isReplaced(raw.subarray(0, got), place)) return { kind: 'replaced' };
  const kept = most < length ? encoding.wholeEnd(raw, prefix, prefix + most) - prefix : most;
  const tail = Buffer.allocUnsafe(Math.min(ANCHOR_BYTES, to));
  if ((await content.read(tail, 0, tail.length, to - tail.length)) < tail.length) return { kind: 'replaced' };
  if (newline > 0) tail.copy(raw, prefix + kept, tail.length - newline);
  const cutBytes = length - kept;
  return {
    kind: 'lines',
    block: {
      raw,
      start: prefix,
      end: prefix + kept + newline,
      from: place.offset,
      to,
      cutBytes,
      cutLines: cutBytes > 0 ? 1 : 0,
      anchor: anchorBefore(tail, tail.length),
      more: newline > 0,
      final: newline === 0,
      pooled: false,
    },
  };
}

/** Of a place whose line is not read from its beginning again. */
async function isStanding(content: Readable, { offset, anchor, fingerprint }: Place): Promise<boolean> {
  const known = Buffer.allocUnsafe(offset === 0 ? fingerprint.bytes : anchor.bytes);
  const got = await content.read(known, 0, known.length, Math.max(0, offset - anchor.bytes));
  const raw = known.subarray(0, got);
  return offset === 0 ? beginsWith(raw, fingerprint) : holdsAnchor(raw, anchor);
}

async function findNewline(
  content: Readable,
  place: Place,
  options: ReadOptions,
): Promise<{ end: number; scanned: number; size: number }> {
  const { encoding, pool } = options;
  const block = pool.take(SCAN_BLOCK_BYTES);
  try {
    // From the last unit on that was there: where that is gone the file was cut, and what it has now is searched.
    const { unit } = encoding;
    const last = place.scanned - (place.scanned % unit) - unit;
    for (let scanned = Math.max(0, last); ;) {
      const at = place.offset + scanned;
      const got = await content.read(block, 0, SCAN_BLOCK_BYTES, at);
      if (got === 0 && scanned > 0 && scanned === last) {
        scanned = 0;
        continue;
      }
      const end = encoding.afterFirstNewline(block, 0, got);
      if (end !== -1) return { end: at + end, scanned, size: at + got };
      scanned += got - (got % encoding.unit);
      if (got < SCAN_BLOCK_BYTES) return { end: -1, scanned, size: at + got };
    }
  } finally {
    pool.give(block);
  }
}
