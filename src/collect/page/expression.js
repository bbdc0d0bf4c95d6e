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
