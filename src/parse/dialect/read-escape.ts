import { DIGIT, SPACE, WORD } from '../pattern/char-set.ts';
import type { CharSet } from '../pattern/char-set.ts';
import { LAST_CODE_POINT, inverse } from './code-set.ts';
import type { Cursor } from './cursor.ts';
import { asciiProperties, blankH, hexH, noQuotes, unicodeProperties, wideV } from './dialect.ts';
import { asciiProperty, propertySet } from './property-set.ts';

/** What follows a backslash. */
export type Escape =
  | { readonly kind: 'set'; readonly set: CharSet; readonly source?: string; readonly negated?: boolean }
  | { readonly kind: 'assertion'; readonly source: string; readonly letter: string }
  | { readonly kind: 'number'; readonly group: number }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'line-end' }
  | { readonly kind: 'keep' };

const VERTICAL: CharSet = [0x0a, 0x0d, 0x85, 0x85, 0x2028, 0x2029];
const BLANKS: CharSet = [
  0x09, 0x09, 0x20, 0x20, 0xa0, 0xa0, 0x1680, 0x1680, 0x180e, 0x180e, 0x2000, 0x200a, 0x202f, 0x202f, 0x205f, 0x205f,
  0x3000, 0x3000,
]; // prettier-ignore
const HEX: CharSet = [0x30, 0x39, 0x41, 0x46, 0x61, 0x66];
export const NOT_NEWLINE: CharSet = inverse([0x0a, 0x0a]);

const one = (point: number, source?: string): Escape => ({
  kind: 'set',
  set: [point, point],
  ...(source === undefined ? {} : { source }),
});
const unit = (point: number): Escape => one(point);

/** Reads the escape at the cursor, which stands on the backslash. Throws a PatternError for what means nothing. */
export function readEscape(cursor: Cursor, inBrackets: boolean): Escape {
  const start = cursor.pos;
  cursor.pos++;
  if (cursor.atEnd) cursor.refuse(start, 'is followed by nothing; write \\\\ for a backslash');
  const letter = cursor.peek();
  if (/[0-9]/.test(letter)) return number(cursor, start, inBrackets);
  if (!/[A-Za-z]/.test(letter)) return symbol(cursor, inBrackets);
  cursor.pos++;
  if (cursor.dialect === 'posix' && !/[wWsSbB]/.test(letter)) return meaningless(cursor, start, letter);
  return (
    plainLetter(letter, inBrackets) ??
    coded(cursor, start, letter) ??
    property(cursor, start, letter) ??
    (inBrackets ? undefined : outside(cursor, start, letter)) ??
    shared(cursor, start, letter) ??
    meaningless(cursor, start, letter)
  );
}

function meaningless(cursor: Cursor, start: number, letter: string): never {
  const inDialect = cursor.dialect === undefined ? '' : ` in dialect ${cursor.dialect}`;
  return cursor.refuse(
    start,
    `means nothing${inDialect}; delete the backslash if the letter ${letter} is meant`,
  );
}

function symbol(cursor: Cursor, inBrackets: boolean): Escape {
  const char = cursor.peek();
  const point = cursor.point();
  if (cursor.dialect === 'posix' && !inBrackets) {
    if (char === '<' || char === '>') return { kind: 'assertion', source: '\\b', letter: char };
    if (char === '`') return { kind: 'assertion', source: '^', letter: char };
    if (char === "'") return { kind: 'assertion', source: '$', letter: char };
  }
  return point > 0x7f || point === 0x5f ? unit(point) : one(point, `\\${char}`);
}

/** Those that V8 reads alike. */
function plainLetter(letter: string, inBrackets: boolean): Escape | undefined {
  const source = `\\${letter}`;
  switch (letter) {
    case 'd':
      return { kind: 'set', set: DIGIT, source };
    case 'D':
      return { kind: 'set', set: inverse(DIGIT), source, negated: true };
    case 'w':
      return { kind: 'set', set: WORD, source };
    case 'W':
      return { kind: 'set', set: inverse(WORD), source, negated: true };
    case 's':
      return { kind: 'set', set: SPACE, source };
    case 'S':
      return { kind: 'set', set: inverse(SPACE), source, negated: true };
    case 't':
      return one(0x09, source);
    case 'n':
      return one(0x0a, source);
    case 'r':
      return one(0x0d, source);
    case 'f':
      return one(0x0c, source);
    case 'b':
      return inBrackets ? one(0x08, source) : { kind: 'assertion', source, letter };
    case 'B':
      return inBrackets ? undefined : { kind: 'assertion', source, letter };
    default:
      return undefined;
  }
}

