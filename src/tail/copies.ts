import { readAt } from '../platform/files.ts';
import type { Content } from './content.ts';
import { placeOf, type Member } from './family.ts';
import { beginsWith, FINGERPRINT_BYTES, fingerprintOf, holdsAnchor } from './fingerprint.ts';
import { openContent, type Opened } from './open-files.ts';
import { BEGINNING_BYTES, type Stream } from './stream.ts';

/** `undecided`: the file may still be being written; ask again. */
export type CopyVerdict = 'copy' | 'other' | 'undecided';

/** A file that has not changed for this long is taken to be complete. */
const COMPLETE_AFTER_MS = 2_000;

export function isComplete(member: Member, nowMs: number): boolean {
  return nowMs - Number(member.stat.mtimeNs / 1_000_000n) > COMPLETE_AFTER_MS;
}

/**
 * Whether a file is a copy of a stream's content as far as the stream was read: same beginning, and the same bytes
 * before the stream's offset.
 */
export async function judgeCopy(member: Member, stream: Stream, nowMs: number): Promise<CopyVerdict> {
  const judged = await openCopy(member, stream, nowMs);
  if (typeof judged === 'string') return judged;
  await judged.content.close();
  return 'copy';
}

/**
 * The same, and where it is a copy the file, open. Whoever goes on with the copy keeps that handle: by the time
 * its path is opened again the copy may be gone, and its inode another file's.
 */
export async function openCopy(
  member: Member,
  stream: Stream,
  nowMs: number,
): Promise<Opened | 'other' | 'undecided'> {
  if (stream.fingerprint.bytes === 0 && stream.content === undefined) return 'other';
  if (beginsOtherwise(member, stream)) return 'other';
  let opened: Opened | undefined;
  try {
    opened = await openContent(placeOf(member), member.compression);
  } catch {
    return whileUnripe(member, nowMs);
  }
  if (opened === undefined) return 'undecided';
  // Another file may have the path by now.
  const same = opened.stat.id === member.stat.id;
  const verdict = same ? await judgeOpened(member, opened, stream, nowMs) : 'undecided';
  if (verdict === 'copy') return opened;
  await opened.content.close();
  return verdict;
}

/** The same of a file that is open already, and stays so. */
export async function judgeOpened(
  member: Member,
  opened: Opened,
  stream: Stream,
  nowMs: number,
): Promise<CopyVerdict> {
  if (beginsOtherwise(member, stream)) return 'other';
  const unripe = whileUnripe(member, nowMs);
  try {
    await refreshFingerprint(stream);
    return stream.fingerprint.bytes === 0 ? 'other' : await compare(member, opened, stream, unripe);
  } catch {
    // A compressed file that ends too early is still being written; what cannot be read cannot be followed.
    return unripe;
  }
}

function whileUnripe(member: Member, nowMs: number): 'other' | 'undecided' {
  return isComplete(member, nowMs) ? 'other' : 'undecided';
}

/** What files begin with, as they were read first in the look that has these members. */
const beginnings = new WeakMap<Member, Uint8Array>();

/**
 * Whether the first bytes alone show that the file is no copy of the stream's content. In a folder of thousands of files
 * each is held against each other one: nearly all of that ends here, without a read.
 */
function beginsOtherwise(member: Member, { beginning }: Stream): boolean {
  const head = beginnings.get(member);
  if (head === undefined) return false;
  const length = Math.min(head.length, beginning.length);
  for (let i = 0; i < length; i++) if (head[i] !== beginning[i]) return true;
  return false;
}

