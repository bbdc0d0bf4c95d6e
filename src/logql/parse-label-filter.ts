import type { MatchKind } from '../model/series.ts';
import type { CompareOp, LabelFilter } from './ast.ts';
import { parseIpPattern } from './ip-pattern.ts';
import { meaninglessError } from './logql-error.ts';
import { opens, type ParseCursor } from './parse-cursor.ts';
import { checkedMatcher } from './parse-selector.ts';

/** Loosest first: `or`, then `and`, a comma and a blank, which are the same. */
export function parseLabelFilter(cursor: ParseCursor): LabelFilter {
  let left = conjunction(cursor);
  while (cursor.takeWord('or')) left = { kind: 'or', left, right: conjunction(cursor) };
  return left;
}

function conjunction(cursor: ParseCursor): LabelFilter {
  let left = single(cursor);
  for (;;) {
    if (cursor.takeWord('and') || cursor.takeOperator(',') || cursor.isName() || opens(cursor.current)) {
      left = { kind: 'and', left, right: single(cursor) };
    } else return left;
  }
}

function single(cursor: ParseCursor): LabelFilter {
  if (cursor.takeOperator('(')) {
    const inner = cursor.nested(() => parseLabelFilter(cursor));
    if (!cursor.takeOperator(')')) cursor.unexpected(') or another condition');
    return inner;
  }
  const name = cursor.name('a condition such as level="error" or status >= 500');
  const operator = cursor.current;
  if (operator.kind !== 'operator') cursor.unexpected('a comparison: = != =~ !~ == > >= < <=');
  switch (operator.text) {
    case '=~':
    case '!~':
      cursor.next();
      return textFilter(cursor, name, operator.text, 'a regular expression in double quotes or backticks');
    case '=':
    case '!=':
      cursor.next();
      if (cursor.isString()) return textFilter(cursor, name, operator.text, '');
      if (cursor.isCall('ip')) return ipFilter(cursor, name, operator.text === '!=');
      return valueFilter(
        cursor,
        name,
        operator.text,
        'a text in quotes, a number, a duration, a size or ip("…")',
      );
    case '==':
    case '>':
    case '>=':
    case '<':
    case '<=':
      cursor.next();
      return valueFilter(
        cursor,
        name,
        operator.text === '==' ? '=' : operator.text,
        'a number, a duration or a size',
      );
    default:
      return cursor.unexpected('a comparison: = != =~ !~ == > >= < <=');
  }
}

function textFilter(cursor: ParseCursor, name: string, kind: MatchKind, wanted: string): LabelFilter {
  return { kind: 'text', matcher: checkedMatcher({ name, kind, value: cursor.string(wanted) }) };
}

function ipFilter(cursor: ParseCursor, name: string, negated: boolean): LabelFilter {
  return { kind: 'ip', name, negated, text: parseIpCall(cursor) };
}

/** `ip("…")`, the text checked. */
export function parseIpCall(cursor: ParseCursor): string {
  cursor.next();
  cursor.expectOperator('(');
  const text = cursor.string('an address, a range or a CIDR block, in quotes');
  cursor.expectOperator(')');
  if (parseIpPattern(text) === undefined)
    throw meaninglessError(
      `ip(${JSON.stringify(text)}): expected an address, a range such as 10.0.0.1-10.0.0.9, or a CIDR block`,
    );
  return text;
}

function valueFilter(cursor: ParseCursor, name: string, op: CompareOp, wanted: string): LabelFilter {
  const sign = cursor.isOperator('-', '+') ? cursor.next().text : '';
  const token = cursor.current;
  if (token.kind !== 'number' && token.kind !== 'duration' && token.kind !== 'bytes')
    return cursor.unexpected(wanted);
  cursor.next();
  const value = sign === '-' ? -token.value : token.value;
  return { kind: token.kind, name, op, value, written: `${sign}${token.text}` };
}
