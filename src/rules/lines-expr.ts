import { LogqlError } from '../logql/logql-error.ts';
import { parseLogql } from '../logql/parse-query.ts';
import { printLogql } from '../logql/print-query.ts';
import { exprToString } from '../promql/expr-to-string.ts';
import type { LinesExpr, RuleExpr } from './rule.ts';

/** An expression of LogQL for a rule, or what is wrong with it and where in the text. */
export type ReadLinesExpr =
  | { readonly expr: LinesExpr }
  | { readonly expr: undefined; readonly message: string; readonly offset: number };

export function readLinesExpr(text: string): ReadLinesExpr {
  try {
    const expr = parseLogql(text);
    if (expr.kind !== 'log') return { expr: { kind: 'lines', expr } };
    const message = 'a rule needs samples, as of sum(count_over_time({…}[5m])), not lines';
    return { expr: undefined, message, offset: 0 };
  } catch (error) {
    if (!(error instanceof LogqlError)) throw error;
    // The lines below the first show the place, which a problem of a file does by itself.
    return { expr: undefined, message: error.message.split('\n')[0]!, offset: offsetOf(text, error) };
  }
}

function offsetOf(text: string, { place }: LogqlError): number {
  if (place === undefined) return 0;
  const before = text.split('\n').slice(0, place.line - 1);
  return before.reduce((sum, line) => sum + line.length + 1, 0) + place.column - 1;
}

/** An expression in its canonical form. */
export function showExpr(expr: RuleExpr): string {
  return expr.kind === 'lines' ? printLogql(expr.expr) : exprToString(expr);
}
