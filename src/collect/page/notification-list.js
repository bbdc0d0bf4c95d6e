import { code, emptyState, h, replace } from './dom.js';
import { ago, count, dateTime, duration } from './format.js';

const FATES = 10;
const TONES = { delivered: 'good', retrying: 'warn', failed: 'bad', expired: 'bad', dropped: 'bad' };

/** Who is told, and what became of the last notifications of each. */
export class NotificationList {
  #body = h('div', {});
  #open = new Set();

  constructor() {
    this.element = h(
      'section',
      { class: 'card', 'aria-label': 'Notifications' },
      h('h2', {}, 'Notifications'),
      this.#body,
    );
  }

  /** Undefined: the collector has none to give. */
  show(status) {
    this.element.hidden = status === undefined;
    if (status === undefined) return;
    const receivers = status.receivers ?? [];
    replace(
      this.#body,
      status.durable === false
        ? h(
            'p',
            { class: 'notice bad' },
            'The state of notifications cannot be written: a crash now could forget or repeat one.',
          )
        : undefined,
      receivers.length === 0 ? nobody() : receivers.map((receiver) => this.#receiver(receiver)),
    );
  }

  #receiver(receiver) {
    const { name } = receiver;
    const fates = [receiver.retrying, ...(receiver.recent ?? [])].filter(Boolean).slice(0, FATES);
    const [last] = fates;
    const waiting = receiver.queueLength > 0 ? `${count(receiver.queueLength)} waiting` : '';
    const oldest =
      receiver.queueLength > 0 && receiver.oldestQueuedAtMs
        ? `the oldest for ${duration(Date.now() - receiver.oldestQueuedAtMs)}`
        : '';
    return h(
      'details',
      {
        class: 'rule',
        open: this.#open.has(name),
        ontoggle: (event) => (event.target.open ? this.#open.add(name) : this.#open.delete(name)),
      },
      h(
        'summary',
        {},
        h('span', { class: `state ${TONES[last?.status] ?? ''}` }, last?.status ?? 'nothing sent yet'),
        h('strong', {}, name),
        h(
          'span',
          { class: 'quiet' },
          [last ? ago(last.atMs, Date.now()) : '', waiting, oldest].filter(Boolean).join(' · '),
        ),
      ),
      fates.length === 0
        ? h('p', { class: 'quiet' }, 'It has had nothing to tell yet.')
        : h('ol', { class: 'plain fates' }, fates.map(fateRow)),
    );
  }
}

function nobody() {
  return emptyState('Nobody is told', [
    'Alerts are shown here only. Name ',
    code('receivers:'),
    ' and a ',
    code('route:'),
    ' in the configuration of the collector to send them by webhook, e-mail, chat, pager or a program of yours.',
  ]);
}

function fateRow(fate) {
  const what = [
    fate.firing > 0 ? `${count(fate.firing)} firing` : '',
    fate.resolved > 0 ? `${count(fate.resolved)} resolved` : '',
  ].filter(Boolean);
  return h(
    'li',
    {},
    h('time', { datetime: new Date(fate.atMs).toISOString() }, dateTime(fate.atMs)),
    h('span', { class: TONES[fate.status] ?? '' }, fate.status),
    h('span', {}, what.join(', ')),
    h('span', { class: 'quiet' }, fate.attempts === 1 ? '' : `${count(fate.attempts)} attempts`),
    fate.error ? h('span', { class: 'bad wide' }, fate.error) : undefined,
  );
}
