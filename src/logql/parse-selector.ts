import type { Matcher, MatchKind } from '../model/series.ts';
import { compileMatcher } from '../promql/matcher.ts';
import { meaninglessError } from './logql-error.ts';
import type { ParseCursor } from './parse-cursor.ts';

const MATCH_KINDS: ReadonlySet<string> = new Set(['=', '!=', '=~', '!~']);

/** `{name="value", …}`; the cursor stands at the brace. */
export function parseSelector(cursor: ParseCursor): readonly Matcher[] {
  cursor.expectOperator('{');
  const matchers: Matcher[] = [];
  if (cursor.takeOperator('}')) return matchers;
  do {
    matchers.push(parseMatcher(cursor, 'a label such as source="web"'));
  } while (cursor.takeOperator(','));
  if (!cursor.takeOperator('}')) cursor.unexpected('a comma or }');
  return matchers;
}

/** `name op "value"`, a regular expression checked. */
export function parseMatcher(cursor: ParseCursor, wanted: string): Matcher {
  const name = cursor.name(wanted);
  if (cursor.current.kind !== 'operator' || !MATCH_KINDS.has(cursor.current.text))
    cursor.unexpected('=, !=, =~ or !~');
  const kind = cursor.next().text as MatchKind;
  return checkedMatcher({ name, kind, value: cursor.string() });
}

export function checkedMatcher(matcher: Matcher): Matcher {
  try {
    compileMatcher(matcher);
  } catch (error) {
    throw meaninglessError(error instanceof Error ? error.message : String(error));
  }
  return matcher;
}

/** Throws where every stream would fit: at least one matcher must refuse a label that is not there. */
export function refuseAll(matchers: readonly Matcher[]): void {
  if (matchers.some((matcher) => !compileMatcher(matcher).matches(''))) return;
  throw meaninglessError(
    'the selector would take every stream; at least one matcher must not fit the empty text, as source=~".+" does not',
  );
}
