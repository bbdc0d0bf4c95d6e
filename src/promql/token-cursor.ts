import { quoteGoString } from './go-string.ts';
import type { Token } from './lexer.ts';
import { parseError, type TextRange } from './promql-error.ts';

const AGGREGATORS: ReadonlySet<string> = new Set(
  'sum avg count min max group stddev stdvar topk bottomk quantile count_values limitk limit_ratio'.split(
    ' ',
  ),
);

const KEYWORD_OPERATORS: ReadonlySet<string> = new Set(['and', 'or', 'unless', 'atan2']);

const KEYWORDS: ReadonlySet<string> = new Set(
  'by without on ignoring group_left group_right offset bool'.split(' '),
);

/** Walks over the tokens of one expression; the place where "unexpected …" is worded. */
export class TokenCursor {
  readonly text: string;
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(text: string, tokens: readonly Token[]) {
    this.text = text;
    this.#tokens = tokens;
  }

  get current(): Token {
    return this.#tokens[this.#at]!;
  }

  /** The end of the token read last. */
  get lastEnd(): number {
    return this.#tokens[this.#at - 1]?.end ?? 0;
  }

  ahead(count = 1): Token {
    return this.#tokens[Math.min(this.#at + count, this.#tokens.length - 1)]!;
  }

  next(): Token {
    const token = this.current;
    if (token.kind !== 'end') this.#at++;
    return token;
  }

  get atEnd(): boolean {
    return this.current.kind === 'end';
  }

  isOperator(text: string): boolean {
    return this.current.kind === 'operator' && this.current.text === text;
  }

  /** Keywords are written in any case. */
  isKeyword(word: string): boolean {
    return this.current.kind === 'identifier' && this.current.text.toLowerCase() === word;
  }

  takeOperator(text: string): boolean {
    if (!this.isOperator(text)) return false;
    this.next();
    return true;
  }

  takeKeyword(word: string): boolean {
    if (!this.isKeyword(word)) return false;
    this.next();
    return true;
  }

  expectOperator(text: string, context: string): Token {
    if (!this.isOperator(text)) this.unexpected(context, quoteGoString(text));
    return this.next();
  }

  unexpected(context: string, expected = ''): never {
    const inContext = context === '' ? '' : ` in ${context}`;
    const wanted = expected === '' ? '' : `, expected ${expected}`;
    return this.fail(this.current, `unexpected ${describe(this.current)}${inContext}${wanted}`);
  }

  fail(position: TextRange, message: string): never {
    throw parseError(this.text, position, message);
  }
}

export function isAggregator(word: string): boolean {
  return AGGREGATORS.has(word.toLowerCase());
}

function describe(token: Token): string {
  switch (token.kind) {
    case 'end':
      return 'end of input';
    case 'operator':
      return '(){}[],:'.includes(token.text) ? quoteGoString(token.text) : `<op:${token.text}>`;
    case 'identifier': {
      const word = token.text.toLowerCase();
      if (isAggregator(word)) return `<aggr:${word}>`;
      if (KEYWORD_OPERATORS.has(word)) return `<op:${word}>`;
      if (KEYWORDS.has(word)) return `<${word}>`;
      return `identifier ${quoteGoString(token.text)}`;
    }
    case 'number':
    case 'duration':
    case 'string':
      return `${token.kind} ${quoteGoString(token.text)}`;
  }
}
