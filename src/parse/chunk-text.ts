import { isAscii, isUtf8 } from 'node:buffer';
import { LONG_TEXT } from './pattern/linear.ts';

/** A chunk decoded at once, for the fast way over it. */
export interface ChunkText {
  readonly text: string;
  /** A character is a byte. */
  readonly ascii: boolean;
  /** In the chunk each line ends in CR LF; the text has no CR. */
  readonly crlf: boolean;
}

/** What a part of the text is in the chunk. */
export function byteLength({ text, ascii, crlf }: ChunkText, start: number, end: number): number {
  const bytes = ascii ? end - start : Buffer.byteLength(text.slice(start, end));
  return crlf ? bytes + countNewlines(text, start, end) : bytes;
}

function countNewlines(text: string, start: number, end: number): number {
  let count = 0;
  for (let at = text.indexOf('\n', start); at >= 0 && at < end; at = text.indexOf('\n', at + 1)) count++;
  return count;
}

/** Looks at the text only once in so many characters. */
function hasLongLine(text: string): boolean {
  for (let at = 0; at + LONG_TEXT < text.length;) {
    const newline = text.lastIndexOf('\n', at + LONG_TEXT);
    if (newline < at) return true;
    at = newline + 1;
  }
  return false;
}

/**
 * Undefined for chunks that must be walked line by line: those with bytes that are not UTF-8, NUL, or line ends other
 * than a newline (`^`, `$` and `.` know more of them than files do), unless all of them are CR LF, and, unless `longLines`, with lines that
 * need the linear engine.
 */
export function decodeChunk(bytes: Buffer, longLines: boolean): ChunkText | undefined {
  const ascii = isAscii(bytes);
  if (!ascii && !isUtf8(bytes)) return undefined;
  const whole = bytes.toString(ascii ? 'latin1' : 'utf8');
  const crlf = whole.endsWith('\r\n');
  const text = crlf ? whole.replaceAll('\r\n', '\n') : whole;
  if (!longLines && hasLongLine(text)) return undefined;
  if (text.includes('\r') || text.includes('\0')) return undefined;
  if (crlf && countNewlines(text, 0, text.length) !== whole.length - text.length) return undefined;
  if (!ascii && (text.includes('\u2028') || text.includes('\u2029'))) return undefined;
  return { text, ascii, crlf };
}
