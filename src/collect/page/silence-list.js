import { send } from './api.js';
import { activeText, matcherText } from './alert-list.js';
import { h, keyed, replace } from './dom.js';
import { dateTime, duration } from './format.js';

const EXPIRED_SHOWN = 5;

/** The collector's silences: those in force, those to come, the last that ended. */
export class SilenceList {
  #rows = new Map();
  #list = h('ul', { class: 'plain' });
  #empty = h('p', { class: 'quiet' });
  #onChange;

  constructor({ onNew, onChange }) {
    this.#onChange = onChange;
    this.element = h(
      'section',
      { class: 'card', 'aria-label': 'Silences' },
      h(
        'header',
        {},
        h('h2', {}, 'Silences'),
        h('button', { type: 'button', onclick: onNew }, 'New silence …'),
      ),
      this.#empty,
      this.#list,
    );
  }

  /** Undefined: the collector has none to give. */
  show(silences, alerts) {
    this.element.hidden = silences === undefined;
    const ended = (silences ?? []).filter(({ status }) => status.state === 'expired');
    const hidden = new Set(ended.slice(EXPIRED_SHOWN).map(({ id }) => id));
    const shown = (silences ?? []).filter(({ id }) => !hidden.has(id));
    replace(
      this.#empty,
      shown.length === 0
        ? 'Nothing is silenced. A silence keeps notifications of the alerts that fit it back for a while; they stay visible here.'
        : '',
    );
    this.#empty.hidden = shown.length > 0;
    keyed(
      this.#list,
      this.#rows,
      shown.map((silence) => ({ ...silence, alerts })),
      ({ id }) => id,
      (silence) => this.#row(silence),
    );
  }

  #row({ id }) {
    const state = h('span', { class: 'state' });
    const text = h('div', { class: 'grow' });
    const problem = h('span', { class: 'bad', role: 'alert' });
    const button = h(
      'button',
      { type: 'button', onclick: () => void this.#expire(id, button, problem) },
      'Expire',
    );
    return {
      element: h('li', { class: 'silence' }, state, text, problem, button),
      update: (silence) => {
        state.className = `state ${silence.status.state === 'active' ? 'warn' : ''}`;
        state.textContent = silence.status.state;
        button.hidden = silence.status.state === 'expired';
        replace(text, describe(silence));
      },
    };
  }

  async #expire(id, button, problem) {
    button.disabled = true;
    try {
      await send('DELETE', `/api/v1/silence/${encodeURIComponent(id)}`);
      await this.#onChange();
    } catch (error) {
      problem.textContent = error.message;
    } finally {
      button.disabled = false;
    }
  }
}

function describe({ matchers, comment, createdBy, startsAt, endsAt, status, alerts }) {
  const starts = Date.parse(startsAt);
  const ends = Date.parse(endsAt);
  const when = {
    active: `until ${dateTime(ends)} (${duration(ends - Date.now())} left)`,
    pending: `from ${dateTime(starts)} to ${dateTime(ends)}`,
    expired: `ended ${dateTime(ends)}`,
  }[status.state];
  return [
    h('code', {}, matchers.map(matcherText).join(', ')),
    h('p', { class: 'quiet' }, [when, `by ${createdBy}`, comment].filter(Boolean).join(' · ')),
    status.state === 'active'
      ? h('p', { class: 'quiet' }, `Fits ${activeText(matchers, alerts)}.`)
      : undefined,
  ];
}