async function compare(
  member: Member,
  { content, stat, descriptor }: Opened,
  stream: Stream,
  unripe: 'other' | 'undecided',
): Promise<CopyVerdict> {
  const head = await readHead(content);
  if (stat.id === member.stat.id) beginnings.set(member, head.subarray(0, BEGINNING_BYTES));
  if (beginsOtherwise(member, stream)) return 'other';
  if (head.length < stream.fingerprint.bytes) return (await sharesHead(head, stream)) ? unripe : 'other';
  if (!beginsWith(head, stream.fingerprint) || !(await sharesHead(head, stream))) return 'other';
  // For what was read to its end the size that gzip notes spares decompressing the whole.
  if (member.compression === 'gzip' && stream.state === 'finished') {
    if ((await gzipContentSize(descriptor, stat.size)) === stream.offset % 2 ** 32) return 'copy';
  }
  const { anchor, offset } = stream;
  const before = Buffer.allocUnsafe(anchor.bytes);
  const got = await content.read(before, 0, anchor.bytes, offset - anchor.bytes);
  if (got === anchor.bytes) return holdsAnchor(before, anchor) ? 'copy' : 'other';
  if (unripe === 'undecided') return 'undecided';
  // Complete, and shorter than what was read of the stream: a copy that was broken off, if the beginning is long
  // enough to be sure of that; else another file with the same header.
  return stream.fingerprint.bytes === FINGERPRINT_BYTES ? 'copy' : 'other';
}

/** Whether the copy has more than was read of the stream. */
export async function hasRest({ compression }: Member, opened: Opened, { offset }: Stream): Promise<boolean> {
  const { content, stat, descriptor } = opened;
  if (compression === 'none') return stat.size !== offset;
  if (compression === 'gzip') return (await gzipContentSize(descriptor, stat.size)) !== offset % 2 ** 32;
  // Of zstd that is history the length was never asked for.
  return offset > 0 && (await content.read(Buffer.allocUnsafe(1), 0, 1, offset)) > 0;
}

/** As it is now, and decompressed; `undefined` where it cannot be read. */
export async function contentSize(member: Member): Promise<number | undefined> {
  const opened = await openContent(placeOf(member), member.compression).catch(() => undefined);
  if (opened === undefined) return undefined;
  try {
    return opened.stat.id === member.stat.id ? await openedSize(member, opened) : undefined;
  } finally {
    await opened.content.close();
  }
}

export async function openedSize(member: Member, opened: Opened): Promise<number | undefined> {
  const { content, stat, descriptor } = opened;
  try {
    if (member.compression === 'none') return stat.size;
    if (member.compression === 'gzip') return await gzipContentSize(descriptor, stat.size);
    return await lengthOf(content);
  } catch {
    return undefined;
  }
}

async function lengthOf(content: Content): Promise<number> {
  const block = Buffer.allocUnsafe(64 * 1024);
  for (let length = 0; ;) {
    const got = await content.read(block, 0, block.length, length);
    length += got;
    if (got < block.length) return length;
  }
}

export async function readHead(content: Content): Promise<Buffer> {
  const head = Buffer.allocUnsafe(FINGERPRINT_BYTES);
  return head.subarray(0, await content.read(head, 0, FINGERPRINT_BYTES, 0));
}

/**
 * A file may have grown since its fingerprint was taken, and be copied and cut before it is read: what it begins with
 * now must be known before its copy is judged.
 */
async function refreshFingerprint(stream: Stream): Promise<void> {
  if (stream.fingerprint.bytes === FINGERPRINT_BYTES || stream.content === undefined || stream.content.sealed)
    return;
  const own = await readHead(stream.content);
  if (own.length > stream.fingerprint.bytes && beginsWith(own, stream.fingerprint)) {
    stream.fingerprint = fingerprintOf(own);
    stream.knowBeginning(own);
  }
}

/** Whether the stream's own file begins as this one does, as far as both go; true where that cannot be seen any more. */
async function sharesHead(head: Buffer, stream: Stream): Promise<boolean> {
  if (stream.content === undefined || stream.content.sealed) return true;
  const own = await readHead(stream.content);
  if (!beginsWith(own, stream.fingerprint)) return true;
  const length = Math.min(own.length, head.length);
  return own.subarray(0, length).equals(head.subarray(0, length));
}

/** ISIZE: length of the content modulo 2^32, in the last four bytes. */
export async function gzipContentSize(descriptor: number, size: number): Promise<number> {
  const trailer = Buffer.alloc(4);
  await readAt('tail', descriptor, trailer, 0, 4, Math.max(0, size - 4));
  return trailer.readUInt32LE(0);
}
