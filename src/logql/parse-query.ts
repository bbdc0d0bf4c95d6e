import type { BinaryOp, VectorMatching } from '../promql/ast.ts';
import type {
  AggregateOp,
  Grouping,
  LogExpr,
  LogqlExpr,
  MetricExpr,
  RangeAggregation,
  RangeFunction,
} from './ast.ts';
import { checkAggregation, checkOperands, checkRange } from './check-metric.ts';
import { checkStages } from './check-stages.ts';
import { tokenize } from './lexer.ts';
import { isWord, opens, ParseCursor } from './parse-cursor.ts';
import { parseSelector, refuseAll } from './parse-selector.ts';
import { parsePipeline, type Pipeline } from './parse-stages.ts';
import { GoRegex } from '../promql/go-regex.ts';
import { meaninglessError } from './logql-error.ts';

const RANGE_FUNCTIONS = (
  'count_over_time rate bytes_over_time bytes_rate absent_over_time rate_counter sum_over_time avg_over_time ' +
  'min_over_time max_over_time first_over_time last_over_time stddev_over_time stdvar_over_time quantile_over_time'
).split(' ');
const AGGREGATIONS = 'sum avg min max count stddev stdvar sort sort_desc topk bottomk approx_topk'.split(' ');

/** Loosest first; `^` binds to the right. */
const PRECEDENCE: readonly (readonly string[])[] = [
  ['or'],
  ['and', 'unless'],
  ['==', '!=', '>', '>=', '<', '<='],
  ['+', '-'],
  ['*', '/', '%'],
  ['^'],
];
const NO_MATCHING: VectorMatching = { on: false, labels: [], cardinality: 'one-to-one', include: [] };

/** Reads a query. Throws LogqlError, which names line, column, what was met and what would fit. */
export function parseLogql(query: string): LogqlExpr {
  const cursor = new ParseCursor(query, tokenize(query));
  const expr = binary(cursor, 0);
  if (cursor.current.kind !== 'end') {
    cursor.unexpected(expr.kind === 'log' ? 'a line filter, a | or the end' : 'an operator or the end');
  }
  return expr;
}

/** A query for lines; one for samples is refused. */
export function parseLogQuery(query: string): LogExpr {
  const expr = parseLogql(query);
  if (expr.kind !== 'log')
    throw meaninglessError('expected a query for lines, such as {source="web"}, found one for samples');
  return expr;
}

function binary(cursor: ParseCursor, level: number): LogqlExpr {
  const operators = PRECEDENCE[level];
  if (operators === undefined) return primary(cursor);
  let left = binary(cursor, level + 1);
  for (;;) {
    const { current } = cursor;
    const op = (current.kind === 'identifier' ? current.text.toLowerCase() : current.text) as BinaryOp;
    if ((current.kind !== 'operator' && current.kind !== 'identifier') || !operators.includes(op))
      return left;
    cursor.next();
    const { bool, matching } = modifiers(cursor);
    const right = cursor.nested(() => binary(cursor, op === '^' ? level : level + 1));
    left = checkOperands(op, left, right, { bool, matching });
  }
}

function modifiers(cursor: ParseCursor): { bool: boolean; matching: VectorMatching } {
  const bool = cursor.takeWord('bool');
  if (!cursor.isWord('on', 'ignoring')) return { bool, matching: NO_MATCHING };
  const on = cursor.next().text.toLowerCase() === 'on';
  const labels = names(cursor);
  if (!cursor.isWord('group_left', 'group_right')) return { bool, matching: { ...NO_MATCHING, on, labels } };
  const cardinality = cursor.next().text.toLowerCase() === 'group_left' ? 'many-to-one' : 'one-to-many';
  const include = opens(cursor.current) && includesNames(cursor) ? names(cursor) : [];
  return { bool, matching: { on, labels, cardinality, include } };
}

/** Behind group_left parentheses are names, or else the right side. */
function includesNames(cursor: ParseCursor): boolean {
  const first = cursor.ahead();
  if (first.kind === 'operator' && first.text === ')') return true;
  const second = cursor.ahead(2);
  return (
    first.kind === 'identifier' && second.kind === 'operator' && (second.text === ',' || second.text === ')')
  );
}

