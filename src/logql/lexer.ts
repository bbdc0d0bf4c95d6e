import { parsePromqlDuration } from '../promql/promql-duration.ts';
import { parseHexFloat, parseQueryBytes, parseQueryDuration } from './literals.ts';
import { LogqlError, syntaxError } from './logql-error.ts';

export type TokenKind =
  'identifier' | 'number' | 'duration' | 'bytes' | 'string' | 'range' | 'flag' | 'operator' | 'end';

export interface Token {
  readonly kind: TokenKind;
  /** As written. */
  readonly text: string;
  readonly start: number;
  /** Of a number; of a duration nanoseconds, of a size bytes, of a range milliseconds. */
  readonly value: number;
}

/** Longest query, in bytes. */
const QUERY_BYTES_MAX = 131_072;

const BLANK = /(?:[ \t\r\n]+|#[^\n]*|\/\/[^\n]*|\/\*[\s\S]*?\*\/)+/y;
const IDENTIFIER = /[\p{L}_][\p{L}\p{Nd}_]*/uy;
const FLAG = /--(?:strict|keep-empty)(?![\w-])/y;
const STRING = /"(?:[^"\\\n]|\\[^\n])*"|`[^`]*`/y;
const OPERATOR = /\|=|\|~|\|>|!=|!~|!>|=~|==|>=|<=|[{}()[\],=|<>+\-*/%^]/y;
/** A number with whatever is written on to it. */
const NUMBER_WORD = /[0-9.][0-9a-zA-Z.µμ]*/y;
const NUMBER =
  /0[xX][0-9a-fA-F]*(?:\.[0-9a-fA-F]*)?(?:[pP][-+]?\d*)?|0[oObB]\d*|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d*)?/y;
const RANGE = /\[[^\]]*\]/y;

/** Cuts a query into tokens. Throws LogqlError. */
export function tokenize(query: string): readonly Token[] {
  if (query.length > QUERY_BYTES_MAX / 4 && Buffer.byteLength(query) >= QUERY_BYTES_MAX) {
    throw new LogqlError('parse', `parse error : the query is longer than ${QUERY_BYTES_MAX - 1} bytes`);
  }
  return new Lexer(query).run();
}

class Lexer {
  readonly #query: string;
  readonly #tokens: Token[] = [];
  #at = 0;

  constructor(query: string) {
    this.#query = query;
  }

  run(): readonly Token[] {
    for (;;) {
      this.#match(BLANK);
      if (this.#at >= this.#query.length) break;
      this.#next();
    }
    this.#push('end', '', this.#query.length);
    return this.#tokens;
  }

  #next(): void {
    const start = this.#at;
    const char = this.#query[start]!;
    if (char === '"' || char === '`') return this.#string(start);
    if (char === '[') return this.#range(start);
    if (/[0-9]/.test(char) || (char === '.' && /[0-9]/.test(this.#query[start + 1] ?? '')))
      return this.#number(start);
    const flag = this.#match(FLAG);
    if (flag !== undefined) return this.#push('flag', flag, start);
    const identifier = this.#match(IDENTIFIER);
    if (identifier !== undefined) return this.#push('identifier', identifier, start);
    const operator = this.#match(OPERATOR);
    if (operator !== undefined) return this.#push('operator', operator, start);
    return this.#stray(start, char);
  }

  #string(start: number): void {
    const literal = this.#match(STRING);
    if (literal !== undefined) return this.#push('string', literal, start);
    const wanted = this.#query[start] === '`' ? 'a backtick' : 'a double quote on the same line';
    return this.#fail(start, `the text that begins here does not end; expected ${wanted}`);
  }

  /** What stands in brackets is one token, so that a mistake in it is told as one. */
  #range(start: number): void {
    const written = this.#match(RANGE);
    const inner = written?.slice(1, -1).trim();
    const ms = inner === undefined ? undefined : parsePromqlDuration(inner);
    if (ms === undefined || ms === 0) {
      throw syntaxError(
        this.#query,
        start,
        `expected a duration such as [5m] or [1h30m], found ${shorten(written ?? this.#query.slice(start))}`,
        true,
      );
    }
    return this.#push('range', written!, start, ms);
  }

  #number(start: number): void {
    const word = this.#match(NUMBER_WORD)!;
    const duration = /\d[a-zA-Zµμ]/.test(word) ? parseQueryDuration(word) : undefined;
    if (duration !== undefined) return this.#push('duration', word, start, duration);
    const bytes = parseQueryBytes(word);
    if (bytes !== undefined) return this.#push('bytes', word, start, bytes);
    this.#at = start;
    const written = this.#match(NUMBER)!;
    const value = numberOf(written);
    if (value === undefined) return this.#fail(start, `${shorten(written)} is not a number`);
    return this.#push('number', written, start, value);
  }

  #stray(start: number, char: string): never {
    if (char === '!') {
      this.#at++;
      this.#match(BLANK);
      return this.#fail(this.#at, 'expected =, ~ or > after the !');
    }
    if (char === '&' && this.#query[start + 1] === '&')
      return this.#fail(start + 1, 'unexpected &&, expected the word and');
    if (char === "'") return this.#fail(start, "a text stands in double quotes or backticks, not in '…'");
    const shown = String.fromCodePoint(this.#query.codePointAt(start)!);
    return this.#fail(start, `unexpected character ${JSON.stringify(shown)}`);
  }

  #match(form: RegExp): string | undefined {
    form.lastIndex = this.#at;
    const match = form.exec(this.#query);
    if (match === null) return undefined;
    this.#at += match[0].length;
    return match[0];
  }

  #push(kind: TokenKind, text: string, start: number, value = Number.NaN): void {
    this.#tokens.push({ kind, text, start, value });
  }

  #fail(offset: number, message: string): never {
    throw syntaxError(this.#query, offset, message);
  }
}

function numberOf(text: string): number | undefined {
  if (/^0[xX]/.test(text)) {
    const hex = parseHexFloat(text) ?? (/^0[xX][0-9a-fA-F]+$/.test(text) ? Number(text) : undefined);
    return hex;
  }
  if (/^0[oO][0-7]+$/.test(text)) return Number(text);
  if (!/^(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/.test(text)) return undefined;
  return Number(text);
}

function shorten(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
