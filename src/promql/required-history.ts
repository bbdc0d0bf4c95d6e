import { childrenOf, type Expr } from './ast.ts';

/**
 * How far back an instant query reads: the largest, over all selectors, of range or lookback plus offset plus the
 * ranges of the subqueries around it. `@` with a fixed time has no bound. A negative offset adds nothing.
 */
export function requiredHistoryMs(expr: Expr, lookbackMs: number): number | 'unbounded' {
  switch (expr.kind) {
    case 'selector':
      return expr.at?.kind === 'time' ? 'unbounded' : lookbackMs + Math.max(0, expr.offsetMs);
    case 'range':
      return expr.selector.at?.kind === 'time'
        ? 'unbounded'
        : expr.rangeMs + Math.max(0, expr.selector.offsetMs);
    case 'subquery': {
      const inner = requiredHistoryMs(expr.expr, lookbackMs);
      if (expr.at?.kind === 'time' || inner === 'unbounded') return 'unbounded';
      return inner + expr.rangeMs + Math.max(0, expr.offsetMs);
    }
    case 'number':
    case 'string':
    case 'call':
    case 'aggregate':
    case 'binary':
    case 'unary':
    case 'paren': {
      let most = 0;
      for (const child of childrenOf(expr)) {
        const needed = requiredHistoryMs(child, lookbackMs);
        if (needed === 'unbounded') return 'unbounded';
        most = Math.max(most, needed);
      }
      return most;
    }
  }
}
