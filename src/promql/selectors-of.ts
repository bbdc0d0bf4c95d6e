import { childrenOf, type Expr, type VectorSelector } from './ast.ts';

/** Every selector of an expression, in the order written; those inside ranges and subqueries too. */
export function selectorsOf(expr: Expr): readonly VectorSelector[] {
  if (expr.kind === 'selector') return [expr];
  return childrenOf(expr).flatMap(selectorsOf);
}
