import { readAt, closeDescriptor, openForReading } from '../platform/files.ts';
import { beginsWith, FINGERPRINT_BYTES, holdsAnchor } from './fingerprint.ts';
import { openContent } from './open-files.ts';
import type { Member } from './family.ts';
import type { Stream } from './stream.ts';

/** `undecided`: the file may still be being written; ask again. */
export type CopyVerdict = 'copy' | 'other' | 'undecided';

/** A file that has not changed for this long is taken to be complete. */
const SETTLED_MS = 2_000;

/**
 * Whether a file is a copy of a stream's content as far as the stream was read: same beginning, and the same bytes
 * before the stream's offset. For a stream that was read to its end, the size that gzip notes in its last bytes
 * spares decompressing the whole.
 */
export async function judgeCopy(member: Member, stream: Stream, nowMs: number): Promise<CopyVerdict> {
  const unripe = nowMs - Number(member.stat.mtimeNs / 1_000_000n) < SETTLED_MS ? 'undecided' : 'other';
  if (stream.fingerprint.bytes === 0) return 'other';
  try {
    const opened = await openContent(member.path, member.compression);
    if (opened === undefined) return 'other';
    try {
      const head = Buffer.allocUnsafe(FINGERPRINT_BYTES);
      const got = await opened.content.read(head, 0, FINGERPRINT_BYTES, 0);
      if (got < stream.fingerprint.bytes) return unripe;
      if (!beginsWith(head.subarray(0, got), stream.fingerprint)) return 'other';
      if (member.compression === 'gzip' && stream.state === 'finished') {
        if ((await gzipContentSize(member.path, opened.stat.size)) === stream.offset % 2 ** 32) return 'copy';
      }
      const { anchor, offset } = stream;
      const before = Buffer.allocUnsafe(anchor.bytes);
      const read = await opened.content.read(before, 0, anchor.bytes, offset - anchor.bytes);
      if (read === anchor.bytes) return holdsAnchor(before, anchor) ? 'copy' : 'other';
      if (unripe === 'undecided') return 'undecided';
      // Complete and shorter than what we read of the stream: a copy that was broken off, if the beginning is long
      // enough to be sure; else a file with the same header.
      return stream.fingerprint.bytes === FINGERPRINT_BYTES ? 'copy' : 'other';
    } finally {
      await opened.content.close();
    }
  } catch {
    // A compressed file that ends too early is still being written; an unreadable one may become readable.
    return unripe;
  }
}

/** ISIZE: length of the content modulo 2^32, in the last four bytes. */
export async function gzipContentSize(path: string, size: number): Promise<number> {
  const descriptor = await openForReading('tail', path);
  try {
    const trailer = Buffer.alloc(4);
    await readAt('tail', descriptor, trailer, 0, 4, Math.max(0, size - 4));
    return trailer.readUInt32LE(0);
  } finally {
    await closeDescriptor(descriptor);
  }
}