/** Characters that are given by their numbers. */
function coded(cursor: Cursor, start: number, letter: string): Escape | undefined {
  const points: Readonly<Record<string, readonly RegExp[]>> = {
    x: [/\{([0-9A-Fa-f]{1,8})\}/y, /([0-9A-Fa-f]{2})/y],
    u: [/\{([0-9A-Fa-f]{1,8})\}/y, /([0-9A-Fa-f]{4})/y],
    U: [/([0-9A-Fa-f]{8})/y],
    N: [/\{U\+([0-9A-Fa-f]{1,8})\}/y],
  };
  if (letter === 'o') {
    const octal = cursor.match(/\{([0-7]{1,8})\}/y);
    return octal === undefined ? undefined : inRange(cursor, start, Number.parseInt(octal[1]!, 8));
  }
  if (letter === 'c') {
    const control = cursor.match(/([A-Za-z])/y);
    return control === undefined ? undefined : one(control[1]!.charCodeAt(0) % 32, `\\c${control[1]}`);
  }
  for (const form of Object.hasOwn(points, letter) ? points[letter]! : []) {
    const found = cursor.match(form);
    if (found !== undefined) return inRange(cursor, start, Number.parseInt(found[1]!, 16));
  }
  if (letter !== 'x' && letter !== 'u') return undefined;
  return cursor.refuse(
    start,
    `is no character: ${letter === 'x' ? 'write two hexadecimal digits, or \\x{41}' : 'write four hexadecimal digits, or \\u{41}'}`,
  );
}

function inRange(cursor: Cursor, start: number, point: number): Escape {
  if (point > LAST_CODE_POINT) cursor.refuse(start, 'is beyond the last character, 10FFFF');
  return unit(point);
}

function property(cursor: Cursor, start: number, letter: string): Escape | undefined {
  if (letter !== 'p' && letter !== 'P') return undefined;
  const name = cursor.match(/\{([^}]*)\}/y)?.[1] ?? cursor.match(/[A-Za-z]/y)?.[0];
  if (name === undefined) return undefined;
  const ascii = asciiProperty(name);
  if (ascii !== undefined && cursor.dialect === undefined)
    cursor.refuse(
      start,
      `is ASCII in Java and Unicode in other engines; write [[:${name.toLowerCase()}:]] or a property such as \\p{L}, or say dialect`,
    );
  const set =
    ascii !== undefined && (asciiProperties(cursor.dialect) || !unicodeProperties(cursor.dialect))
      ? ascii
      : propertySet(POSIX_NAMES[name.toLowerCase()] ?? name);
  if (set === undefined)
    return cursor.refuse(
      start,
      'is no property of Unicode that is known here; scripts and general categories are, such as \\p{Greek} and \\p{Lu}',
    );
  return {
    kind: 'set',
    set: letter === 'P' ? inverse(set) : set,
    negated: (letter === 'P') !== name.startsWith('^'),
  };
}

/** Unicode's counterparts of POSIX' classes. */
const POSIX_NAMES: Readonly<Record<string, string>> = {
  alpha: 'Alphabetic',
  lower: 'Lowercase',
  upper: 'Uppercase',
  punct: 'P',
  digit: 'Nd',
  space: 'White_Space',
  cntrl: 'Cc',
  xdigit: 'Hex_Digit',
};

