import { send } from './api.js';
import { activeText, fitsMatchers } from './alert-list.js';
import { h, replace } from './dom.js';
import { dateTime } from './format.js';

const UNITS = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
const DURATIONS = ['30m', '2h', '8h', '1d', '1w'];
const OPERATORS = ['=', '!=', '=~', '!~'];

/** `2h`, `1d12h`, in milliseconds; NaN for anything else. */
function durationMs(text) {
  if (!/^(\d+[mhdw])+$/.test(text)) return NaN;
  return [...text.matchAll(/(\d+)([mhdw])/g)].reduce((sum, [, count, unit]) => sum + count * UNITS[unit], 0);
}

/** Opens the dialog in which a silence is made: empty, or for one alert. `done` is called once the collector has it. */
export function openSilenceForm({ alert, alerts, done }) {
  const form = new SilenceForm(alerts, done);
  const { alertname = '', ...others } = alert?.labels ?? {};
  const labels = Object.entries({ alertname, ...others });
  for (const [name, value] of labels) form.addMatcher({ name, operator: '=', value });
  document.body.append(form.element);
  form.element.showModal();
  if (alert) form.explain();
  return form.element;
}

class SilenceForm {
  #alerts;
  #done;
  #matchers = h('ul', { class: 'matchers' });
  #length;
  #author;
  #comment;
  #preview = h('p', { class: 'quiet', 'aria-live': 'polite' });
  #problem = h('p', { class: 'bad', role: 'alert' });
  #create = h('button', { type: 'submit', class: 'primary' }, 'Create silence');

  constructor(alerts, done) {
    this.#alerts = alerts;
    this.#done = done;
    const text = (attributes) =>
      h('input', { type: 'text', autocomplete: 'off', spellcheck: 'false', ...attributes });
    this.#length = text({ id: 'silence-length', value: '2h', required: true, size: 8 });
    this.#author = text({
      id: 'silence-author',
      value: remembered(),
      required: true,
      placeholder: 'your name',
    });
    this.#comment = text({ id: 'silence-comment', required: true, placeholder: 'why it may be quiet' });
    const close = h('button', { type: 'button', onclick: () => this.element.close() }, 'Cancel');
    const add = h(
      'button',
      { type: 'button', onclick: () => this.addMatcher({ name: '', operator: '=', value: '' }).focus() },
      'Add a matcher',
    );
    const form = h(
      'form',
      { onsubmit: (event) => void this.#submit(event), oninput: () => this.#show() },
      h('h2', { id: 'silence-title' }, 'New silence'),
      h('p', { class: 'quiet' }, 'Keeps notifications back of alerts that fit every matcher.'),
      this.#matchers,
      add,
      field('silence-length', 'For', this.#length, this.#shortcuts()),
      field('silence-author', 'By', this.#author),
      field('silence-comment', 'Comment', this.#comment),
      this.#preview,
      this.#problem,
      h('p', { class: 'row end' }, close, this.#create),
    );
    this.element = h(
      'dialog',
      { class: 'card', 'aria-labelledby': 'silence-title', onclose: () => this.element.remove() },
      form,
    );
  }

  /** What fits is known; what is missing is who and why. */
  explain() {
    (this.#author.value === '' ? this.#author : this.#comment).focus();
  }

  addMatcher({ name, operator, value }) {
    const nameInput = h('input', {
      type: 'text',
      value: name,
      'aria-label': 'Label',
      placeholder: 'label',
      size: 14,
    });
    const row = h(
      'li',
      {},
      nameInput,
      h(
        'select',
        { 'aria-label': 'Comparison' },
        OPERATORS.map((one) => h('option', { value: one, selected: one === operator }, one)),
      ),
      h('input', { type: 'text', value, 'aria-label': 'Value', placeholder: 'value' }),
      h(
        'button',
        {
          type: 'button',
          'aria-label': `Remove the matcher ${name}`,
          onclick: () => {
            row.remove();
            this.#show();
          },
        },
        '×',
      ),
    );
    this.#matchers.append(row);
    this.#show();
    return nameInput;
  }

  #shortcuts() {
    return h(
      'span',
      { class: 'segments' },
      DURATIONS.map((one) =>
        h(
          'button',
          {
            type: 'button',
            onclick: () => {
              this.#length.value = one;
              this.#show();
            },
          },
          one,
        ),
      ),
    );
  }

  #read() {
    return [...this.#matchers.children]
      .map((row) => {
        const [name, operator, value] = [...row.querySelectorAll('input, select')].map(
          (input) => input.value,
        );
        return {
          name: name.trim(),
          value,
          isRegex: operator.endsWith('~'),
          isEqual: operator.startsWith('='),
        };
      })
      .filter(({ name }) => name !== '');
  }

  #show() {
    const matchers = this.#read();
    const ms = durationMs(this.#length.value.trim());
    this.#length.setCustomValidity(Number.isNaN(ms) ? 'A number with m, h, d or w, such as 2h or 1d12h' : '');
    const broken = fitsMatchers(matchers, {}) === undefined;
    const ends = Number.isNaN(ms) ? '' : ` It ends ${dateTime(Date.now() + ms)}.`;
    replace(
      this.#preview,
      broken ? 'A pattern is not valid.' : `Fits ${activeText(matchers, this.#alerts)}.${ends}`,
    );
    this.#create.disabled = matchers.length === 0;
  }

  async #submit(event) {
    event.preventDefault();
    this.#create.disabled = true;
    const now = Date.now();
    const silence = {
      matchers: this.#read(),
      startsAt: new Date(now).toISOString(),
      endsAt: new Date(now + durationMs(this.#length.value.trim())).toISOString(),
      createdBy: this.#author.value.trim(),
      comment: this.#comment.value.trim(),
    };
    try {
      await send('POST', '/api/v1/silences', silence);
      remember(silence.createdBy);
      this.element.close();
      await this.#done();
    } catch (error) {
      replace(this.#problem, error.message);
    } finally {
      this.#create.disabled = false;
    }
  }
}

function field(id, name, ...inputs) {
  return h('div', { class: 'field' }, h('label', { for: id }, name), h('span', { class: 'row' }, inputs));
}

function remembered() {
  try {
    return localStorage.getItem('author') ?? '';
  } catch {
    return '';
  }
}

function remember(author) {
  try {
    localStorage.setItem('author', author);
  } catch {
    // Asked for again next time, then.
  }
}
