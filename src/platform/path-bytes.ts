import { isUtf8 } from 'node:buffer';

/**
 * Names of files are bytes, and not all of them are UTF-8. In the program a path is text in which each byte that is no
 * UTF-8 stands as a lone surrogate, U+DC80 to U+DCFF, as PEP 383 has it: one such character is one byte, so that globs
 * match it and the way back to the bytes is exact.
 */
export function pathOfBytes(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString('utf8');
  let path = '';
  for (let at = 0; at < bytes.length;) {
    const length = characterLength(bytes, at);
    path += length === 0 ? String.fromCharCode(0xdc00 + bytes[at]!) : bytes.toString('utf8', at, at + length);
    at += Math.max(1, length);
  }
  return path;
}

/** As the file system takes it. */
export function bytesOfPath(path: string): string | Buffer {
  if (path.isWellFormed()) return path;
  return Buffer.concat(
    Array.from(path, (character) => {
      const byte = strayByte(character);
      return byte === undefined ? Buffer.from(character) : Buffer.of(byte);
    }),
  );
}

/**
 * For people, and for what takes only UTF-8: bytes that are none, and control characters, are written `\xff`; a
 * backslash of a name that has such is doubled.
 */
export function shownPath(path: string): string {
  if (path.isWellFormed() && !CONTROL.test(path)) return path;
  return Array.from(path, (character) => {
    if (character === '\\') return '\\\\';
    const byte = strayByte(character) ?? (CONTROL.test(character) ? character.codePointAt(0)! : undefined);
    return byte === undefined ? character.toWellFormed() : `\\x${byte.toString(16).padStart(2, '0')}`;
  }).join('');
}

/**
 * For a place that keeps text as UTF-8. A path that is UTF-8 stands as it is; another as NUL, which no path has, and a
 * character for each of its bytes.
 */
export function storedPath(path: string): string {
  return path.isWellFormed() ? path : `\0${(bytesOfPath(path) as Buffer).toString('latin1')}`;
}

export function pathFromStored(stored: string): string {
  return stored.startsWith('\0') ? pathOfBytes(Buffer.from(stored.slice(1), 'latin1')) : stored;
}

// oxlint-disable-next-line no-control-regex -- they are what is looked for
const CONTROL = /[\x00-\x1f\x7f]/;

/** Of the character of UTF-8 that begins at `at`; 0 where none does. */
function characterLength(bytes: Buffer, at: number): number {
  const lead = bytes[at]!;
  const length = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  return length > 0 && at + length <= bytes.length && isUtf8(bytes.subarray(at, at + length)) ? length : 0;
}

function strayByte(character: string): number | undefined {
  const code = character.codePointAt(0)!;
  return code >= 0xdc80 && code <= 0xdcff ? code - 0xdc00 : undefined;
}