function names(cursor: ParseCursor): string[] {
  cursor.expectOperator('(');
  const list: string[] = [];
  if (cursor.takeOperator(')')) return list;
  do {
    list.push(cursor.name('a label'));
  } while (cursor.takeOperator(','));
  if (!cursor.takeOperator(')')) cursor.unexpected('a comma or )');
  return list;
}

function primary(cursor: ParseCursor): LogqlExpr {
  const { current } = cursor;
  if (cursor.isOperator('{')) return logExpr(cursor, false).log;
  if (cursor.takeOperator('(')) {
    const inner = cursor.nested(() => binary(cursor, 0));
    if (!cursor.takeOperator(')')) cursor.unexpected(')');
    return inner.kind === 'log' ? continued(cursor, inner) : inner;
  }
  if (current.kind === 'number' || cursor.isOperator('-', '+'))
    return { kind: 'number', value: number(cursor) };
  if (cursor.isCall('vector')) {
    cursor.next();
    cursor.next();
    const value = number(cursor);
    cursor.expectOperator(')');
    return { kind: 'vector', value };
  }
  if (isCallOrGrouped(cursor, RANGE_FUNCTIONS)) return rangeAggregation(cursor);
  if (isCallOrGrouped(cursor, AGGREGATIONS)) return aggregation(cursor);
  if (cursor.isCall('label_replace')) return labelReplace(cursor);
  return cursor.unexpected(
    'a selector such as {source="web"}, a function such as rate(…) or sum(…), or a number',
  );
}

/** `({…}) |= "x"`: stages go on behind parentheses. */
function continued(cursor: ParseCursor, log: LogExpr): LogExpr {
  const { stages } = parsePipeline(cursor, false);
  return { ...log, stages: [...log.stages, ...checkStages(stages)] };
}

function isCallOrGrouped(cursor: ParseCursor, words: readonly string[]): boolean {
  if (!cursor.isWord(...words)) return false;
  return opens(cursor.ahead()) || (isWord(cursor.ahead(), ['by', 'without']) && opens(cursor.ahead(2)));
}

function number(cursor: ParseCursor): number {
  const sign = cursor.isOperator('-', '+') ? cursor.next().text : '';
  const token = cursor.current;
  if (token.kind !== 'number') return cursor.unexpected('a number');
  cursor.next();
  return sign === '-' ? -token.value : token.value;
}

function grouping(cursor: ParseCursor): Grouping | undefined {
  if (!cursor.isWord('by', 'without')) return undefined;
  const without = cursor.next().text.toLowerCase() === 'without';
  return { without, labels: names(cursor) };
}

function logExpr(cursor: ParseCursor, withUnwrap: boolean): { log: LogExpr; pipeline: Pipeline } {
  const matchers = parseSelector(cursor);
  const pipeline = parsePipeline(cursor, withUnwrap);
  refuseAll(matchers);
  return { log: { kind: 'log', matchers, stages: checkStages(pipeline.stages) }, pipeline };
}

function aggregation(cursor: ParseCursor): MetricExpr {
  const op = cursor.next().text.toLowerCase() as AggregateOp;
  let group = grouping(cursor);
  cursor.expectOperator('(');
  const following = cursor.ahead();
  const hasParam =
    cursor.current.kind === 'number' && following.kind === 'operator' && [',', ')'].includes(following.text);
  const param = hasParam ? cursor.next().value : undefined;
  if (param !== undefined && !cursor.takeOperator(',')) {
    cursor.expectOperator(')');
    return checkAggregation(op, { kind: 'number', value: param }, undefined, group);
  }
  const expr = cursor.nested(() => binary(cursor, 0));
  if (expr.kind === 'log') cursor.unexpected('a range: an aggregation takes samples, as of rate({…}[5m])');
  if (!cursor.takeOperator(')')) cursor.unexpected(')');
  group ??= grouping(cursor);
  return checkAggregation(op, expr, param, group);
}

