import { unquoteGoString } from '../promql/go-string.ts';
import type { Token } from './lexer.ts';
import { syntaxError } from './logql-error.ts';

/** Words that no label may be called, as the language stands. */
const RESERVED: ReadonlySet<string> = new Set(
  (
    'and or unless by without bool on ignoring group_left group_right offset json logfmt regexp pattern unpack unwrap ' +
    'line_format label_format decolorize drop keep label_replace'
  ).split(' '),
);

const NESTING_MAX = 200;

/** Walks over the tokens of one query; here "unexpected …" is worded. */
export class ParseCursor {
  readonly #query: string;
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(query: string, tokens: readonly Token[]) {
    this.#query = query;
    this.#tokens = tokens;
  }

  get current(): Token {
    return this.#tokens[this.#at]!;
  }

  ahead(count = 1): Token {
    return this.#tokens[Math.min(this.#at + count, this.#tokens.length - 1)]!;
  }

  next(): Token {
    const token = this.current;
    if (token.kind !== 'end') this.#at++;
    return token;
  }

  /** Text in parentheses within parentheses must end before the stack does. */
  nested<T>(parse: () => T): T {
    if (++this.#depth > NESTING_MAX) this.fail(`nested deeper than ${NESTING_MAX} levels`);
    const result = parse();
    this.#depth--;
    return result;
  }

  isOperator(...texts: readonly string[]): boolean {
    return this.current.kind === 'operator' && texts.includes(this.current.text);
  }

  takeOperator(text: string): boolean {
    if (!this.isOperator(text)) return false;
    this.next();
    return true;
  }

  expectOperator(text: string): void {
    if (!this.takeOperator(text)) this.unexpected(text);
  }

  /** Keywords are written in any case. */
  isWord(...words: readonly string[]): boolean {
    return isWord(this.current, words);
  }

  takeWord(word: string): boolean {
    if (!this.isWord(word)) return false;
    this.next();
    return true;
  }

  /** A word right before an opening parenthesis. */
  isCall(...words: readonly string[]): boolean {
    return this.isWord(...words) && opens(this.ahead());
  }

  /** Whether a label's name stands here. */
  isName(): boolean {
    return isName(this.current);
  }

  name(wanted: string): string {
    if (!this.isName()) this.unexpected(wanted);
    return this.next().text;
  }

  isString(): boolean {
    return this.current.kind === 'string';
  }

  string(wanted = 'a text in double quotes or backticks'): string {
    const token = this.current;
    if (token.kind !== 'string') return this.unexpected(wanted);
    this.next();
    try {
      return unquoteGoString(token.text);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const advice = token.text.startsWith('"')
        ? '; write the text in backticks, or two backslashes for one'
        : '';
      throw syntaxError(this.#query, token.start, `${why}${advice}`);
    }
  }

  /** `wanted` says what would fit here. */
  unexpected(wanted: string): never {
    return this.fail(`unexpected ${describe(this.current)}, expected ${wanted}`);
  }

  fail(message: string, token: Token = this.current): never {
    const isLong =
      token.kind === 'range' || token.kind === 'flag' || (token.kind === 'operator' && token.text.length > 1);
    throw syntaxError(this.#query, token.start, message, isLong);
  }
}

export function isName(token: Token): boolean {
  return token.kind === 'identifier' && !RESERVED.has(token.text.toLowerCase());
}

export function isWord(token: Token, words: readonly string[]): boolean {
  return token.kind === 'identifier' && words.includes(token.text.toLowerCase());
}

export function opens(token: Token): boolean {
  return token.kind === 'operator' && token.text === '(';
}

function describe(token: Token): string {
  const text = token.text.length > 40 ? `${token.text.slice(0, 40)}…` : token.text;
  switch (token.kind) {
    case 'end':
      return 'end of the query';
    case 'operator':
    case 'flag':
      return text;
    case 'range':
      return `range ${text}`;
    case 'string':
      return `text ${text}`;
    case 'identifier':
      return RESERVED.has(text.toLowerCase()) ? `the word ${text}` : `name ${text}`;
    case 'number':
    case 'duration':
    case 'bytes':
      return `${token.kind === 'bytes' ? 'size' : token.kind} ${text}`;
  }
}
