import type { Aggregate, AtModifier, Binary, Expr, Subquery, VectorSelector } from './ast.ts';
import { formatValue } from './format-value.ts';
import { isPlainLabelName, isPlainMetricName, quoteGoString } from './go-string.ts';
import { formatPromqlDuration } from './promql-duration.ts';

/** The expression in one canonical line; parsing it again gives the same tree. */
export function exprToString(expr: Expr): string {
  switch (expr.kind) {
    case 'number':
      return expr.value === Number.POSITIVE_INFINITY ? 'Inf' : formatValue(expr.value);
    case 'string':
      return quoteGoString(expr.value);
    case 'selector':
      return selectorToString(expr) + modifiers(expr.offsetMs, expr.at);
    case 'range': {
      const { selector, rangeMs } = expr;
      const range = `[${formatPromqlDuration(rangeMs)}]`;
      return selectorToString(selector) + range + modifiers(selector.offsetMs, selector.at);
    }
    case 'subquery':
      return exprToString(expr.expr) + subqueryTail(expr);
    case 'call':
      return `${expr.name}(${expr.args.map(exprToString).join(', ')})`;
    case 'aggregate':
      return aggregateToString(expr);
    case 'binary':
      return `${exprToString(expr.left)} ${operatorToString(expr)} ${exprToString(expr.right)}`;
    case 'unary':
      return expr.op + exprToString(expr.expr);
    case 'paren':
      return `(${exprToString(expr.expr)})`;
  }
}

/** `[1h:5m] offset 1d`: what stands behind the expression of a subquery. */
export function subqueryTail({ rangeMs, stepMs, offsetMs, at }: Subquery): string {
  const step = stepMs === undefined ? '' : formatPromqlDuration(stepMs);
  return `[${formatPromqlDuration(rangeMs)}:${step}]${modifiers(offsetMs, at)}`;
}

function selectorToString(selector: VectorSelector): string {
  const matchers: string[] = [];
  let name = '';
  for (const matcher of selector.matchers) {
    const isName = matcher.name === '__name__' && matcher.kind === '=' && matcher.value === selector.name;
    if (isName && isPlainMetricName(matcher.value)) name = matcher.value;
    else matchers.push(`${labelToString(matcher.name)}${matcher.kind}${quoteGoString(matcher.value)}`);
  }
  return matchers.length === 0 ? name : `${name}{${matchers.join(',')}}`;
}

function labelToString(label: string): string {
  return isPlainLabelName(label) ? label : quoteGoString(label);
}

function labelsToString(labels: readonly string[]): string {
  return `(${labels.map(labelToString).join(', ')})`;
}

function modifiers(offsetMs: number, at: AtModifier | undefined): string {
  const offset = offsetMs === 0 ? '' : ` offset ${formatPromqlDuration(offsetMs)}`;
  return atToString(at) + offset;
}

function atToString(at: AtModifier | undefined): string {
  if (at === undefined) return '';
  return at.kind === 'time' ? ` @ ${(at.timeMs / 1000).toFixed(3)}` : ` @ ${at.kind}()`;
}

/** `sum by (job) `: what stands before the parenthesis. */
export function aggregateHead({ op, without, grouping }: Aggregate): string {
  if (!without && grouping.length === 0) return op;
  return `${op} ${without ? 'without' : 'by'} ${labelsToString(grouping)} `;
}

function aggregateToString(expr: Aggregate): string {
  const param = expr.param === undefined ? '' : `${exprToString(expr.param)}, `;
  return `${aggregateHead(expr)}(${param}${exprToString(expr.expr)})`;
}

/** `== bool on (job) group_left (x)`: an operator with what is said of it. */
export function operatorToString({ op, bool, matching }: Binary): string {
  let text: string = op;
  if (bool) text += ' bool';
  const grouped = matching.cardinality !== 'one-to-one';
  if (matching.on || matching.labels.length > 0 || grouped) {
    text += ` ${matching.on ? 'on' : 'ignoring'} ${labelsToString(matching.labels)}`;
  }
  if (!grouped) return text;
  text += matching.cardinality === 'many-to-one' ? ' group_left ' : ' group_right ';
  return text + labelsToString(matching.include);
}
