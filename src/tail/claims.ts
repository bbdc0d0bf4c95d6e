import { contentSize, judgeOpened, openedSize, type CopyVerdict } from './copies.ts';
import type { Family } from './family.ts';
import { ANCHOR_BYTES } from './fingerprint.ts';
import type { Bound } from './sight.ts';
import type { Copy } from './strays.ts';
import type { Stream } from './stream.ts';

/**
 * Whether a file that holds what is known of `stream` is its copy, or rather that of another stream which begins as
 * it does, and of which more is known and found in the file: files with one header, or of one beginning of a line.
 */
export async function settleClaims(
  { member, opened }: Copy,
  stream: Stream,
  { streams }: Family,
  bound: Bound,
  nowMs: number,
): Promise<CopyVerdict> {
  if (isOlder({ member, opened }, stream)) return 'other';
  for (const other of streams) {
    if (other === stream) continue;
    const verdict = await judgeOpened(member, opened, other, nowMs);
    if (verdict === 'other' || knownBytes(other) <= knownBytes(stream)) continue;
    if (verdict === 'undecided') {
      // It may become the other one's copy; only where that one's file is open was it compared as far as it goes.
      if (other.content !== undefined && isLittleKnown(stream)) return 'undecided';
      continue;
    }
    const own = bound.get(other);
    if (own === undefined || !isLittleKnown(other)) return 'other';
    // A few equal bytes and different sizes: rather two files with one header than a file and its copy.
    if ((await openedSize(member, opened)) === (await contentSize(own))) return 'other';
  }
  return 'copy';
}

/** What was written last before the stream's own file was when it was found is no copy of that: time helps out bytes. */
function isOlder({ opened }: Copy, stream: Stream): boolean {
  return isLittleKnown(stream) && opened.stat.mtimeNs < stream.foundAtNs;
}

function isLittleKnown(stream: Stream): boolean {
  return knownBytes(stream) < ANCHOR_BYTES;
}

function knownBytes({ fingerprint, offset }: Stream): number {
  return Math.max(fingerprint.bytes, offset);
}
