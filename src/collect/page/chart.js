import uPlot from '/assets/uPlot.esm.js';
import { h, replace } from './dom.js';
import { number } from './format.js';

const HEIGHT = 340;
const SMALL_HEIGHT = 150;
const SERIES_MAX = 40;

/** Distinct in both themes, and for most colour-blind eyes next to each other. */
const COLOURS = [
  '#3d9bd1',
  '#e0913a',
  '#3fae86',
  '#c765a8',
  '#8f86e0',
  '#c9b23c',
  '#d9605a',
  '#5fb8b0',
  '#a27b5c',
  '#7b8fa1',
];

/**
 * A line chart with its legend. `onZoom(fromSeconds, toSeconds)` is called when a stretch was dragged over. A small one
 * has no legend. `marks` are drawn over it: `limit` across, `at` (seconds) down.
 */
export class Chart {
  #plot;
  #names = '';
  #hidden = new Set();
  #matrix;
  #legend = h('div', { class: 'legend' });
  #canvas = h('div', { class: 'canvas', role: 'img' });
  #cells = [];
  #series = [];
  #observer;
  #onZoom;
  #small;
  #marks = {};
  #onTheme = () => this.#rebuild();

  constructor(onZoom, { small = false } = {}) {
    this.element = h(
      'div',
      { class: small ? 'chart small' : 'chart' },
      this.#canvas,
      small ? undefined : this.#legend,
    );
    this.#small = small;
    this.#onZoom = onZoom;
    this.#observer = new ResizeObserver(() =>
      this.#plot?.setSize({ width: this.#canvas.clientWidth, height: this.#height }),
    );
    this.#observer.observe(this.#canvas);
    window.addEventListener('themechange', this.#onTheme);
  }

