import type { AtModifier, Expr, RangeSelector, Subquery, VectorSelector } from './ast.ts';
import type { TokenCursor } from './token-cursor.ts';

const DURATION_EXPRESSION =
  'duration expressions are experimental in Prometheus and not supported; write one duration such as 5m';

/** Everything that may follow a primary expression: `[5m]`, `[1h:1m]`, `offset 5m`, `@ 1609746000`, in any order. */
export function parseModifiers(cursor: TokenCursor, primary: Expr): Expr {
  let expr = primary;
  for (;;) {
    if (cursor.isOperator('[')) expr = parseBrackets(cursor, expr);
    else if (cursor.isOperator('@')) expr = parseAt(cursor, expr);
    else if (cursor.isKeyword('offset')) expr = parseOffset(cursor, expr);
    else if (cursor.isKeyword('anchored') || cursor.isKeyword('smoothed')) refuseExtendedRange(cursor);
    else return expr;
  }
}

function refuseExtendedRange(cursor: TokenCursor): never {
  return cursor.fail(
    cursor.current,
    `selector modifier "${cursor.current.text}" is experimental in Prometheus and not supported`,
  );
}

function parseBrackets(cursor: TokenCursor, expr: Expr): Expr {
  cursor.next();
  const rangeMs = cursor.isOperator(':')
    ? cursor.unexpected('subquery or range selector', 'number or duration')
    : positiveDuration(cursor);
  if (!cursor.takeOperator(':')) return rangeSelector(cursor, expr, rangeMs);
  const stepMs = cursor.isOperator(']') ? undefined : positiveDuration(cursor);
  closeBrackets(cursor, 'subquery selector');
  return {
    kind: 'subquery',
    expr,
    rangeMs,
    ...(stepMs === undefined ? {} : { stepMs }),
    offsetMs: 0,
    position: { start: expr.position.start, end: cursor.lastEnd },
  } satisfies Subquery;
}

function rangeSelector(cursor: TokenCursor, expr: Expr, rangeMs: number): RangeSelector {
  closeBrackets(cursor, 'subquery or range');
  const position = { start: expr.position.start, end: cursor.lastEnd };
  if (expr.kind !== 'selector') return cursor.fail(position, 'ranges only allowed for vector selectors');
  if (expr.offsetMs !== 0) cursor.fail(position, 'no offset modifiers allowed before range');
  if (expr.at !== undefined) cursor.fail(position, 'no @ modifiers allowed before range');
  return { kind: 'range', selector: expr, rangeMs, position };
}

function closeBrackets(cursor: TokenCursor, context: string): void {
  if (!cursor.isOperator(']')) {
    if (isDurationOperator(cursor)) cursor.fail(cursor.current, DURATION_EXPRESSION);
    cursor.unexpected(context, '"]"');
  }
  cursor.next();
}

function isDurationOperator(cursor: TokenCursor): boolean {
  return cursor.current.kind === 'operator' && '+-*/%^('.includes(cursor.current.text);
}

function positiveDuration(cursor: TokenCursor): number {
  const token = cursor.current;
  const ms = signedDuration(cursor, 'subquery or range');
  if (ms <= 0) cursor.fail(token, 'duration must be greater than 0');
  return ms;
}

/** A duration, or a number of seconds; possibly with a sign. */
function signedDuration(cursor: TokenCursor, context: string): number {
  const first = cursor.current;
  const negative = cursor.isOperator('-');
  if (negative || cursor.isOperator('+')) cursor.next();
  const token = cursor.current;
  if (token.kind !== 'number' && token.kind !== 'duration') {
    if (token.text === '(' || token.kind === 'identifier') cursor.fail(first, DURATION_EXPRESSION);
    cursor.unexpected(context, 'number or duration');
  }
  cursor.next();
  const ms = Math.round(token.value * 1000);
  if (!Number.isSafeInteger(ms)) cursor.fail(token, 'duration out of range');
  return negative ? -ms : ms;
}

function parseOffset(cursor: TokenCursor, expr: Expr): Expr {
  const word = cursor.next();
  const offsetMs = signedDuration(cursor, 'offset');
  const end = cursor.lastEnd;
  return modified(cursor, expr, end, 'offset', (target) => {
    if (target.offsetMs !== 0)
      cursor.fail({ start: word.start, end }, 'offset may not be set multiple times');
    return { offsetMs };
  });
}

function parseAt(cursor: TokenCursor, expr: Expr): Expr {
  const sign = cursor.next();
  const at = atModifier(cursor);
  const end = cursor.lastEnd;
  return modified(cursor, expr, end, '@', (target) => {
    if (target.at !== undefined)
      cursor.fail({ start: sign.start, end }, '@ <timestamp> may not be set multiple times');
    return { at };
  });
}

function atModifier(cursor: TokenCursor): AtModifier {
  for (const kind of ['start', 'end'] as const) {
    if (!cursor.takeKeyword(kind)) continue;
    cursor.expectOperator('(', '@');
    cursor.expectOperator(')', '@');
    return { kind };
  }
  const negative = cursor.isOperator('-');
  if (negative || cursor.isOperator('+')) cursor.next();
  const token = cursor.current;
  const word = token.kind === 'identifier' && /^(inf|nan)$/i.test(token.text);
  if (token.kind !== 'number' && token.kind !== 'duration' && !word) cursor.unexpected('@', 'timestamp');
  cursor.next();
  const timeMs = Math.round((negative ? -token.value : token.value) * 1000);
  if (word || !Number.isSafeInteger(timeMs)) {
    cursor.fail(token, `timestamp out of bounds for @ modifier: ${token.text}`);
  }
  return { kind: 'time', timeMs };
}

type Change = { readonly offsetMs?: number; readonly at?: AtModifier };

function modified(
  cursor: TokenCursor,
  expr: Expr,
  end: number,
  what: string,
  change: (target: VectorSelector | Subquery) => Change,
): Expr {
  const position = { start: expr.position.start, end };
  switch (expr.kind) {
    case 'selector':
    case 'subquery':
      return { ...expr, ...change(expr), position };
    case 'range':
      return { ...expr, selector: { ...expr.selector, ...change(expr.selector) }, position };
    case 'number':
    case 'string':
    case 'call':
    case 'aggregate':
    case 'binary':
    case 'unary':
    case 'paren':
      return cursor.fail(
        expr.position,
        `${what} modifier must be preceded by an instant vector selector or range vector selector or a subquery`,
      );
  }
}
