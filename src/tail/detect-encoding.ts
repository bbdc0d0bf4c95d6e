import type { Log } from '../platform/log.ts';
import { shownPath } from '../platform/path-bytes.ts';
import { FINGERPRINT_BYTES } from './fingerprint.ts';
import type { Stream } from './stream.ts';
import { encodingOf, hasMark } from './text-encoding.ts';

/** So many bytes of a file's beginning are looked at. */
export const TELLING_BYTES = FINGERPRINT_BYTES;
/** Two units of UTF-16. */
const ENOUGH_BYTES = 4;

/**
 * Decides on the stream's encoding by the file's first bytes, once they are enough: one or two may be the beginning of a
 * mark, or half a character of UTF-16. What was not said by the configuration or a mark is logged.
 */
export function detectEncoding(stream: Stream, head: Buffer, log: Log): void {
  if (!isEnough(head)) return;
  const { source } = stream;
  stream.encoding = encodingOf(source.encoding, head);
  if (!stream.encoding.isGuess) return;
  const fields = { source: source.name, path: shownPath(stream.path), encoding: stream.encoding.name };
  log.warn(fields, 'a file looks like UTF-16 without a byte order mark; it is read so');
}

function isEnough(head: Buffer): boolean {
  if (head.length >= ENOUGH_BYTES || hasMark(head)) return true;
  // All marks begin at 0xef or above, and of UTF-16 that is text in a Latin script each second byte is 0.
  return head.length >= 2 && head[0]! < 0xef && head[0] !== 0 && head[1] !== 0;
}
