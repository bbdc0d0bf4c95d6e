import { get } from './api.js';
import { code, emptyState, h, replace } from './dom.js';
import { count, dateTime } from './format.js';
import { keepState, RANGES, rangeSeconds } from './page-state.js';
import { rangePicker } from './range-picker.js';
import { recordRow } from './record-row.js';

const PAGE = 100;
const SHOWN_MAX = 1000;
const SLOTS = 60;

/** Log records: filtered by label, text and time, or live as they come. */
export function recordsPage(main, state) {
  const records = new Records(main, state);
  return () => records.leave();
}

class Records {
  #range;
  #labels;
  #text;
  #label;
  #live;
  #chips = h('div', { class: 'chips' });
  #volume = h('div', { class: 'volume' });
  #list = h('ol', { class: 'records' });
  #status = h('p', { class: 'quiet status', 'aria-live': 'polite' });
  #more = h(
    'button',
    { type: 'button', class: 'more', hidden: true, onclick: () => this.#loadMore() },
    'Show older records',
  );
  #next;
  #to = 0;
  /** The end of the time that a link named; undefined: now. */
  #until;
  #stream;
  #turn = 0;

  constructor(main, state) {
    this.#range = RANGES.some(([name]) => name === state.get('range')) ? state.get('range') : '1h';
    this.#until = Number(state.get('to')) || undefined;
    this.#labels = state.getAll('label').filter((label) => label.includes('='));
    this.#text = h('input', {
      type: 'search',
      placeholder: 'Text in the line',
      'aria-label': 'Text in the line',
      value: state.get('text') ?? '',
      autocomplete: 'off',
      spellcheck: 'false',
    });
    this.#label = h('input', {
      type: 'text',
      placeholder: 'label=value',
      'aria-label': 'Add a label filter, name=value',
      autocomplete: 'off',
      spellcheck: 'false',
    });
    this.#live = h(
      'button',
      { type: 'button', class: 'live', 'aria-pressed': 'false', onclick: () => this.#setLive(!this.#stream) },
      h('i', {}),
      'Live',
    );
    const ranges = rangePicker(this.#range, (name) => {
      this.#range = name;
      this.#setLive(false);
    });
    const form = h(
      'form',
      { class: 'card query', onsubmit: (event) => this.#submit(event) },
      h(
        'div',
        { class: 'row' },
        this.#text,
        this.#label,
        h('button', { type: 'submit', class: 'primary' }, 'Search'),
      ),
      this.#chips,
      h('div', { class: 'row tools' }, ranges.element, this.#live),
    );
    main.append(
      h('h1', {}, 'Records'),
      form,
      h(
        'section',
        { class: 'card', 'aria-label': 'Records' },
        this.#volume,
        this.#status,
        this.#list,
        this.#more,
      ),
    );
    this.#showChips();
    this.#setLive(state.get('live') === 'on');
  }

  #submit(event) {
    event.preventDefault();
    const label = this.#label.value.trim();
    if (label !== '') {
      if (!label.includes('='))
        return void replace(this.#status, 'A label filter is written name=value, for example host=web-1.');
      this.#addLabel(label);
      this.#label.value = '';
    } else this.#restart();
  }

  #addLabel(label) {
    if (!this.#labels.includes(label)) this.#labels.push(label);
    this.#showChips();
    this.#restart();
  }

  #removeLabel(label) {
    this.#labels = this.#labels.filter((one) => one !== label);
    this.#showChips();
    this.#restart();
  }

  #showChips() {
    const end = this.#until && `until ${dateTime(this.#until)}`;
    replace(
      this.#chips,
      end &&
        h(
          'span',
          { class: 'chip' },
          end,
          h('button', { type: 'button', 'aria-label': 'Up to now', onclick: () => this.#upToNow() }, '×'),
        ),
      this.#labels.map((label) =>
        h(
          'span',
          { class: 'chip' },
          label,
          h(
            'button',
            {
              type: 'button',
              'aria-label': `Remove the filter ${label}`,
              onclick: () => this.#removeLabel(label),
            },
            '×',
          ),
        ),
      ),
    );
  }

  #upToNow() {
    this.#until = undefined;
    this.#showChips();
    this.#restart();
  }

  #restart() {
    this.#setLive(Boolean(this.#stream));
  }

  #setLive(live) {
    this.#stream?.close();
    this.#stream = undefined;
    this.#live.setAttribute('aria-pressed', String(live));
    if (live && this.#until) {
      this.#until = undefined;
      this.#showChips();
    }
    keepState('records', {
      text: this.#text.value,
      label: this.#labels,
      range: this.#range,
      to: this.#until,
      live: live ? 'on' : '',
    });
    replace(this.#list);
    this.#next = undefined;
    this.#to = this.#until ?? Date.now();
    void this.#load();
    if (live) this.#follow();
  }

  #filter() {
    return { text: this.#text.value, label: this.#labels };
  }

  async #load() {
    const turn = ++this.#turn;
    const from = this.#to - rangeSeconds(this.#range) * 1000;
    void this.#loadVolume(from, turn);
    replace(this.#status, 'Searching …');
    try {
      const page = await get('/api/v1/records', { ...this.#filter(), from, to: this.#to, limit: PAGE });
      if (turn === this.#turn) this.#show(page);
    } catch (error) {
      if (turn === this.#turn)
        replace(this.#status, emptyState('The records cannot be shown', error.message));
    }
  }

  async #loadMore() {
    const turn = this.#turn;
    const before = this.#next;
    const from = this.#to - rangeSeconds(this.#range) * 1000;
    this.#more.disabled = true;
    try {
      const page = await get('/api/v1/records', {
        ...this.#filter(),
        from,
        to: this.#to,
        limit: PAGE,
        before,
      });
      if (turn === this.#turn) this.#show(page);
    } catch (error) {
      replace(this.#status, error.message);
    } finally {
      this.#more.disabled = false;
    }
  }

  #show({ records, next, searchedToMs }) {
    this.#next = next;
    this.#list.append(...records.map((record) => this.#row(record)));
    this.#more.hidden = next === undefined;
    const shown = this.#list.childElementCount;
    if (shown === 0 && next === undefined) replace(this.#status, this.#nothing());
    else if (shown === 0)
      replace(this.#status, `Nothing found back to ${dateTime(searchedToMs)}; there is more to search.`);
    else
      replace(
        this.#status,
        `${count(shown)} records${next === undefined ? '' : `, searched back to ${dateTime(searchedToMs)}`}`,
      );
  }

  #nothing() {
    if (this.#text.value !== '' || this.#labels.length > 0)
      return emptyState(
        'No record fits',
        'Try a longer time, a shorter text (upper and lower case matter), or fewer labels.',
      );
    return emptyState('No records in this time', [
      'A source ships its lines when it says ',
      code('records: true'),
      '. Or choose a longer time.',
    ]);
  }

  async #loadVolume(from, turn) {
    const data = await get('/api/v1/records/volume', {
      label: this.#labels,
      from,
      to: this.#to,
      slots: SLOTS,
    }).catch(() => undefined);
    if (turn !== this.#turn || data === undefined) return;
    const most = Math.max(...data.counts);
    const slotMs = (data.toMs - data.fromMs) / SLOTS;
    this.#volume.hidden = most === 0;
    replace(
      this.#volume,
      data.counts.map((records, i) =>
        h('span', {
          style: { height: `${records > 0 ? Math.max(4, (records / most) * 100) : 0}%` },
          title: `${dateTime(data.fromMs + i * slotMs)}: about ${count(records)} records`,
        }),
      ),
    );
    this.#volume.setAttribute('role', 'img');
    this.#volume.setAttribute(
      'aria-label',
      `Records over the last ${this.#range}, at most about ${count(most)} in one of ${SLOTS} steps`,
    );
  }

  #follow() {
    const query = new URLSearchParams();
    if (this.#text.value !== '') query.set('text', this.#text.value);
    for (const label of this.#labels) query.append('label', label);
    const stream = new EventSource(`/api/v1/records/tail?${query}`);
    this.#stream = stream;
    stream.addEventListener('records', (event) => {
      const { records, skipped } = JSON.parse(event.data);
      // They come in the order of arrival, and the newest stands on top.
      this.#list.prepend(...records.map((record) => this.#row(record, 'fresh')).toReversed());
      while (this.#list.childElementCount > SHOWN_MAX) this.#list.lastElementChild.remove();
      replace(this.#status, skipped > 0 ? `Live; ${count(skipped)} records came too fast to show` : 'Live');
    });
    stream.addEventListener('error', () =>
      replace(this.#status, 'The live view was interrupted; connecting again …'),
    );
    stream.addEventListener('open', () => {
      if (this.#list.childElementCount > 0) replace(this.#status, 'Live');
    });
  }

  #row(record, more = '') {
    return recordRow(record, more, (label) => this.#addLabel(label));
  }

  leave() {
    this.#turn++;
    this.#stream?.close();
  }
}
