import {
  type Binary,
  type Call,
  childrenOf,
  type Expr,
  isComparison,
  isSetOperator,
  unwrap,
  type ValueType,
} from './ast.ts';
import { FUNCTION_SIGNATURES } from './function-signatures.ts';
import { GoRegex } from './go-regex.ts';
import { quoteGoString } from './go-string.ts';
import { parseError, type TextRange } from './promql-error.ts';
import { documentedType, typeOf } from './value-type.ts';

/** Throws at the first sub-expression whose operands have the wrong number or the wrong types. */
export function checkTypes(text: string, expr: Expr): void {
  const fail = (position: TextRange, message: string): never => {
    throw parseError(text, position, message);
  };
  const expect = (part: Expr, wanted: ValueType, context: string): void => {
    const type = typeOf(part);
    if (type === wanted) return;
    fail(part.position, `expected type ${documentedType(wanted)} in ${context}, got ${documentedType(type)}`);
  };
  const visit = (node: Expr): void => {
    for (const child of childrenOf(node)) visit(child);
    switch (node.kind) {
      case 'aggregate':
        expect(node.expr, 'vector', 'aggregation expression');
        if (node.param === undefined) return;
        return expect(node.param, node.op === 'count_values' ? 'string' : 'scalar', 'aggregation parameter');
      case 'call':
        return checkCall(node, fail, expect);
      case 'binary':
        return checkBinary(node, fail);
      case 'unary':
        return checkUnary(typeOf(node.expr), node.position, fail);
      case 'subquery':
        if (typeOf(node.expr) === 'vector') return;
        return fail(
          node.position,
          `subquery is only allowed on instant vector, got ${typeOf(node.expr)} instead`,
        );
      case 'number':
      case 'string':
      case 'selector':
      case 'range':
      case 'paren':
        return;
    }
  };
  visit(expr);
}

type Fail = (position: TextRange, message: string) => never;

function checkUnary(type: ValueType, position: TextRange, fail: Fail): void {
  if (type === 'scalar' || type === 'vector') return;
  const got = quoteGoString(documentedType(type));
  fail(position, `unary expression only allowed on expressions of type scalar or instant vector, got ${got}`);
}

function checkCall(
  call: Call,
  fail: Fail,
  expect: (part: Expr, wanted: ValueType, context: string) => void,
): void {
  const signature = FUNCTION_SIGNATURES.get(call.name)!;
  const most = signature.repeats ? Number.POSITIVE_INFINITY : signature.args.length;
  const least = signature.args.length - signature.optional;
  const count = call.args.length;
  const wrong = (qualifier: string, wanted: number): never =>
    fail(call.position, `expected ${qualifier}${wanted} argument(s) in call to "${call.name}", got ${count}`);
  if (least === most && count !== most) wrong('', most);
  if (count < least) wrong('at least ', least);
  if (count > most) wrong('at most ', most);
  for (const [index, arg] of call.args.entries()) {
    const wanted = signature.args[Math.min(index, signature.args.length - 1)]!;
    expect(arg, wanted, `call to function "${call.name}"`);
  }
  if (call.name === 'label_replace') checkPattern(unwrap(call.args[4]!), fail);
}

/** A wrong pattern is known now; Prometheus tells only when the expression is evaluated. */
function checkPattern(pattern: Expr, fail: Fail): void {
  if (pattern.kind !== 'string') return;
  try {
    GoRegex.compile(pattern.value);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    fail(pattern.position, `invalid regular expression in label_replace(): ${why}`);
  }
}

function checkBinary(node: Binary, fail: Fail): void {
  const left = typeOf(node.left);
  const right = typeOf(node.right);
  if (node.bool && !isComparison(node.op)) {
    fail(node.opPosition, 'bool modifier can only be used on comparison operators');
  }
  if (isComparison(node.op) && !node.bool && left === 'scalar' && right === 'scalar') {
    fail(node.opPosition, 'comparisons between scalars must use BOOL modifier');
  }
  const { matching } = node;
  const both = matching.on ? matching.labels.find((label) => matching.include.includes(label)) : undefined;
  if (both !== undefined) {
    fail(node.opPosition, `label ${quoteGoString(both)} must not occur in ON and GROUP clause at once`);
  }
  for (const side of [node.left, node.right]) {
    if (typeOf(side) === 'scalar' || typeOf(side) === 'vector') continue;
    fail(side.position, 'binary expression must contain only scalar and instant vector types');
  }
  const vectors = left === 'vector' && right === 'vector';
  if (!vectors && matching.labels.length > 0) {
    fail(node.position, 'vector matching only allowed between instant vectors');
  }
  if (!isSetOperator(node.op)) return;
  if (!vectors) fail(node.position, `set operator "${node.op}" not allowed in binary scalar expression`);
  if (matching.cardinality !== 'one-to-one') {
    fail(node.position, `no grouping allowed for "${node.op}" operation`);
  }
}