/** Those that stand outside brackets only. */
function outside(cursor: Cursor, start: number, letter: string): Escape | undefined {
  switch (letter) {
    case 'A':
      return { kind: 'assertion', source: '^', letter };
    case 'z':
    case 'Z':
      return { kind: 'assertion', source: '$', letter };
    case 'R':
      return { kind: 'line-end' };
    case 'K':
      return { kind: 'keep' };
    case 'N':
      if (cursor.peek() === '{')
        return cursor.refuse(
          start,
          'with a name cannot be had; write the character itself, or \\x{2022} with its number',
        );
      return { kind: 'set', set: NOT_NEWLINE, source: '[^\\n]' };
    case 'G':
      return cursor.refuse(start, 'cannot be had: matching begins at the start of each line; write ^');
    case 'X':
      return cursor.refuse(start, 'cannot be had: write the characters that are meant, or .+');
    case 'C':
      return cursor.refuse(start, 'cannot be had: lines are characters here, not bytes; write .');
    case 'k':
    case 'g': {
      const recursion = letter === 'g' ? cursor.match(/<[^>]*>|'[^']*'/y) : undefined;
      if (recursion !== undefined) return cursor.refuse(start, 'is recursion, which cannot be had');
      const name = cursor.match(/<([^>]+)>|'([^']+)'|\{([^}]+)\}|(\d+)/y);
      if (name === undefined) return undefined;
      const given = name[1] ?? name[2] ?? name[3] ?? name[4]!;
      return /^\d+$/.test(given) ? { kind: 'number', group: Number(given) } : { kind: 'name', name: given };
    }
    default:
      return undefined;
  }
}

function shared(cursor: Cursor, start: number, letter: string): Escape | undefined {
  const { dialect } = cursor;
  const both = (set: CharSet, upper: boolean): Escape => ({
    kind: 'set',
    set: upper ? inverse(set) : set,
    negated: upper,
  });
  switch (letter) {
    case 'h':
    case 'H':
      if (blankH(dialect)) return both(BLANKS, letter === 'H');
      if (hexH(dialect)) return both(HEX, letter === 'H');
      if (dialect !== undefined) return undefined;
      return cursor.refuse(
        start,
        letter === 'h'
          ? 'is a blank in PCRE and Java and a hexadecimal digit in Oniguruma; write [ \\t] or [0-9A-Fa-f], or say dialect'
          : 'is no blank in PCRE and Java and no hexadecimal digit in Oniguruma; write [^ \\t] or [^0-9A-Fa-f], or say dialect',
      );
    case 'v':
      if (wideV(dialect)) return both(VERTICAL, false);
      if (dialect !== undefined) return one(0x0b, '\\v');
      return cursor.refuse(
        start,
        'is any end of a line in PCRE and Java and the character U+000B in other engines; write [\\n-\\r\\x85\\u2028\\u2029] or \\x0B, or say dialect',
      );
    case 'V':
      return dialect === undefined || wideV(dialect) ? both(VERTICAL, true) : undefined;
    case 'a':
      return dialect === 'javascript' ? undefined : unit(0x07);
    case 'e':
      return dialect === 'javascript' || dialect === 're2' || dialect === 'python' || dialect === 'rust'
        ? undefined
        : unit(0x1b);
    case 'Q':
      if (noQuotes(dialect)) return undefined;
      return { kind: 'text', text: cursor.match(/([\s\S]*?)(?:\\E|$(?![\s\S]))/y)![1]! };
    case 'E':
      return noQuotes(dialect) ? undefined : { kind: 'text', text: '' };
    default:
      return undefined;
  }
}

/** Octal characters, and references to groups. */
function number(cursor: Cursor, start: number, inBrackets: boolean): Escape {
  const { dialect } = cursor;
  const octal = cursor.match(
    dialect === 'java'
      ? /0[0-3]?[0-7]{1,2}/y
      : inBrackets
        ? /[0-3]?[0-7]{1,2}/y
        : /0[0-7]{0,2}|[0-3][0-7]{2}/y,
  )?.[0];
  if (octal !== undefined && dialect !== 'rust') return unit(Number.parseInt(octal, 8));
  const digits = octal ?? cursor.match(/[0-9]{1,2}/y)![0];
  if (inBrackets || digits.startsWith('0') || dialect === 'rust')
    return cursor.refuse(start, 'means nothing; write \\x41, with two hexadecimal digits, for a character');
  return { kind: 'number', group: Number(digits) };
}
