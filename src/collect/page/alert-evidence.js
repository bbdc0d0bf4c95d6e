import { get } from './api.js';
import { Chart } from './chart.js';
import { h, replace } from './dom.js';
import { seriesName, splitThreshold } from './expression.js';
import { recordRow } from './record-row.js';

const POINTS = 200;
const BEFORE_MS = 15 * 60_000;
const LINES = 8;
/** The newest lines up to shortly after the condition began. */
const AFTER_MS = 15_000;
const REFRESH_MS = 15_000;

/** Why an alert is there: its expression over time, and the lines that were written when it began. */
export class AlertEvidence {
  #message = h('p', { class: 'quiet' });
  #chart;
  #graph = h('section', { 'aria-label': 'The expression over time' });
  #lines = h('section', { 'aria-label': 'Lines around its beginning' });
  #refreshedMs = 0;
  #linesShown = false;
  #left = false;

  constructor() {
    this.element = h('div', { class: 'evidence' }, this.#graph, this.#lines);
  }

  /** Draws anew, but not more often than it changes. */
  refresh(alert) {
    if (Date.now() - this.#refreshedMs < REFRESH_MS) return;
    this.#refreshedMs = Date.now();
    void this.#draw(alert);
    if (!this.#linesShown) void this.#findLines(alert);
  }

  async #draw(alert) {
    if (!alert.query) {
      replace(this.#graph, h('p', { class: 'quiet' }, 'Its expression is known only where it is evaluated.'));
      return;
    }
    if (this.#chart === undefined) {
      this.#chart = new Chart(() => undefined, { small: true });
      replace(this.#graph, expressionLine(alert.query), this.#message, this.#chart.element);
    }
    const now = Date.now();
    const since = Number.isFinite(alert.sinceMs) ? alert.sinceMs : now;
    const from = Math.max(now - 86_400_000, Math.min(since - BEFORE_MS, now - BEFORE_MS));
    const step = Math.max(5, Math.ceil((now - from) / 1000 / POINTS));
    const start = Math.floor(from / 1000 / step) * step;
    // Up, so that the newest sample is in it.
    const end = Math.ceil(now / 1000 / step) * step;
    const { expression, limit } = splitThreshold(alert.query);
    try {
      const { result } = await get('/api/v1/query_range', { query: expression, start, end, step });
      if (this.#left) return;
      const series = behind(result, alert).map(({ metric, values }) => ({
        name: seriesName(metric),
        samples: values.map(([at, value]) => [at, Number(value)]),
      }));
      this.#chart.element.hidden = series.length === 0;
      replace(
        this.#message,
        series.length > 0 ? caption(limit, since / 1000 > start) : noSeries(alert.origin.kind),
      );
      if (series.length > 0)
        this.#chart.show(series, start, end, step, {
          ...(limit !== undefined && { limit }),
          at: since / 1000,
        });
    } catch (error) {
      this.#chart.element.hidden = true;
      replace(this.#message, `The expression cannot be drawn: ${error.message}`);
    }
  }

  async #findLines(alert) {
    const since = Number.isFinite(alert.sinceMs) ? alert.sinceMs : Date.now();
    const window = { from: since - BEFORE_MS, to: Math.min(since + AFTER_MS, Date.now()), limit: LINES };
    // A label of the alert need not be an attribute of lines: first with all, then with what names a place,
    // at last without the source, which may ship numbers only.
    for (const labels of [seriesLabels(alert), placeLabels(alert, true), placeLabels(alert, false)]) {
      const label = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
      const page = await get('/api/v1/records', { ...window, label }).catch(() => undefined);
      if (this.#left || page === undefined) return;
      if (page.records.length === 0) continue;
      this.#linesShown = Date.now() > since + AFTER_MS;
      this.#showLines(page.records, label, window.to, alert.origin);
      return;
    }
    replace(this.#lines, h('p', { class: 'quiet' }, 'No lines were shipped around its beginning.'));
  }

  #showLines(records, label, to, origin) {
    const query = new URLSearchParams({ range: '15m', to: String(Math.round(to)) });
    for (const one of label) query.append('label', one);
    const address = `#/records?${query}`;
    replace(
      this.#lines,
      h(
        'p',
        { class: 'row between' },
        h('span', { class: 'quiet' }, `Lines as it began: ${whose(label, origin)}`),
        h('a', { href: address }, 'Open in Records'),
      ),
      h(
        'ol',
        { class: 'records' },
        records.map((record) =>
          recordRow(record, '', (filter) => {
            query.append('label', filter);
            location.hash = `#/records?${query}`;
          }),
        ),
      ),
    );
  }

  leave() {
    this.#left = true;
    this.#chart?.destroy();
  }
}

/** An agent's id says nothing to a reader. */
function whose(label, { kind, text }) {
  const shown = label.filter((one) => !one.startsWith('agent='));
  if (kind === 'agent') shown.push(`from ${text}`);
  return shown.length > 0 ? shown.join(', ') : 'from everywhere';
}

export function expressionLine(query, range = '1h') {
  const address = `#/metrics?${new URLSearchParams({ expr: query, range })}`;
  return h(
    'p',
    { class: 'expression' },
    h('code', { tabindex: '0' }, query),
    h('a', { href: address }, 'Open in Metrics'),
  );
}

function caption(limit, begins) {
  return [
    limit === undefined ? '' : `dashed across: the limit, ${limit}`,
    begins ? 'dashed down: when it began' : '',
  ]
    .filter(Boolean)
    .join('; ');
}

function noSeries(kind) {
  return kind === 'agent'
    ? 'The agent evaluates this over its own series; the collector has no samples of them in this time.'
    : 'The expression has no samples in this time.';
}

/** Of all series of the expression those that led to this alert; what the rule itself sets says nothing about them. */
function behind(result, { labels, ruleLabels, origin }) {
  const said = { ...labels, ...origin.labels };
  // Here an agent's series have labels more than where it evaluates them.
  const fits = ([name, value]) =>
    name === '__name__' ||
    name in ruleLabels ||
    said[name] === value ||
    (origin.kind === 'agent' && !(name in said));
  const fitting = result.filter(({ metric }) => Object.entries(metric).every(fits));
  return fitting.length > 0 ? fitting : result;
}

function seriesLabels({ labels, ruleLabels, origin }) {
  const own = Object.entries(labels).filter(
    ([name]) => name !== 'alertname' && name !== 'severity' && !(name in ruleLabels),
  );
  return { ...Object.fromEntries(own), ...origin.labels };
}

function placeLabels({ labels, origin }, withSource) {
  const places = ['source', 'host', 'agent', 'job', 'instance'].filter((name) => name in labels);
  const kept = places.filter((name) => withSource || name !== 'source');
  return { ...Object.fromEntries(kept.map((name) => [name, labels[name]])), ...origin.labels };
}
