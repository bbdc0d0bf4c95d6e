import { isSetOperator, type BinaryOp, type VectorMatching } from '../promql/ast.ts';
import type {
  AggregateOp,
  BinaryExpr,
  Grouping,
  LogqlExpr,
  MetricExpr,
  RangeAggregation,
  RangeFunction,
} from './ast.ts';
import { meaninglessError } from './logql-error.ts';

const WITHOUT_VALUE: ReadonlySet<RangeFunction> = new Set([
  'count_over_time',
  'rate',
  'bytes_over_time',
  'bytes_rate',
  'absent_over_time',
]);
const NEVER_WITH_VALUE: ReadonlySet<RangeFunction> = new Set([
  'count_over_time',
  'bytes_over_time',
  'bytes_rate',
]);
const GROUPED: ReadonlySet<RangeFunction> = new Set([
  'avg_over_time',
  'min_over_time',
  'max_over_time',
  'stddev_over_time',
  'stdvar_over_time',
  'quantile_over_time',
  'first_over_time',
  'last_over_time',
]);
const UNGROUPED_AGGREGATIONS: ReadonlySet<AggregateOp> = new Set(['sort', 'sort_desc', 'approx_topk']);
const CHOOSING: ReadonlySet<AggregateOp> = new Set(['topk', 'bottomk', 'approx_topk']);

/** The operation of two expressions; throws LogqlError where it has no meaning. */
export function checkOperands(
  op: BinaryOp,
  left: LogqlExpr,
  right: LogqlExpr,
  modifiers: { readonly bool: boolean; readonly matching: VectorMatching },
): BinaryExpr {
  for (const [side, expr] of [
    ['left', left],
    ['right', right],
  ] as const) {
    if (expr.kind === 'log')
      throw meaninglessError(
        `the ${side} side of ${op} is a query for lines; an operator takes samples, as of rate({…}[5m])`,
      );
    if (isSetOperator(op) && expr.kind === 'number')
      throw meaninglessError(
        `the ${side} side of ${op} is a number; ${op} takes series on both sides, so write vector(${expr.value})`,
      );
  }
  return { kind: 'binary', op, left: left as MetricExpr, right: right as MetricExpr, ...modifiers };
}

export function checkAggregation(
  op: AggregateOp,
  expr: MetricExpr,
  param: number | undefined,
  grouping: Grouping | undefined,
): MetricExpr {
  if (CHOOSING.has(op)) {
    if (param === undefined) throw meaninglessError(`${op} needs to know how many: ${op}(10, …)`);
    if (!Number.isInteger(param) || param < 1)
      throw meaninglessError(`${op}(${param}, …): expected a whole number from 1 on`);
  } else if (param !== undefined) throw meaninglessError(`${op} takes no number before the expression`);
  if (grouping !== undefined && UNGROUPED_AGGREGATIONS.has(op))
    throw meaninglessError(`${op} takes neither by nor without`);
  if (expr.kind === 'number') throw meaninglessError(`${op} takes series, not a number`);
  return {
    kind: 'aggregate',
    op,
    expr,
    ...(param !== undefined && { param }),
    ...(grouping !== undefined && { grouping }),
  };
}

export function checkRange(range: RangeAggregation): RangeAggregation {
  const { fn, param, unwrap, grouping } = range;
  if (fn === 'quantile_over_time') {
    if (param === undefined)
      throw meaninglessError('quantile_over_time needs a quantile: quantile_over_time(0.95, …)');
  } else if (param !== undefined) throw meaninglessError(`${fn} takes no number before the range`);
  if (unwrap === undefined && !WITHOUT_VALUE.has(fn))
    throw meaninglessError(`${fn} works on the value of a label: put | unwrap label before the range`);
  if (unwrap !== undefined && NEVER_WITH_VALUE.has(fn))
    throw meaninglessError(`${fn} works on lines and takes no unwrap`);
  if (grouping !== undefined && !GROUPED.has(fn))
    throw meaninglessError(
      `${fn} takes neither by nor without; put it into an aggregation: sum by (…) (${fn}(…))`,
    );
  return range;
}
