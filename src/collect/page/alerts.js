import { getIfThere } from './api.js';
import { code, emptyState, h, replace } from './dom.js';
import { dateTime, duration, number, valueText } from './format.js';
import { repeat } from './page-state.js';

const TONES = { firing: 'bad', pending: 'warn', inactive: 'good', unknown: '' };

/** An alert that only proves that alerting works is nothing to worry about. */
export function isWorrying(alert) {
  return alert.state === 'firing' && alert.labels?.severity !== 'none';
}

function alertTone(alert) {
  return alert.state === 'firing' && !isWorrying(alert) ? 'good' : (TONES[alert.state] ?? '');
}

/** What fires, by which rules, who was told, and what is kept silent. */
export function alertsPage(main) {
  const body = h('div', { class: 'alerts' });
  main.append(h('h1', {}, 'Alerts'), body);
  return repeat(async () => {
    try {
      const [rules, silences, notifications] = await Promise.all([
        getIfThere('/api/v1/rules'),
        getIfThere('/api/v1/silences').catch(() => undefined),
        getIfThere('/api/v1/notifications').catch(() => undefined),
      ]);
      const open = new Set([...body.querySelectorAll('details[open]')].map((element) => element.dataset.key));
      replace(
        body,
        activeAlerts(rules?.groups ?? []),
        ruleGroups(rules?.groups ?? [], open),
        silenceList(silences),
        notificationList(notifications),
      );
    } catch (error) {
      if (body.childElementCount === 0)
        replace(body, emptyState('The alerts cannot be shown', error.message));
    }
  }, 5000);
}

function activeAlerts(groups) {
  const active = groups
    .flatMap((group) => group.rules)
    .flatMap((rule) => (rule.alerts ?? []).map((alert) => ({ ...alert, rule })))
    .filter((alert) => alert.state !== 'inactive')
    .sort((a, b) =>
      rank(a) === rank(b) ? Date.parse(b.activeAt) - Date.parse(a.activeAt) : rank(a) - rank(b),
    );
  if (active.length === 0) {
    const quiet = groups.length > 0 ? emptyState('All quiet', 'No alert is firing or pending.') : undefined;
    return quiet && h('section', { class: 'card' }, quiet);
  }
  return h(
    'section',
    { class: 'card', 'aria-label': 'Active alerts' },
    h('h2', {}, 'Active'),
    h('ul', { class: 'active' }, active.map(activeAlert)),
  );
}

function rank(alert) {
  if (isWorrying(alert)) return 0;
  return alert.state === 'pending' ? 1 : 2;
}

function activeAlert(alert) {
  const { alertname = alert.rule.name, ...labels } = alert.labels ?? {};
  const text =
    alert.annotations?.summary ?? alert.annotations?.description ?? alert.annotations?.message ?? '';
  return h(
    'li',
    { class: alertTone(alert) },
    h('span', { class: `state ${alertTone(alert)}` }, alert.state),
    h('strong', {}, alertname),
    h(
      'span',
      { class: 'quiet' },
      `for ${duration(Date.now() - Date.parse(alert.activeAt))}, value ${number(Number(alert.value))}`,
    ),
    text === '' ? undefined : h('p', {}, text),
    labelChips(labels),
  );
}

function labelChips(labels) {
  const entries = Object.entries(labels ?? {});
  if (entries.length === 0) return undefined;
  return h(
    'p',
    { class: 'chips' },
    entries.map(([name, value]) => h('span', { class: 'chip' }, `${name}=${valueText(value)}`)),
  );
}

function ruleGroups(groups, open) {
  if (groups.length === 0) {
    return h(
      'section',
      { class: 'card' },
      emptyState('No rules are loaded', [
        'Name Prometheus rule files under ',
        code('rules:'),
        ' in the configuration of the collector.',
      ]),
    );
  }
  return groups.map((group) =>
    h(
      'section',
      { class: 'card', 'aria-label': `Rule group ${group.name}` },
      h(
        'header',
        {},
        h('h2', {}, group.name),
        h('p', { class: 'facts' }, `each ${number(group.interval)} s, ${group.file}`),
      ),
      group.rules.map((rule) =>
        ruleRow(rule, `${group.file}/${group.name}/${rule.name}/${rule.query}`, open),
      ),
    ),
  );
}

