/*
 * A reader of JSON that goes through a text once and makes no objects. It is as lenient as the parser whose words users
 * know from labels of broken lines (github.com/buger/jsonparser, MIT): it looks only at what it passes, and reports
 * mistakes in those words.
 */

export const MALFORMED = 'Malformed JSON error';
export const OPEN_OBJECT = "Value looks like object, but can't find closing '}' symbol";
export const OPEN_STRING = `Value is string, but can't find closing '"' symbol`;
export const OPEN_ARRAY = "Value is array, but can't find closing ']' symbol";
export const UNKNOWN_VALUE = 'Unknown value type';
export const OPEN_VALUE = "Value looks like Number/Boolean/None, but can't find its end: ',' or '}' symbol";
export const BAD_ESCAPE = 'Encountered an invalid escape sequence in a string';

export class JsonMistake extends Error {
  override readonly name = 'JsonMistake';
}

export type JsonType = 'string' | 'number' | 'boolean' | 'null' | 'object' | 'array';

/** A value in a text: `start` to `end`; a string's lie within its quotes. `next` is where reading goes on. */
export interface JsonSpan {
  readonly type: JsonType;
  readonly start: number;
  readonly end: number;
  readonly next: number;
}

/** True ends the reading. */
export type MemberSink = (key: string, value: JsonSpan) => boolean;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COLON = 0x3a;
const COMMA = 0x2c;

/** The first place from `at` on that is not blank; -1 where there is none. */
export function skipBlank(text: string, at: number, end = text.length): number {
  for (let i = at; i < end; i++) {
    const code = text.charCodeAt(i);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return i;
  }
  return -1;
}

/** Behind the closing quote of the string whose content begins at `at`; -1 where it does not end. */
function stringEnd(text: string, at: number, end: number): number {
  let quote = text.indexOf('"', at);
  while (quote >= 0 && quote < end) {
    let slashes = 0;
    for (let i = quote - 1; i >= at && text.charCodeAt(i) === BACKSLASH; i--) slashes++;
    if (slashes % 2 === 0) return quote + 1;
    quote = text.indexOf('"', quote + 1);
  }
  return -1;
}

/** Behind the bracket that closes the one at `at`. */
function blockEnd(text: string, at: number, end: number, open: number, close: number): number {
  let level = 0;
  for (let i = at; i < end; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) {
      const behind = stringEnd(text, i + 1, end);
      if (behind < 0) return -1;
      i = behind - 1;
    } else if (code === open) level++;
    else if (code === close && --level === 0) return i + 1;
  }
  return -1;
}

/** The value that begins at the first place not blank. */
export function readValue(text: string, from: number, end: number): JsonSpan {
  const at = skipBlank(text, from, end);
  if (at < 0) throw new JsonMistake(MALFORMED);
  switch (text.charCodeAt(at)) {
    case QUOTE: {
      const next = stringEnd(text, at + 1, end);
      if (next < 0) throw new JsonMistake(OPEN_STRING);
      return { type: 'string', start: at + 1, end: next - 1, next };
    }
    case OPEN_BRACE: {
      const next = blockEnd(text, at, end, OPEN_BRACE, CLOSE_BRACE);
      if (next < 0) throw new JsonMistake(OPEN_OBJECT);
      return { type: 'object', start: at, end: next, next };
    }
    case OPEN_BRACKET: {
      const next = blockEnd(text, at, end, OPEN_BRACKET, CLOSE_BRACKET);
      if (next < 0) throw new JsonMistake(OPEN_ARRAY);
      return { type: 'array', start: at, end: next, next };
    }
    default:
      return readWord(text, at, end);
  }
}

const WORD = /[^ \n\r\t,}\]]*/y;

function readWord(text: string, at: number, end: number): JsonSpan {
  WORD.lastIndex = at;
  const word = WORD.exec(text)![0];
  const next = at + word.length;
  if (next >= end) throw new JsonMistake(OPEN_VALUE);
  const first = word.charCodeAt(0);
  if ((first >= 0x30 && first <= 0x39) || first === 0x2d)
    return { type: 'number', start: at, end: next, next };
  if (word === 'true' || word === 'false') return { type: 'boolean', start: at, end: next, next };
  if (word === 'null') return { type: 'null', start: at, end: next, next };
  throw new JsonMistake(UNKNOWN_VALUE);
}

/** Goes through the members of the object that begins at the first place not blank. Throws JsonMistake. */
export function eachMember(text: string, from: number, end: number, sink: MemberSink): void {
  let at = skipBlank(text, from, end);
  if (at < 0 || text.charCodeAt(at) !== OPEN_BRACE) throw new JsonMistake(OPEN_OBJECT);
  at = skipBlank(text, at + 1, end);
  if (at < 0) throw new JsonMistake(MALFORMED);
  for (;;) {
    const code = text.charCodeAt(at);
    if (code === CLOSE_BRACE) return;
    if (code !== QUOTE) throw new JsonMistake(OPEN_OBJECT);
    const keyStart = at + 1;
    const keyEnd = stringEnd(text, keyStart, end);
    if (keyEnd < 0) throw new JsonMistake(MALFORMED);
    at = skipBlank(text, keyEnd, end);
    if (at < 0 || text.charCodeAt(at) !== COLON) throw new JsonMistake(MALFORMED);
    const value = readValue(text, at + 1, end);
    if (sink(unescapeJson(text, keyStart, keyEnd - 1), value)) return;
    at = skipBlank(text, value.next, end);
    if (at < 0) throw new JsonMistake(OPEN_ARRAY);
    const after = text.charCodeAt(at);
    if (after === CLOSE_BRACE) return;
    if (after !== COMMA) throw new JsonMistake(OPEN_OBJECT);
    at = skipBlank(text, at + 1, end);
    if (at < 0) throw new JsonMistake(OPEN_ARRAY);
  }
}

/** The element at a place of the array that begins at the first place not blank; undefined where it has fewer. */
export function elementAt(text: string, from: number, end: number, place: number): JsonSpan | undefined {
  let at = skipBlank(text, from, end);
  if (at < 0 || text.charCodeAt(at) !== OPEN_BRACKET) throw new JsonMistake(OPEN_ARRAY);
  at = skipBlank(text, at + 1, end);
  for (let index = 0; at >= 0 && text.charCodeAt(at) !== CLOSE_BRACKET; index++) {
    const value = readValue(text, at, end);
    if (index === place) return value;
    at = skipBlank(text, value.next, end);
    if (at < 0 || text.charCodeAt(at) !== COMMA) return undefined;
    at = skipBlank(text, at + 1, end);
  }
  return undefined;
}

const SIMPLE: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

/** The text of a string's content. Throws JsonMistake at an escape that JSON does not know. */
export function unescapeJson(text: string, start: number, end: number): string {
  const raw = text.slice(start, end);
  if (!raw.includes('\\')) return raw;
  return raw.replaceAll(/\\(?:u([0-9a-fA-F]{4})|([^]))/g, (_, hex?: string, simple?: string) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
    const char = Object.hasOwn(SIMPLE, simple!) ? SIMPLE[simple!] : undefined;
    if (char === undefined) throw new JsonMistake(BAD_ESCAPE);
    return char;
  });
}
