import type { FieldNames, Row } from '../row.ts';
import { LineShapes } from './line-shapes.ts';
import { PairShape } from './pair-shape.ts';
import { UNMATCHED } from './line-parser.ts';
import type { LineParser } from './line-parser.ts';

interface PairSyntax {
  /** Between key and value. */
  readonly keySeparator: string;
  /** Between pairs. */
  readonly pairSeparator: string;
  /** A word without a value is a field that is true (logfmt); else it is passed over. */
  readonly bareWords: boolean;
  /** What a value may stand in. */
  readonly quotes: string;
}

export const LOGFMT: PairSyntax = { keySeparator: '=', pairSeparator: ' ', bareWords: true, quotes: '"' };

/** Key, separator, value; values may stand in quotes with backslash escapes. A line without one pair is unmatched. */
export class PairParser implements LineParser {
  readonly #fields: FieldNames;
  readonly #syntax: PairSyntax;
  /** For logfmt alone. */
  readonly shapes: LineShapes | undefined;

  constructor(fields: FieldNames, syntax: PairSyntax) {
    this.#fields = fields;
    this.#syntax = syntax;
    if (syntax === LOGFMT) this.shapes = new LineShapes();
  }

  parse(text: string, row: Row): number {
    if (this.shapes === undefined) return this.#parse(text, row);
    if (this.shapes.fill(text, row)) return 0;
    const outcome = this.#parse(text, row);
    if (outcome !== UNMATCHED) this.shapes.learn(() => PairShape.of(text, this.#fields));
    return outcome;
  }

  #parse(text: string, row: Row): number {
    const { keySeparator, pairSeparator, bareWords, quotes } = this.#syntax;
    const blank = pairSeparator === ' ';
    let pairs = 0;
    let at = 0;
    while (at < text.length) {
      while (
        at < text.length &&
        (text.startsWith(pairSeparator, at) || text[at] === ' ' || text[at] === '\t')
      ) {
        at += text.startsWith(pairSeparator, at) ? pairSeparator.length : 1;
      }
      if (at >= text.length) break;
      const wordEnd = endOfWord(text, at, pairSeparator, blank);
      const separator = text.indexOf(keySeparator, at);
      if (separator < 0 || separator >= wordEnd) {
        if (bareWords) this.#set(row, text.slice(at, wordEnd), true);
        at = wordEnd;
        continue;
      }
      const key = text.slice(at, separator).trimEnd();
      let valueAt = separator + keySeparator.length;
      if (!blank) while (text[valueAt] === ' ') valueAt++;
      const quote = text.charAt(valueAt);
      if (quote !== '' && quotes.includes(quote)) {
        const end = endOfQuoted(text, valueAt);
        if (end < 0) return UNMATCHED;
        this.#set(row, key, unescape(text.slice(valueAt + 1, end)));
        at = end + 1;
      } else {
        const end = endOfWord(text, valueAt, pairSeparator, blank);
        this.#set(row, key, blank ? text.slice(valueAt, end) : text.slice(valueAt, end).trimEnd());
        at = end;
      }
      if (key !== '') pairs++;
    }
    return pairs > 0 ? 0 : UNMATCHED;
  }

  #set(row: Row, key: string, value: string | boolean): void {
    if (key !== '') row.set(this.#fields.find(key), value);
  }
}

function endOfWord(text: string, from: number, separator: string, blank: boolean): number {
  const end = text.indexOf(separator, from);
  if (!blank) return end < 0 ? text.length : end;
  const tab = text.indexOf('\t', from);
  const first = end < 0 ? text.length : end;
  return tab >= 0 && tab < first ? tab : first;
}

/** Index of the closing quote, or -1. */
function endOfQuoted(text: string, open: number): number {
  const quote = text[open]!;
  let at = open + 1;
  for (;;) {
    const close = text.indexOf(quote, at);
    if (close < 0) return -1;
    let backslashes = 0;
    while (text[close - 1 - backslashes] === '\\') backslashes++;
    if (backslashes % 2 === 0) return close;
    at = close + 1;
  }
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };

function unescape(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replaceAll(/\\(u[0-9a-fA-F]{4}|[\s\S])/g, (_, c: string) =>
    c.length === 5 ? String.fromCharCode(Number.parseInt(c.slice(1), 16)) : (ESCAPES[c] ?? c),
  );
}