function ruleRow(rule, key, open) {
  const state = rule.type === 'recording' ? 'recording' : (rule.state ?? 'unknown');
  const failing = rule.health === 'err';
  const calm = state === 'firing' && rule.labels?.severity === 'none';
  return h(
    'details',
    { class: 'rule', 'data-key': key, open: open.has(key) },
    h(
      'summary',
      {},
      h(
        'span',
        { class: `state ${failing ? 'bad' : calm ? 'good' : (TONES[state] ?? '')}` },
        failing ? 'failing' : state,
      ),
      h('strong', {}, rule.name),
    ),
    failing ? h('p', { class: 'notice bad' }, rule.lastError ?? 'the last evaluation failed') : undefined,
    h('pre', { tabindex: '0' }, rule.query),
    h(
      'p',
      { class: 'quiet' },
      rule.duration ? `for ${number(rule.duration)} s` : '',
      rule.keepFiringFor ? `, kept firing ${number(rule.keepFiringFor)} s` : '',
    ),
    labelChips(rule.labels),
    Object.entries(rule.annotations ?? {}).map(([name, value]) => h('p', {}, h('i', {}, name), ' ', value)),
    h(
      'p',
      {},
      h(
        'a',
        { href: `#/metrics?${new URLSearchParams({ expr: rule.query, range: '1h' })}` },
        'Plot the expression',
      ),
    ),
  );
}

function silenceList(silences) {
  const list = asList(silences, 'silences');
  if (silences === undefined) return undefined;
  return h(
    'section',
    { class: 'card', 'aria-label': 'Silences' },
    h('h2', {}, 'Silences'),
    list.length === 0
      ? h('p', { class: 'quiet' }, 'None.')
      : h(
          'ul',
          { class: 'plain' },
          list.map((silence) => h('li', {}, silenceText(silence))),
        ),
  );
}

function silenceText(silence) {
  const matchers = (silence.matchers ?? []).map((one) =>
    typeof one === 'string'
      ? one
      : `${one.name}${one.isEqual === false ? '!' : ''}=${one.isRegex ? '~' : ''}${one.value}`,
  );
  const ends = silence.endsAt ?? silence.endsAtMs;
  return [
    h('strong', {}, matchers.join(', ')),
    ' ',
    h(
      'span',
      { class: 'quiet' },
      [
        silence.comment,
        silence.createdBy,
        ends ? `until ${dateTime(typeof ends === 'number' ? ends : Date.parse(ends))}` : '',
      ]
        .filter(Boolean)
        .join(', '),
    ),
  ];
}

function notificationList(notifications) {
  if (notifications === undefined) return undefined;
  const receivers = asList(notifications, 'receivers');
  return h(
    'section',
    { class: 'card', 'aria-label': 'Notifications' },
    h('h2', {}, 'Notifications'),
    receivers.length === 0
      ? h('p', { class: 'quiet' }, 'No receivers are configured.')
      : h('ul', { class: 'plain' }, receivers.map(receiverRow)),
  );
}

function receiverRow(receiver) {
  const recent = (receiver.recent ?? []).slice(0, 5);
  return h(
    'li',
    {},
    h('strong', {}, receiver.name ?? 'receiver'),
    ' ',
    h('span', { class: 'quiet' }, `${number(receiver.queueLength ?? 0)} waiting`),
    recent.map((fate) =>
      h(
        'p',
        { class: 'quiet' },
        [fate.atMs ? dateTime(fate.atMs) : '', fate.status ?? '', fate.error ?? '']
          .filter(Boolean)
          .join(', '),
      ),
    ),
  );
}

function asList(data, name) {
  if (Array.isArray(data)) return data;
  return Array.isArray(data?.[name]) ? data[name] : [];
}
