import type { Matcher, MatchKind } from '../model/series.ts';
import type { VectorSelector } from './ast.ts';
import { isValidLabelName, quoteGoString, unquoteGoString } from './go-string.ts';
import type { Token } from './lexer.ts';
import { compileMatcher } from './matcher.ts';
import type { TokenCursor } from './token-cursor.ts';

const CONTEXT = 'label matching';

/** `name`, `name{…}` or `{…}`; also `{"a name in quotes"}`. The cursor stands at its first token. */
export function parseSelector(cursor: TokenCursor): VectorSelector {
  const start = cursor.current.start;
  const name = cursor.current.kind === 'identifier' ? cursor.next().text : undefined;
  const matchers: Matcher[] = cursor.isOperator('{') ? readMatchers(cursor) : [];
  const position = { start, end: cursor.lastEnd };
  if (name !== undefined) {
    const twice = matchers.find((matcher) => matcher.name === '__name__');
    if (twice !== undefined) {
      const names = `${quoteGoString(name)} or ${quoteGoString(twice.value)}`;
      cursor.fail(position, `metric name must not be set twice: ${names}`);
    }
    matchers.push({ name: '__name__', kind: '=', value: name });
  } else if (matchers.every((matcher) => compileMatcher(matcher).matches(''))) {
    cursor.fail(position, 'vector selector must contain at least one non-empty matcher');
  }
  return { kind: 'selector', ...(name === undefined ? {} : { name }), matchers, offsetMs: 0, position };
}

function readMatchers(cursor: TokenCursor): Matcher[] {
  cursor.next();
  const matchers: Matcher[] = [];
  while (!cursor.isOperator('}')) {
    matchers.push(readMatcher(cursor));
    if (!cursor.takeOperator(',')) break;
  }
  if (!cursor.isOperator('}')) cursor.unexpected(CONTEXT, '"," or "}"');
  cursor.next();
  return matchers;
}

function readMatcher(cursor: TokenCursor): Matcher {
  const label = cursor.current;
  if (label.kind !== 'identifier' && label.kind !== 'string') cursor.unexpected(CONTEXT, 'identifier or "}"');
  cursor.next();
  const name = label.kind === 'string' ? unquote(cursor, label) : label.text;
  const quotedMetric = label.kind === 'string' && (cursor.isOperator(',') || cursor.isOperator('}'));
  if (quotedMetric) return { name: '__name__', kind: '=', value: name };
  if (!isValidLabelName(name)) cursor.fail(label, `${quoteGoString(name)} is not a valid label name`);
  const operator = cursor.current;
  if (operator.kind !== 'operator' || !['=', '!=', '=~', '!~'].includes(operator.text)) {
    cursor.unexpected(CONTEXT, 'label matching operator');
  }
  cursor.next();
  const value = cursor.current;
  if (value.kind !== 'string') cursor.unexpected(CONTEXT, 'string');
  cursor.next();
  const matcher: Matcher = { name, kind: operator.text as MatchKind, value: unquote(cursor, value) };
  try {
    compileMatcher(matcher);
  } catch (error) {
    cursor.fail(
      { start: label.start, end: value.end },
      error instanceof Error ? error.message : String(error),
    );
  }
  return matcher;
}

function unquote(cursor: TokenCursor, token: Token): string {
  try {
    return unquoteGoString(token.text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return cursor.fail(token, `error unquoting string ${quoteGoString(token.text)}: ${why}`);
  }
}
