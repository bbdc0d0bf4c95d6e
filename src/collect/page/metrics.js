import { get, getIfThere } from './api.js';
import { Chart } from './chart.js';
import { code, emptyState, h, replace } from './dom.js';
import { seriesName, suggestedExpression } from './expression.js';
import { keepState, RANGES, rangeSeconds, repeat } from './page-state.js';
import { rangePicker } from './range-picker.js';

const POINTS = 300;
const LISTED_MAX = 400;

/** Choose a metric, narrow it by labels, or write PromQL; see it over time. */
export function metricsPage(main, state) {
  const explorer = new Explorer(main, state);
  return () => explorer.leave();
}

class Explorer {
  #range;
  #window;
  #metric = '';
  #filters = {};
  #names = [];
  #types = {};
  #expression;
  #search;
  #list = h('ul', { class: 'names' });
  #labels = h('div', { class: 'chips' });
  #message = h('div', { class: 'message', 'aria-live': 'polite' });
  #chart = new Chart((from, to) => this.#zoom(from, to));
  #live;
  #ranges;
  #stops = [];
  #abort = new AbortController();

  constructor(main, state) {
    this.#range = RANGES.some(([name]) => name === state.get('range')) ? state.get('range') : '15m';
    this.#metric = state.get('metric') ?? '';
    this.#expression = h('textarea', {
      id: 'expr',
      rows: '1',
      spellcheck: 'false',
      autocapitalize: 'off',
      autocomplete: 'off',
      placeholder: 'PromQL, such as sum by (source) (rate(taffrail_lines_total[1m]))',
      onkeydown: (event) => this.#key(event),
      oninput: () => this.#grow(),
    });
    this.#expression.value = state.get('expr') ?? '';
    this.#search = h('input', {
      type: 'search',
      placeholder: 'Find a metric',
      'aria-label': 'Find a metric',
      oninput: () => this.#listNames(),
    });
    this.#live = h('input', { type: 'checkbox', checked: state.get('live') !== 'off' });
    this.#ranges = rangePicker(this.#range, (name) => this.#setRange(name));
    main.append(h('h1', {}, 'Metrics'), this.#layout());
    this.#grow();
    this.#stops = [
      repeat(() => this.#loadNames(), 60_000),
      repeat(() => (this.#live.checked && !this.#window ? this.#plot() : undefined), 5000),
    ];
    if (!this.#live.checked) void this.#plot();
    if (this.#metric !== '') void this.#loadLabels();
  }

  #layout() {
    return h(
      'div',
      { class: 'explorer' },
      h('aside', { class: 'card' }, this.#search, this.#list),
      h(
        'div',
        { class: 'stage' },
        h(
          'form',
          { class: 'card query', onsubmit: (event) => this.#submit(event) },
          h('label', { for: 'expr', class: 'hidden' }, 'PromQL expression'),
          h(
            'div',
            { class: 'row' },
            this.#expression,
            h('button', { type: 'submit', class: 'primary' }, 'Plot'),
          ),
          this.#labels,
          h(
            'div',
            { class: 'row tools' },
            this.#ranges.element,
            h('label', { class: 'switch' }, this.#live, 'refresh'),
          ),
        ),
        h('section', { class: 'card', 'aria-label': 'Chart' }, this.#message, this.#chart.element),
      ),
    );
  }

  async #loadNames() {
    try {
      const [names, metadata] = await Promise.all([
        get('/api/v1/label/__name__/values'),
        getIfThere('/api/v1/metadata'),
      ]);
      this.#names = names;
      this.#types = Object.fromEntries(
        Object.entries(metadata ?? {}).map(([name, [first]]) => [name, first]),
      );
      this.#listNames();
      if (this.#expression.value === '') this.#invite();
    } catch (error) {
      this.#say('The metrics cannot be listed', error.message);
    }
  }

  #invite() {
    this.#chart.element.hidden = true;
    if (this.#names.length > 0)
      this.#say(
        'Choose a metric, or write PromQL',
        'A counter is shown as its rate, a histogram as its 95th percentile.',
      );
    else
      this.#say('No metrics yet', [
        'They appear here as soon as an agent or any OpenTelemetry sender has sent to ',
        code(`${location.origin}/v1/metrics`),
        '.',
      ]);
  }

  #say(title, ...hints) {
    replace(this.#message, emptyState(title, ...hints));
  }

  #listNames() {
    const words = this.#search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const fitting = this.#names.filter((name) => words.every((word) => name.toLowerCase().includes(word)));
    const items = fitting.slice(0, LISTED_MAX).map((name) => {
      const about = this.#about(name);
      return h(
        'li',
        {},
        h(
          'button',
          {
            type: 'button',
            'aria-pressed': String(name === this.#metric),
            title: about?.help ?? '',
            onclick: () => this.#choose(name),
          },
          h('span', {}, breakable(name)),
          about ? h('small', {}, about.type) : undefined,
        ),
      );
    });
    const rest = fitting.length - items.length;
    replace(
      this.#list,
      items,
      rest > 0 ? h('li', { class: 'quiet' }, `and ${rest} more`) : undefined,
      fitting.length === 0 && this.#names.length > 0
        ? h('li', { class: 'quiet' }, 'No metric has such a name.')
        : undefined,
    );
  }

  /** A histogram's parts are described under the name of the whole. */
  #about(name) {
    return this.#types[name] ?? this.#types[name.replace(/_(bucket|sum|count)$/, '')];
  }

  #choose(name) {
    this.#metric = name;
    this.#filters = {};
    this.#suggest();
    this.#listNames();
    void this.#loadLabels();
  }

  #suggest() {
    const about = this.#about(this.#metric);
    const type =
      about?.type === 'histogram' && !this.#metric.endsWith('_bucket') ? 'counter' : (about?.type ?? '');
    this.#expression.value = suggestedExpression(
      this.#metric,
      type,
      this.#filters,
      rangeSeconds(this.#range),
    );
    this.#grow();
    void this.#plot();
  }

  async #loadLabels() {
    const metric = this.#metric;
    const end = Date.now() / 1000;
    const series = await get('/api/v1/series', {
      'match[]': metric,
      start: end - rangeSeconds(this.#range),
      end,
      limit: 5000,
    }).catch(() => []);
    if (metric !== this.#metric) return;
    const values = new Map();
    for (const labels of series) {
      for (const [name, value] of Object.entries(labels)) {
        if (name === '__name__' || name === 'le') continue;
        if (!values.has(name)) values.set(name, new Set());
        values.get(name).add(value);
      }
    }
    replace(
      this.#labels,
      [...values]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, all]) =>
          this.#labelPicker(
            name,
            [...all].toSorted((a, b) => a.localeCompare(b)),
          ),
        ),
    );
  }

  #labelPicker(name, values) {
    const any = h('option', { value: '' }, 'any');
    const select = h(
      'select',
      { onchange: () => this.#filter(name, select.value) },
      any,
      values.map((value) => h('option', { value, selected: this.#filters[name] === value }, value)),
    );
    return h('label', { class: 'chip' }, h('span', {}, name), select);
  }

  #filter(name, value) {
    if (value === '') delete this.#filters[name];
    else this.#filters[name] = value;
    this.#suggest();
  }

  #setRange(name) {
    this.#range = name;
    this.#window = undefined;
    void this.#plot();
  }

  #zoom(from, to) {
    this.#window = [from, to];
    this.#ranges.select(undefined);
    void this.#plot();
  }

  #key(event) {
    if (event.key === 'Enter' && !event.shiftKey) this.#submit(event);
  }

  #submit(event) {
    event.preventDefault();
    void this.#plot();
  }

  #grow() {
    this.#expression.style.setProperty('height', 'auto');
    this.#expression.style.setProperty('height', `${this.#expression.scrollHeight + 2}px`);
  }

  async #plot() {
    const expression = this.#expression.value.trim();
    keepState('metrics', {
      expr: expression,
      metric: this.#metric,
      range: this.#range,
      live: this.#live.checked ? '' : 'off',
    });
    if (expression === '') return this.#invite();
    this.#abort.abort();
    this.#abort = new AbortController();
    const now = Date.now() / 1000;
    const [from, to] = this.#window ?? [now - rangeSeconds(this.#range), now];
    const step = Math.max(1, Math.ceil((to - from) / POINTS));
    const start = Math.floor(from / step) * step;
    const end = Math.floor(to / step) * step;
    try {
      const { result } = await get(
        '/api/v1/query_range',
        { query: expression, start, end, step },
        this.#abort.signal,
      );
      this.#draw(result, start, end, step);
    } catch (error) {
      if (error.name === 'AbortError') return;
      this.#chart.element.hidden = true;
      this.#say('This query has no answer', error.message);
    }
  }

  #draw(result, start, end, step) {
    const series = result.map(({ metric, values }) => ({
      name: seriesName(metric),
      samples: values.map(([at, value]) => [at, Number(value)]),
    }));
    this.#chart.element.hidden = series.length === 0;
    if (series.length === 0)
      return this.#say(
        'Nothing in this time',
        'The query is valid, but no series has a sample here. Try a longer time or fewer labels.',
      );
    replace(this.#message);
    this.#chart.show(series, start, end, step);
  }

  leave() {
    this.#abort.abort();
    this.#chart.destroy();
    for (const stop of this.#stops) stop();
  }
}

/** A name that may break after an underscore and nowhere else. */
function breakable(name) {
  return name.split(/(?<=_)/).flatMap((part) => [part, h('wbr')]);
}
