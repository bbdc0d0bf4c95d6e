import { type Expr, type ValueType, unwrap } from './ast.ts';
import { FUNCTION_SIGNATURES } from './function-signatures.ts';

const DOCUMENTED: Readonly<Record<ValueType, string>> = {
  scalar: 'scalar',
  vector: 'instant vector',
  matrix: 'range vector',
  string: 'string',
};

/** The name that Prometheus' documentation gives the type. */
export function documentedType(type: ValueType): string {
  return DOCUMENTED[type];
}

/** What an expression evaluates to. */
export function typeOf(expr: Expr): ValueType {
  const inner = unwrap(expr);
  switch (inner.kind) {
    case 'number':
      return 'scalar';
    case 'string':
      return 'string';
    case 'selector':
    case 'aggregate':
      return 'vector';
    case 'range':
    case 'subquery':
      return 'matrix';
    case 'call':
      return FUNCTION_SIGNATURES.get(inner.name)!.returns;
    case 'binary':
      return typeOf(inner.left) === 'scalar' && typeOf(inner.right) === 'scalar' ? 'scalar' : 'vector';
    case 'unary':
      return typeOf(inner.expr);
    case 'paren':
      return typeOf(inner.expr);
  }
}
