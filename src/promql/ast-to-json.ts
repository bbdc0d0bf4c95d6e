import type { AtModifier, Binary, Expr, VectorSelector } from './ast.ts';
import { isSetOperator } from './ast.ts';
import { FUNCTION_SIGNATURES } from './function-signatures.ts';
import { formatValue } from './format-value.ts';
import { typeOf } from './value-type.ts';

/** The tree in the form in which Prometheus's `parse_query` gives it to user interfaces; durations in milliseconds. */
export function exprToJson(expr: Expr): object {
  switch (expr.kind) {
    case 'number':
      return { type: 'numberLiteral', val: formatValue(expr.value) };
    case 'string':
      return { type: 'stringLiteral', val: expr.value };
    case 'paren':
      return { type: 'parenExpr', expr: exprToJson(expr.expr) };
    case 'unary':
      return { type: 'unaryExpr', op: expr.op, expr: exprToJson(expr.expr) };
    case 'selector':
      return { type: 'vectorSelector', ...selector(expr) };
    case 'range':
      return { type: 'matrixSelector', range: expr.rangeMs, ...selector(expr.selector) };
    case 'subquery':
      return {
        type: 'subquery',
        expr: exprToJson(expr.expr),
        range: expr.rangeMs,
        offset: expr.offsetMs,
        step: expr.stepMs ?? 0,
        ...at(expr.at),
      };
    case 'call':
      return { type: 'call', func: signature(expr.name), args: expr.args.map(exprToJson) };
    case 'aggregate':
      return {
        type: 'aggregation',
        op: expr.op,
        expr: exprToJson(expr.expr),
        param: expr.param === undefined ? null : exprToJson(expr.param),
        grouping: expr.grouping,
        without: expr.without,
      };
    case 'binary':
      return {
        type: 'binaryExpr',
        op: expr.op,
        lhs: exprToJson(expr.left),
        rhs: exprToJson(expr.right),
        matching: matching(expr),
        bool: expr.bool,
      };
  }
}

function selector({ name, matchers, offsetMs, at: modifier }: VectorSelector): object {
  return {
    name: name ?? '',
    offset: offsetMs,
    matchers: matchers.map(({ name: label, value, kind }) => ({ name: label, value, type: kind })),
    ...at(modifier),
  };
}

function at(modifier: AtModifier | undefined): object {
  return {
    timestamp: modifier?.kind === 'time' ? modifier.timeMs : null,
    startOrEnd: modifier === undefined || modifier.kind === 'time' ? null : modifier.kind,
  };
}

/** Only vectors are matched; every set operation is of many to many. */
function matching({
  op,
  left,
  right,
  matching: { on, labels, include, cardinality },
}: Binary): object | null {
  if (typeOf(left) !== 'vector' || typeOf(right) !== 'vector') return null;
  return { card: isSetOperator(op) ? 'many-to-many' : cardinality, labels, on, include };
}

function signature(name: string): object {
  const { args, optional, repeats, returns } = FUNCTION_SIGNATURES.get(name)!;
  return { name, argTypes: args, variadic: repeats ? -1 : optional, returnType: returns };
}
