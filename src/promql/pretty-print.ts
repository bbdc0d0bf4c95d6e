import type { Aggregate, Binary, Expr } from './ast.ts';
import { aggregateHead, exprToString, operatorToString, subqueryTail } from './expr-to-string.ts';

/** Longest expression that stays on one line, in characters; Prometheus's. */
const LINE_MAX = 100;

/** The expression as Prometheus formats it: in one line where that is short, else one part a line, two spaces a level. */
export function prettyPrint(expr: Expr): string {
  return pretty(expr, 0);
}

function pretty(expr: Expr, level: number): string {
  const indent = '  '.repeat(level);
  const line = exprToString(expr);
  switch (expr.kind) {
    case 'number':
    case 'string':
    case 'selector':
    case 'range':
      return indent + line;
    case 'unary':
      return `${indent}${expr.op}${pretty(expr.expr, level).trim()}`;
    case 'subquery':
      return line.length <= LINE_MAX ? line : pretty(expr.expr, level) + subqueryTail(expr);
    case 'aggregate':
    case 'binary':
    case 'call':
    case 'paren':
      return line.length <= LINE_MAX ? indent + line : split(expr, level, indent);
  }
}

function split(
  expr: Aggregate | Binary | Extract<Expr, { readonly kind: 'call' | 'paren' }>,
  level: number,
  indent: string,
): string {
  switch (expr.kind) {
    case 'aggregate': {
      const param = expr.param === undefined ? '' : `${pretty(expr.param, level + 1)},\n`;
      return `${indent}${aggregateHead(expr)}(\n${param}${pretty(expr.expr, level + 1)}\n${indent})`;
    }
    case 'binary':
      return `${pretty(expr.left, level + 1)}\n${indent}${operatorToString(expr)}\n${pretty(expr.right, level + 1)}`;
    case 'call': {
      const args = expr.args.map((arg) => pretty(arg, level + 1)).join(',\n');
      return `${indent}${expr.name}(\n${args}\n${indent})`;
    }
    case 'paren':
      return `${indent}(\n${pretty(expr.expr, level + 1)}\n${indent})`;
  }
}
