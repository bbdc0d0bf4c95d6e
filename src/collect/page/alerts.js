import { activeAlerts, fitsMatchers, isWorrying } from './alert-list.js';
import { AlertRow } from './alert-row.js';
import { get, getIfThere } from './api.js';
import { code, emptyState, h, keyed, replace } from './dom.js';
import { NotificationList } from './notification-list.js';
import { repeat } from './page-state.js';
import { RuleList } from './rule-list.js';
import { openSilenceForm } from './silence-form.js';
import { SilenceList } from './silence-list.js';

/** What fires in the whole fleet and why, what is kept silent, who was told, and by which rules. */
export function alertsPage(main) {
  const page = new Alerts(main);
  const stop = repeat(() => page.refresh(), 5000);
  return () => {
    stop();
    page.leave();
  };
}

class Alerts {
  #alerts = [];
  #rows = new Map();
  #opened = false;
  #dialog;
  #problem = h('div', { 'aria-live': 'polite' });
  #quiet = h('div', { hidden: true });
  #list = h('div', { class: 'active' });
  #active = h(
    'section',
    { class: 'card', 'aria-label': 'Active alerts', hidden: true },
    h('h2', {}, 'Active'),
    this.#quiet,
    this.#list,
  );
  #silences = new SilenceList({ onNew: () => this.#silence(undefined), onChange: () => this.refresh() });
  #notifications = new NotificationList();
  #rules = new RuleList();

  constructor(main) {
    main.append(
      h('h1', {}, 'Alerts'),
      this.#problem,
      h(
        'div',
        { class: 'alerts' },
        this.#active,
        h('div', { class: 'pair' }, this.#silences.element, this.#notifications.element),
        this.#rules.element,
      ),
    );
    this.#silences.element.hidden = true;
    this.#notifications.element.hidden = true;
  }

  async refresh() {
    let answers;
    try {
      answers = await Promise.all([
        getIfThere('/api/v1/rules'),
        get('/api/v1/agents'),
        getIfThere('/api/v1/query', { query: 'ALERTS' }),
        getIfThere('/api/v1/silences'),
        getIfThere('/api/v1/notifications'),
      ]);
    } catch (error) {
      if (this.#active.hidden)
        replace(this.#problem, emptyState('The alerts cannot be shown', error.message));
      return;
    }
    replace(this.#problem);
    const [rules, fleet, stored, silences, notifications] = answers;
    const groups = rules?.groups ?? [];
    const active = activeAlerts({ groups, agents: fleet.agents, stored: stored?.result ?? [] });
    this.#alerts = active.map((alert) => withSilence(alert, silences ?? []));
    this.#showActive();
    this.#silences.show(silences, this.#alerts);
    this.#notifications.show(notifications);
    this.#rules.show(groups);
  }

  #showActive() {
    this.#active.hidden = false;
    const worrying = this.#alerts.some((alert) => isWorrying(alert) || alert.state === 'pending');
    replace(this.#quiet, worrying ? undefined : allQuiet(this.#alerts.length));
    this.#quiet.hidden = worrying;
    keyed(
      this.#list,
      this.#rows,
      this.#alerts,
      ({ key }) => key,
      (alert) => this.#row(alert),
    );
  }

  /** The first that is worth a look is open at once. */
  #row(alert) {
    const open = !this.#opened && isWorrying(alert) && !alert.silence;
    if (open) this.#opened = true;
    return new AlertRow(alert, { open, onSilence: (one) => this.#silence(one) });
  }

  #silence(alert) {
    this.#dialog = openSilenceForm({ alert, alerts: this.#alerts, done: () => this.refresh() });
  }

  leave() {
    this.#dialog?.close();
    for (const row of this.#rows.values()) row.leave();
  }
}

function allQuiet(active) {
  return h(
    'p',
    { class: 'quiet' },
    'All quiet: nothing is wrong by any rule.',
    active > 0 ? [' What fires below only proves that alerting works (', code('severity: none'), ').'] : '',
  );
}

function withSilence(alert, silences) {
  if (alert.origin.kind !== 'collector') return alert;
  const silence = silences.find(
    ({ status, matchers }) => status.state === 'active' && fitsMatchers(matchers, alert.labels),
  );
  return silence ? { ...alert, silence } : alert;
}
