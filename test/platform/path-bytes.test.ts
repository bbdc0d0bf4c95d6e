import { expect, it } from 'vitest';
import {
  bytesOfPath,
  pathFromStored,
  pathOfBytes,
  shownPath,
  storedPath,
} from '../../src/platform/path-bytes.ts';

const HOSTILE: readonly (readonly [string, Buffer, string])[] = [
  ['Latin-1', Buffer.from('/var/caf\xe9.log', 'latin1'), '/var/caf\\xe9.log'],
  ['a character that is cut', Buffer.from([0x61, 0xe2, 0x82, 0x62]), 'a\\xe2\\x82b'],
  ['a character in too many bytes', Buffer.from([0xc0, 0xaf]), '\\xc0\\xaf'],
  ['half of a pair as UTF-8', Buffer.from([0xed, 0xb2, 0x80]), '\\xed\\xb2\\x80'],
  ['beyond the last character', Buffer.from([0xf4, 0x90, 0x80, 0x80]), '\\xf4\\x90\\x80\\x80'],
  ['valid and invalid side by side', Buffer.from([0xc3, 0xa9, 0xff, 0xf0, 0x9f, 0x98, 0x80]), 'é\\xff😀'],
  ['control characters', Buffer.from('a\n\x1b[31m\x7f'), 'a\\x0a\\x1b[31m\\x7f'],
  ['a backslash beside such', Buffer.from('a\\\xff', 'latin1'), 'a\\\\\\xff'],
];

it.each(HOSTILE)('takes %s there and back, byte for byte, and shows it escaped', (_, bytes, shown) => {
  const path = pathOfBytes(bytes);
  expect(Buffer.from(bytesOfPath(path))).toEqual(bytes);
  expect(shownPath(path)).toBe(shown);
  expect(shownPath(path).isWellFormed()).toBe(true);
  const stored = storedPath(path);
  expect(stored.isWellFormed()).toBe(true);
  expect(pathFromStored(Buffer.from(stored).toString('utf8'))).toBe(path);
});

it('leaves names alone that are UTF-8', () => {
  for (const path of ['/var/log/äé😀.log', 'C:\\logs', '', '\ufffd']) {
    expect(pathOfBytes(Buffer.from(path))).toBe(path);
    expect(bytesOfPath(path)).toBe(path);
    expect(shownPath(path)).toBe(path);
    expect(storedPath(path)).toBe(path);
    expect(pathFromStored(path)).toBe(path);
  }
});

it('keeps every byte of every length apart', () => {
  for (let first = 0; first < 256; first++) {
    const bytes = Buffer.from([first, 0x80, first, 0x61, first]);
    expect(Buffer.from(bytesOfPath(pathOfBytes(bytes)))).toEqual(bytes);
  }
});
