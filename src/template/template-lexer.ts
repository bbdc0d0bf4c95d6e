import { TemplateError } from './template-value.ts';

export type TemplateTokenKind =
  | 'text'
  | 'open'
  | 'close'
  | 'word'
  | 'field'
  | 'variable'
  | 'dot'
  | 'string'
  | 'character'
  | 'number'
  | 'punctuation'
  | 'end';

export interface TemplateToken {
  readonly kind: TemplateTokenKind;
  /** As written, but for strings and characters, which are decoded, and fields, which come without their dot. */
  readonly text: string;
  readonly at: number;
  readonly spaceBefore: boolean;
}

const SPACE = /[ \t\r\n]*/y;
const TOKENS: readonly (readonly [TemplateTokenKind, RegExp])[] = [
  ['field', /\.[\p{L}_][\p{L}\p{Nd}_]*/uy],
  [
    'number',
    /[-+]?(?:0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)/y,
  ],
  ['dot', /\./y],
  ['variable', /\$[\p{L}\p{Nd}_]*/uy],
  ['word', /[\p{L}_][\p{L}\p{Nd}_]*/uy],
  ['string', /"(?:[^"\\\n]|\\[\s\S])*"|`[^`]*`/y],
  ['character', /'(?:[^'\\\n]|\\[^\n]+?)'/uy],
  ['punctuation', /:=|[|(),=]/y],
];

/** Splits a template in tokens; throws a `TemplateError` with `at` in its message's place. */
export function lexTemplate(text: string): TemplateToken[] {
  const tokens: TemplateToken[] = [];
  let at = 0;
  let trimNext = false;
  for (;;) {
    const open = text.indexOf('{{', at);
    let literal = text.slice(at, open < 0 ? text.length : open);
    if (trimNext) literal = literal.replace(/^[ \t\r\n]+/, '');
    const trims = open >= 0 && /^-[ \t\r\n]/.test(text.slice(open + 2, open + 4));
    if (trims) literal = literal.replace(/[ \t\r\n]+$/, '');
    if (literal !== '') tokens.push({ kind: 'text', text: literal, at, spaceBefore: false });
    if (open < 0) break;
    const inside = open + (trims ? 3 : 2);
    const end = lexComment(text, inside) ?? lexAction(text, inside, open, tokens);
    at = end.at;
    trimNext = end.trims;
  }
  tokens.push({ kind: 'end', text: '', at: text.length, spaceBefore: false });
  return tokens;
}

interface ActionEnd {
  readonly at: number;
  readonly trims: boolean;
}

function lexComment(text: string, from: number): ActionEnd | undefined {
  const start = skipSpace(text, from);
  if (!text.startsWith('/*', start)) return undefined;
  const close = text.indexOf('*/', start + 2);
  if (close < 0) throw new TemplateSyntaxError('unclosed comment', start);
  const end = closing(text, close + 2);
  if (end === undefined) throw new TemplateSyntaxError('comment ends before closing delimiter', close);
  return end;
}

function lexAction(text: string, from: number, open: number, tokens: TemplateToken[]): ActionEnd {
  tokens.push({ kind: 'open', text: '{{', at: open, spaceBefore: false });
  let at = from;
  for (;;) {
    const end = closing(text, at);
    if (end !== undefined) {
      tokens.push({ kind: 'close', text: '}}', at, spaceBefore: false });
      return end;
    }
    const start = skipSpace(text, at);
    if (start >= text.length) throw new TemplateSyntaxError('unclosed action', open);
    const token = lexToken(text, start, start > at);
    tokens.push(token.token);
    at = token.end;
  }
}

/** `}}`, or ` -}}` which eats the white space after it. */
function closing(text: string, at: number): ActionEnd | undefined {
  const start = skipSpace(text, at);
  if (text.startsWith('}}', start)) return { at: start + 2, trims: false };
  if (start > at && text.startsWith('-}}', start)) return { at: start + 3, trims: true };
  return undefined;
}

function lexToken(text: string, at: number, spaceBefore: boolean): { token: TemplateToken; end: number } {
  for (const [kind, pattern] of TOKENS) {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found === undefined) continue;
    return { token: { kind, text: decode(kind, found, at), at, spaceBefore }, end: at + found.length };
  }
  const character = String.fromCodePoint(text.codePointAt(at) ?? 0xfffd);
  if (character === '"' || character === '`') throw new TemplateSyntaxError('unterminated quoted string', at);
  if (character === "'") throw new TemplateSyntaxError('unterminated character constant', at);
  throw new TemplateSyntaxError(`unexpected ${JSON.stringify(character)} in command`, at);
}

function decode(kind: TemplateTokenKind, found: string, at: number): string {
  if (kind === 'field') return found.slice(1);
  if (kind !== 'string' && kind !== 'character') return found;
  if (found[0] === '`') return found.slice(1, -1).replaceAll('\r', '');
  return found
    .slice(1, -1)
    .replace(/\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|[\s\S])/g, (_, escape: string) =>
      unescape(escape, at),
    );
}

const NAMED_ESCAPES: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
  "'": "'",
};

function unescape(escape: string, at: number): string {
  const named = NAMED_ESCAPES[escape];
  if (named !== undefined) return named;
  const code =
    escape.length === 1
      ? Number.NaN
      : /^\d/.test(escape)
        ? Number.parseInt(escape, 8)
        : Number.parseInt(escape.slice(1), 16);
  if (!(code <= 0x10ffff)) throw new TemplateSyntaxError(`unknown escape \\${escape} in string`, at);
  return String.fromCodePoint(code);
}

function skipSpace(text: string, at: number): number {
  SPACE.lastIndex = at;
  return at + (SPACE.exec(text)?.[0].length ?? 0);
}

/** What is wrong, and where in the template. */
export class TemplateSyntaxError extends TemplateError {
  readonly at: number;

  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}