  get #height() {
    return this.#small ? SMALL_HEIGHT : HEIGHT;
  }

  /** `series`: name and samples [seconds, value]; all on the same steps. */
  show(series, from, to, step, marks = {}) {
    this.#marks = marks;
    this.#series = series.slice(0, SERIES_MAX);
    this.#matrix = { rows: align(this.#series, from, to, step), from, to };
    this.#canvas.setAttribute('aria-label', `Chart of ${series.length} series`);
    const names = JSON.stringify(this.#series.map(({ name }) => name));
    if (names === this.#names && this.#plot) {
      this.#plot.setData(this.#matrix.rows, false);
      this.#plot.setScale('x', { min: from, max: to });
      this.#fillLegend(null);
      return;
    }
    this.#names = names;
    this.#hidden.clear();
    this.#rebuild(series.length - this.#series.length);
  }

  #rebuild(left = 0) {
    if (!this.#matrix) return;
    this.#plot?.destroy();
    this.#plot = new uPlot(this.#options(), this.#matrix.rows, this.#canvas);
    this.#buildLegend(left);
  }

  #options() {
    const style = getComputedStyle(document.documentElement);
    const axis = {
      stroke: style.getPropertyValue('--quiet'),
      grid: { stroke: style.getPropertyValue('--rule'), width: 1 },
      ticks: { show: false },
      font: '12px system-ui',
    };
    return {
      width: Math.max(this.#canvas.clientWidth, 240),
      height: this.#height,
      legend: { show: false },
      cursor: {
        drag: { x: !this.#small, y: false, setScale: false },
        points: { size: 7 },
        focus: { prox: 24 },
      },
      focus: { alpha: 0.25 },
      scales: {
        x: { min: this.#matrix.from, max: this.#matrix.to, auto: false },
        y: { range: (_plot, low, high) => yRange(low, high, this.#marks.limit) },
      },
      axes: [
        {
          ...axis,
          space: 80,
          values: [
            [86_400, '{YYYY}-{MM}-{DD}', null, null, null, null, null, null, 1],
            [3600, '{HH}:{mm}', '\n{YYYY}-{MM}-{DD}', null, null, null, null, null, 1],
            [60, '{HH}:{mm}', '\n{YYYY}-{MM}-{DD}', null, null, null, null, null, 1],
            [1, '{HH}:{mm}:{ss}', null, null, null, null, null, null, 1],
          ],
        },
        { ...axis, size: 64, values: (_plot, values) => values.map(number) },
      ],
      series: [
        {},
        ...this.#series.map((_, i) => ({
          stroke: colour(i),
          width: 1.75,
          points: { show: pointsShown },
          show: !this.#hidden.has(i),
        })),
      ],
      hooks: {
        setSelect: [(plot) => this.#zoom(plot)],
        setCursor: [(plot) => this.#fillLegend(plot.cursor.idx)],
        draw: [(plot) => this.#drawMarks(plot)],
      },
    };
  }

  #zoom(plot) {
    const { left, width } = plot.select;
    if (width < 6) return;
    const from = plot.posToVal(left, 'x');
    const to = plot.posToVal(left + width, 'x');
    plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    this.#onZoom(from, to);
  }

  #drawMarks(plot) {
    const { limit, at } = this.#marks;
    const { left, top, width, height } = plot.bbox;
    const draw = plot.ctx;
    draw.save();
    draw.strokeStyle = getComputedStyle(document.documentElement).getPropertyValue('--bad');
    draw.lineWidth = devicePixelRatio;
    draw.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
    draw.beginPath();
    if (limit !== undefined) {
      const y = Math.round(plot.valToPos(limit, 'y', true));
      draw.moveTo(left, y);
      draw.lineTo(left + width, y);
    }
    if (at !== undefined && at > this.#matrix.from) {
      const x = Math.round(plot.valToPos(at, 'x', true));
      draw.moveTo(x, top);
      draw.lineTo(x, top + height);
    }
    draw.stroke();
    draw.restore();
  }

  #buildLegend(left) {
    this.#cells = [];
    const rows = this.#series.map((series, i) => {
      const cells = {
        at: h('td', { class: 'num' }),
        low: h('td', { class: 'num' }),
        high: h('td', { class: 'num' }),
      };
      this.#cells.push(cells);
      const button = h(
        'button',
        {
          type: 'button',
          'aria-pressed': String(!this.#hidden.has(i)),
          onclick: (event) => this.#toggle(i, event),
          title: 'Hide or show; with Shift: only this one',
        },
        h('i', { class: 'swatch', style: { background: colour(i) } }),
        h('span', {}, series.name),
      );
      return h(
        'tr',
        { class: this.#hidden.has(i) ? 'off' : '' },
        h('th', { scope: 'row' }, button),
        cells.at,
        cells.low,
        cells.high,
      );
    });
    const head = h(
      'tr',
      {},
      h('th', { scope: 'col' }, 'Series'),
      ['Value', 'Min', 'Max'].map((name) => h('th', { scope: 'col', class: 'num' }, name)),
    );
    replace(
      this.#legend,
      h('div', { class: 'scroll' }, h('table', {}, h('thead', {}, head), h('tbody', {}, rows))),
      left > 0
        ? h('p', { class: 'quiet' }, `${left} more series are not drawn. Narrow the query, or use topk().`)
        : undefined,
    );
    this.#fillLegend(null);
  }

  #toggle(i, event) {
    if (event.shiftKey) {
      const alone = this.#series.every((_, other) => other === i || this.#hidden.has(other));
      this.#hidden = new Set(
        alone ? [] : this.#series.map((_, other) => other).filter((other) => other !== i),
      );
    } else if (!this.#hidden.delete(i)) this.#hidden.add(i);
    this.#rebuild();
  }

  /** The values under the pointer, else the newest. */
  #fillLegend(index) {
    this.#cells.forEach((cells, i) => {
      const values = this.#matrix.rows[i + 1];
      const known = values.filter((value) => value !== null);
      cells.at.textContent = number(
        index === null || index === undefined ? known[known.length - 1] : values[index],
      );
      cells.low.textContent = known.length > 0 ? number(known.reduce((a, b) => Math.min(a, b))) : '–';
      cells.high.textContent = known.length > 0 ? number(known.reduce((a, b) => Math.max(a, b))) : '–';
    });
  }

  destroy() {
    this.#observer.disconnect();
    window.removeEventListener('themechange', this.#onTheme);
    this.#plot?.destroy();
  }
}

function colour(i) {
  return COLOURS[i % COLOURS.length];
}

function pointsShown(plot, series) {
  return plot.data[series].filter((value) => value !== null).length <= 2;
}

/** From zero where all is positive, and as far as the limit; a flat line gets air around it. */
function yRange(low, high, limit = 0) {
  if (low === null || high === null) return [Math.min(0, limit), Math.max(1, limit * 1.1)];
  const bottom = Math.min(0, low, limit);
  const top = Math.max(0, high, limit);
  if (bottom === top) return [0, 1];
  const air = (top - bottom) * 0.06;
  return [bottom < 0 ? bottom - air : 0, top > 0 ? top + air : 0];
}

/** One row of times and one of values for each series; null where a series has no sample, which leaves a gap. */
function align(series, from, to, step) {
  const slots = Math.floor((to - from) / step) + 1;
  const rows = [Array.from({ length: slots }, (_, i) => from + i * step)];
  for (const { samples } of series) {
    const row = Array.from({ length: slots }, () => null);
    for (const [at, value] of samples) {
      const slot = Math.round((at - from) / step);
      if (slot >= 0 && slot < slots && Number.isFinite(value)) row[slot] = value;
    }
    rows.push(row);
  }
  return rows;
}
