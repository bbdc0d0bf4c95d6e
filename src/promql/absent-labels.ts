import type { Labels } from '../model/series.ts';
import { type Expr, unwrap } from './ast.ts';
import { setLabel } from './label-access.ts';

/** What absent() can say of a series that is not there: its equality matchers, unless a label is named twice. */
export function absentLabels(expr: Expr): Labels {
  const inner = unwrap(expr);
  const selector = inner.kind === 'range' ? inner.selector : inner;
  if (selector.kind !== 'selector') return {};
  const labels: Record<string, string> = {};
  const seen = new Set<string>();
  for (const { name, kind, value } of selector.matchers) {
    if (name === '__name__') continue;
    if (kind === '=' && !seen.has(name)) {
      seen.add(name);
      setLabel(labels, name, value);
    } else {
      delete labels[name];
    }
  }
  return labels;
}
