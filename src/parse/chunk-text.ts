import { isAscii, isUtf8 } from 'node:buffer';

/** A chunk decoded at once, for the fast way over it. */
export interface ChunkText {
  readonly text: string;
  /** A character is a byte. */
  readonly ascii: boolean;
}

/**
 * Undefined for chunks that must be walked line by line: those with bytes that are not UTF-8, NUL, or line ends other
 * than a newline (`^`, `$` and `.` know more of them than files do).
 */
export function decodeChunk(bytes: Buffer): ChunkText | undefined {
  const ascii = isAscii(bytes);
  if (!ascii && !isUtf8(bytes)) return undefined;
  const text = bytes.toString(ascii ? 'latin1' : 'utf8');
  if (text.includes('\r') || text.includes('\0')) return undefined;
  if (!ascii && (text.includes('\u2028') || text.includes('\u2029'))) return undefined;
  return { text, ascii };
}
