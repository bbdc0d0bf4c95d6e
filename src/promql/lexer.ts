import { parsePromqlDuration } from './promql-duration.ts';
import { parseError, type TextRange } from './promql-error.ts';
import { quoteGoString } from './go-string.ts';

export type TokenKind = 'identifier' | 'number' | 'duration' | 'string' | 'operator' | 'end';

export interface Token extends TextRange {
  readonly kind: TokenKind;
  /** As written. */
  readonly text: string;
  /** Of a number; of a duration its seconds. */
  readonly value: number;
}

const SPACE_OR_COMMENT = /(?:[ \t\r\n]+|#[^\r\n]*)+/y;
const IDENTIFIER = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const LABEL_NAME = /[a-zA-Z_][a-zA-Z0-9_]*/y;
const HEX = /0[xX](?:_?[0-9a-fA-F])+/y;
const DURATION = /(?:\d+(?:ms|[smhdwy]))+/y;
const NUMBER = /(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:[eE][+-]?\d+)?/y;
const WORD = /[a-zA-Z0-9_.]*/y;
const OPERATOR = /=~|!~|==|!=|<=|>=|<\/|>\/|[-+*/%^=<>(){}[\],:@]/y;
const STRING = /"(?:[^"\\\n]|\\[^\n])*"|'(?:[^'\\\n]|\\[^\n])*'|`[^`]*`/y;

/**
 * Cuts an expression into tokens. Inside braces and brackets the language differs a little (label names have
 * no colon, brackets use it as a separator), so the lexer keeps count of both.
 */
export function tokenize(text: string): readonly Token[] {
  return new Lexer(text).run();
}

class Lexer {
  readonly #text: string;
  readonly #tokens: Token[] = [];
  #at = 0;
  #openParens: number[] = [];
  #brace: number | undefined;
  #bracket: number | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  run(): readonly Token[] {
    for (;;) {
      this.#match(SPACE_OR_COMMENT);
      if (this.#at >= this.#text.length) break;
      this.#next();
    }
    this.#checkClosed();
    this.#push('end', '');
    return this.#tokens;
  }

  #next(): void {
    const char = this.#text[this.#at]!;
    if (char === '"' || char === "'" || char === '`') return this.#string(char);
    if (this.#brace === undefined && /^(?:\d|\.\d)/.test(this.#text.slice(this.#at, this.#at + 2)))
      return this.#number();
    const inside = this.#brace !== undefined || this.#bracket !== undefined;
    const identifier = this.#match(inside ? LABEL_NAME : IDENTIFIER);
    if (identifier !== undefined) return this.#push('identifier', identifier);
    const operator = this.#match(OPERATOR);
    if (operator === undefined) return this.#fail(this.#at, this.#unexpected(char));
    this.#nest(operator);
    return this.#push('operator', operator);
  }

  /** Keeps count of what is open, and refuses what is only an operator elsewhere. */
  #nest(operator: string): void {
    const start = this.#at - operator.length;
    const inBraces = this.#brace !== undefined;
    switch (operator) {
      case '(':
        if (!inBraces) this.#openParens.push(start);
        break;
      case ')':
        if (!inBraces && this.#openParens.pop() === undefined)
          this.#fail(start, "unexpected right parenthesis ')'");
        break;
      case '{':
        if (inBraces) this.#fail(start, "unexpected left brace '{'");
        this.#brace = start;
        return;
      case '}':
        if (!inBraces) this.#fail(start, "unexpected right brace '}'");
        this.#brace = undefined;
        return;
      case '[':
        if (this.#bracket !== undefined) this.#fail(start, "unexpected left bracket '['");
        this.#bracket = start;
        break;
      case ']':
        if (this.#bracket === undefined) this.#fail(start, "unexpected right bracket ']'");
        this.#bracket = undefined;
        break;
      case '=~':
      case '!~':
        if (!inBraces) this.#fail(start, `unexpected character after '${operator[0]}': '~'`);
        return;
      case '=':
        if (!inBraces) this.#fail(start, "unexpected character: '=' (a comparison is written ==)");
        return;
    }
    if (inBraces && !['!=', ','].includes(operator)) {
      this.#fail(start, `unexpected character inside braces: '${operator[0]}'`);
    }
  }

  #string(quote: string): void {
    const literal = this.#match(STRING);
    if (literal !== undefined) return this.#push('string', literal);
    const kind = quote === '`' ? 'unterminated raw string' : 'unterminated quoted string';
    return this.#fail(this.#at, kind);
  }

  #number(): void {
    const start = this.#at;
    const hex = this.#match(HEX);
    const duration = hex === undefined ? this.#match(DURATION) : undefined;
    const number = hex ?? duration ?? this.#match(NUMBER);
    const rest = this.#match(WORD) ?? '';
    if (number === undefined || rest !== '') {
      return this.#fail(
        start,
        `bad number or duration syntax: ${quoteGoString(this.#text.slice(start, this.#at))}`,
      );
    }
    if (duration === undefined) return this.#push('number', number, numberValue(number));
    const ms = parsePromqlDuration(duration);
    if (ms === undefined) return this.#fail(start, `not a valid duration string: ${quoteGoString(duration)}`);
    return this.#push('duration', duration, ms / 1000);
  }

  #unexpected(char: string): string {
    const shown = `'${String.fromCodePoint(this.#text.codePointAt(this.#at)!)}'`;
    if (char === '!') {
      const after = this.#text[this.#at + 1];
      return after === undefined
        ? "unexpected end of input after '!'"
        : `unexpected character after '!': '${after}'`;
    }
    if (this.#brace !== undefined) return `unexpected character inside braces: ${shown}`;
    if (this.#bracket !== undefined) return `unexpected character in duration expression: ${shown}`;
    return `unexpected character: ${shown}`;
  }

  #checkClosed(): void {
    const end = this.#text.length;
    if (this.#brace !== undefined) this.#fail(end, 'unexpected end of input inside braces');
    if (this.#bracket !== undefined) this.#fail(end, 'unclosed left bracket');
    if (this.#openParens.length > 0) this.#fail(end, 'unclosed left parenthesis');
  }

  #push(kind: TokenKind, text: string, value = Number.NaN): void {
    this.#tokens.push({ kind, text, value, start: this.#at - text.length, end: this.#at });
  }

  #match(form: RegExp): string | undefined {
    form.lastIndex = this.#at;
    const match = form.exec(this.#text);
    if (match === null || match[0] === '') return undefined;
    this.#at += match[0].length;
    return match[0];
  }

  #fail(start: number, message: string): never {
    throw parseError(this.#text, { start, end: this.#text.length }, message);
  }
}

/** Go reads integers with a leading zero as octal. */
function numberValue(text: string): number {
  const plain = text.replaceAll('_', '');
  if (/^0[0-7]+$/.test(plain)) return Number.parseInt(plain, 8);
  return Number(plain);
}