function labelReplace(cursor: ParseCursor): MetricExpr {
  cursor.next();
  cursor.next();
  const expr = cursor.nested(() => binary(cursor, 0));
  if (expr.kind === 'log') cursor.unexpected('a range: label_replace takes samples, as of rate({…}[5m])');
  const texts: string[] = [];
  for (let i = 0; i < 4; i++) {
    if (!cursor.takeOperator(',')) cursor.unexpected('a comma: label_replace takes four texts');
    texts.push(cursor.string());
  }
  cursor.expectOperator(')');
  const [destination, replacement, source, pattern] = texts as [string, string, string, string];
  try {
    GoRegex.compile(pattern);
  } catch (error) {
    throw meaninglessError(error instanceof Error ? error.message : String(error));
  }
  return { kind: 'label_replace', expr, destination, replacement, source, pattern };
}

function rangeAggregation(cursor: ParseCursor): RangeAggregation {
  const fn = cursor.next().text.toLowerCase() as RangeFunction;
  let group = grouping(cursor);
  cursor.expectOperator('(');
  let param: number | undefined;
  if (cursor.current.kind === 'number') {
    param = cursor.next().value;
    cursor.expectOperator(',');
  }
  const range = rangeOf(cursor);
  if (!cursor.takeOperator(')')) cursor.unexpected(')');
  group ??= grouping(cursor);
  return checkRange({
    kind: 'range',
    fn,
    ...range,
    ...(param !== undefined && { param }),
    ...(group !== undefined && { grouping: group }),
  });
}

type RangePart = Pick<RangeAggregation, 'log' | 'unwrap' | 'rangeMs' | 'offsetMs'>;

/** A selector with its stages and `[5m]`, which may stand before or behind them; any of it in parentheses. */
function rangeOf(cursor: ParseCursor): RangePart {
  if (cursor.takeOperator('(')) {
    const inner = cursor.nested(() => maybeRange(cursor));
    if (!cursor.takeOperator(')')) cursor.unexpected(')');
    return whole(cursor, inner);
  }
  return whole(cursor, maybeRange(cursor));
}

type MaybeRange = Pick<RangePart, 'log' | 'unwrap'> & Partial<Pick<RangePart, 'rangeMs' | 'offsetMs'>>;

function maybeRange(cursor: ParseCursor): MaybeRange {
  if (cursor.takeOperator('(')) {
    const inner = cursor.nested(() => maybeRange(cursor));
    if (!cursor.takeOperator(')')) cursor.unexpected(')');
    return withRest(cursor, inner);
  }
  if (!cursor.isOperator('{')) cursor.unexpected('a selector such as {source="web"}');
  const matchers = parseSelector(cursor);
  refuseAll(matchers);
  return withRest(cursor, { log: { kind: 'log', matchers, stages: [] } });
}

function withRest(cursor: ParseCursor, given: MaybeRange): MaybeRange {
  let found = given;
  for (;;) {
    if (cursor.current.kind === 'range' && found.rangeMs === undefined) {
      found = { ...found, rangeMs: cursor.next().value, ...offset(cursor) };
      continue;
    }
    const pipeline = found.unwrap === undefined ? parsePipeline(cursor, true) : { stages: [] };
    if (pipeline.stages.length === 0 && pipeline.unwrap === undefined) return found;
    const stages = [...found.log.stages, ...checkStages(pipeline.stages)];
    found = { ...found, log: { ...found.log, stages }, ...(pipeline.unwrap && { unwrap: pipeline.unwrap }) };
  }
}

function offset(cursor: ParseCursor): { offsetMs: number } {
  if (!cursor.takeWord('offset')) return { offsetMs: 0 };
  const sign = cursor.takeOperator('-') ? -1 : 1;
  if (cursor.current.kind !== 'duration') cursor.unexpected('a duration such as 5m');
  return { offsetMs: (sign * cursor.next().value) / 1e6 };
}

function whole(cursor: ParseCursor, found: MaybeRange): RangePart {
  const { log, unwrap, rangeMs, offsetMs = 0 } = withRest(cursor, found);
  if (rangeMs === undefined) return cursor.unexpected('a range such as [5m]');
  return { log, ...(unwrap && { unwrap }), rangeMs, offsetMs };
}
