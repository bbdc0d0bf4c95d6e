import type { Cursor } from './cursor.ts';
import { ungreedyFlag } from './dialect.ts';

/** The flags that hold at a place of an expression. */
export interface Flags {
  /** i */
  readonly anyCase: boolean;
  /** s: a dot takes newlines. */
  readonly dotAll: boolean;
  /** m, where it is about `^` and `$`. */
  readonly lineEnds: boolean;
  /** x: blanks and comments are no part of the expression. */
  readonly extended: boolean;
  /** U: quantifiers are lazy, and greedy with a `?`. */
  readonly ungreedy: boolean;
}

/** `ims-x`, as it stands behind `(?`. */
const LETTERS = /\^?[a-zA-Z]*(?:-[a-zA-Z]*)?(?=[:)])/y;

/**
 * Reads the letters behind `(?` and gives the flags that they make of `flags`; undefined where no letters of flags stand.
 * `start` is the offset of the bracket. Throws a PatternError.
 */
export function readFlags(
  cursor: Cursor,
  start: number,
  flags: Flags,
  multiline: boolean,
): Flags | undefined {
  const letters = cursor.match(LETTERS)?.[0];
  if (letters === undefined || letters === '') return undefined;
  if (letters.startsWith('^'))
    cursor.refuse(start, 'sets flags back, which cannot be had; name each, as in (?i-s:…)');
  if (cursor.dialect === 'javascript')
    cursor.refuse(start, 'is no group of JavaScript; the key flags: takes i and s');
  const [on = '', off = ''] = letters.split('-', 2);
  let next = flags;
  for (const letter of on) next = withFlag({ cursor, start, letter, on: true, multiline }, next);
  for (const letter of off) next = withFlag({ cursor, start, letter, on: false, multiline }, next);
  return next;
}

interface Change {
  readonly cursor: Cursor;
  readonly start: number;
  readonly letter: string;
  readonly on: boolean;
  readonly multiline: boolean;
}

function withFlag(change: Change, flags: Flags): Flags {
  const { cursor, start, letter, on, multiline } = change;
  const { dialect } = cursor;
  switch (letter) {
    case 'i':
      return { ...flags, anyCase: on };
    case 's':
      if (dialect === 'oniguruma')
        return cursor.refuse(
          start,
          "has an s, which is no flag of Oniguruma's Ruby syntax; m lets a dot take newlines",
        );
      return { ...flags, dotAll: on };
    case 'm':
      if (dialect === 'oniguruma') return { ...flags, dotAll: on };
      if (multiline && dialect === undefined)
        return cursor.refuse(
          start,
          'lets a dot take newlines in Oniguruma, and ^ and $ stand at the ends of lines in other engines; write (?s) for the first, or say dialect',
        );
      return { ...flags, lineEnds: on && multiline };
    case 'x':
      if (dialect === 're2' || dialect === 'posix')
        return cursor.refuse(start, `has an x, which is no flag in dialect ${dialect}`);
      return { ...flags, extended: on };
    case 'U':
      if (ungreedyFlag(dialect)) return { ...flags, ungreedy: on };
      if (dialect === undefined)
        return cursor.refuse(
          start,
          'swaps lazy and greedy in RE2, PCRE and Rust and asks for Unicode in Java; write the quantifiers as they are meant, or say dialect',
        );
      return cursor.refuse(start, 'asks for Unicode, which cannot be had; write \\p{L} for letters');
    case 'a':
    case 'J':
      return flags;
    default:
      return cursor.refuse(start, `has the flag ${letter}, which cannot be had; there are i, s, m and x`);
  }
}
