import { crc32 } from 'node:zlib';
import type { Anchor, Fingerprint } from '../model/position.ts';

export const FINGERPRINT_BYTES = 1024;
export const ANCHOR_BYTES = 256;

export const NO_FINGERPRINT: Fingerprint = { bytes: 0, crc: 0 };
export const NO_ANCHOR: Anchor = { bytes: 0, crc: 0 };

export function fingerprintOf(head: Buffer): Fingerprint {
  const bytes = Math.min(FINGERPRINT_BYTES, head.length);
  return { bytes, crc: crc32(head.subarray(0, bytes)) };
}

/** Grows a fingerprint by the bytes of `block`, whose first byte is at `blockStart` in the file. */
export function growFingerprint(known: Fingerprint, block: Buffer, blockStart: number): Fingerprint {
  const end = Math.min(FINGERPRINT_BYTES, blockStart + block.length);
  if (end <= known.bytes || blockStart > known.bytes) return known;
  return { bytes: end, crc: crc32(block.subarray(known.bytes - blockStart, end - blockStart), known.crc) };
}

/** Whether a file that begins with `head` may be the one that the fingerprint was taken of. */
export function beginsWith(head: Buffer, known: Fingerprint): boolean {
  return head.length >= known.bytes && crc32(head.subarray(0, known.bytes)) === known.crc;
}

/** The anchor of offset `end` within `block`. */
export function anchorBefore(block: Buffer, end: number): Anchor {
  const bytes = Math.min(ANCHOR_BYTES, end);
  return { bytes, crc: crc32(block.subarray(end - bytes, end)) };
}

export function holdsAnchor(block: Buffer, anchor: Anchor): boolean {
  return block.length >= anchor.bytes && crc32(block.subarray(0, anchor.bytes)) === anchor.crc;
}
