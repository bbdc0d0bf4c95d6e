/** A PromQL string literal. */
function quoted(text) {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
}

export function selector(metric, filters) {
  const matchers = Object.entries(filters).map(([name, value]) => `${name}=${quoted(value)}`);
  return matchers.length > 0 ? `${metric}{${matchers.join(', ')}}` : metric;
}

/** A useful first question about a metric: what a person would plot who knows its type. */
export function suggestedExpression(metric, type, filters, rangeSeconds) {
  const window = rangeWindow(rangeSeconds);
  const series = selector(metric, filters);
  if (type === 'histogram') {
    const buckets = selector(`${metric.replace(/_bucket$/, '')}_bucket`, filters);
    return `histogram_quantile(0.95, sum by (le) (rate(${buckets}[${window}])))`;
  }
  if (type === 'counter' || /_(total|count|sum)$/.test(metric)) return `rate(${series}[${window}])`;
  return series;
}

/** Long enough for several samples, short enough to see changes. */
function rangeWindow(seconds) {
  if (seconds <= 3600) return '1m';
  if (seconds <= 21_600) return '5m';
  return seconds <= 86_400 ? '15m' : '1h';
}

/** A series' labels as PromQL writes them; the metric's name first. */
export function seriesName(labels) {
  const { __name__: name = '', ...rest } = labels;
  const pairs = Object.entries(rest).map(([key, value]) => `${key}=${quoted(value)}`);
  if (pairs.length === 0) return name === '' ? 'value' : name;
  return `${name}{${pairs.join(', ')}}`;
}

const COMPARISON = /^(==|!=|>=|<=|>|<)/;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/**
 * What an alert's expression compares with what: `max(depth) > 50` gives `max(depth)` and 50, so that the value can be
 * drawn also while it is below its limit. The expression as it is where it is no comparison with a number.
 */
export function splitThreshold(expression) {
  const parts = topLevelParts(expression.replaceAll(/#.*$/gm, ''));
  if (parts === undefined) return { expression };
  const limit = parts.right.trim();
  return NUMBER.test(limit) ? { expression: parts.left.trim(), limit: Number(limit) } : { expression };
}

/** Both sides of the only comparison outside all brackets, in what stands before the first `and` or `unless`. */
function topLevelParts(text) {
  let depth = 0;
  let found;
  for (let at = 0; at < text.length; at++) {
    const rest = text.slice(at);
    const quote = /^(["'`])(?:\\.|(?!\1).)*\1/s.exec(rest);
    if (quote) at += quote[0].length - 1;
    else if ('([{'.includes(text[at])) depth++;
    else if (')]}'.includes(text[at])) depth--;
    else if (depth === 0) {
      const word = /^\w+/.exec(rest)?.[0];
      if (word === 'or') return undefined;
      if (word === 'and' || word === 'unless') return found && { ...found, right: text.slice(found.end, at) };
      const operator = COMPARISON.exec(rest)?.[0];
      if (operator && found) return undefined;
      if (operator) found = { left: text.slice(0, at), end: at + operator.length };
      at += (word ?? operator ?? ' ').length - 1;
    }
  }
  return found && { ...found, right: text.slice(found.end) };
}
