import { expressionLine } from './alert-evidence.js';
import { annotationList, labelChips } from './alert-row.js';
import { code, emptyState, h, keyed, replace } from './dom.js';
import { ago, count, duration, number } from './format.js';

const TONES = { firing: 'bad', pending: 'warn', inactive: 'good' };

/** Every rule with its state, what went wrong with it, and how long it takes. */
export class RuleList {
  #groups = new Map();
  #list = h('div', {});
  #empty = h(
    'section',
    { class: 'card', hidden: true },
    emptyState('No rules are loaded', [
      'Name Prometheus rule files under ',
      code('rules:'),
      ' in the configuration of the collector.',
    ]),
  );

  constructor() {
    this.element = h('div', {}, this.#empty, this.#list);
  }

  show(groups) {
    this.#empty.hidden = groups.length > 0;
    keyed(this.#list, this.#groups, groups, (group) => `${group.file}/${group.name}`, groupCard);
  }
}

function groupCard({ name }) {
  const facts = h('p', { class: 'facts' });
  const body = h('div', {});
  const rows = new Map();
  return {
    element: h(
      'section',
      { class: 'card', 'aria-label': `Rule group ${name}` },
      h('header', {}, h('h2', {}, name), facts),
      body,
    ),
    update: (group) => {
      replace(
        facts,
        [
          `every ${number(group.interval)} s`,
          `evaluated ${ago(Date.parse(group.lastEvaluation), Date.now())}`,
          `took ${took(group.evaluationTime)}`,
          group.file,
        ].map((text) => h('span', {}, text)),
      );
      const rules = group.rules.map((rule, i) => ({ ...rule, i }));
      keyed(body, rows, rules, (rule) => `${rule.i}/${rule.name}/${rule.query}`, ruleRow);
    },
  };
}

function ruleRow() {
  const state = h('span', { class: 'state' });
  const name = h('strong', {});
  const facts = h('span', { class: 'quiet' });
  const body = h('div', {});
  let shown = '';
  return {
    element: h('details', { class: 'rule' }, h('summary', {}, state, name, facts), body),
    update: (rule) => {
      const [tone, text] = stateOf(rule);
      state.className = `state ${tone}`;
      state.textContent = text;
      name.textContent = rule.name;
      facts.textContent = factsOf(rule);
      // What is read or marked in it stays, unless it changed.
      const content = JSON.stringify([rule.query, rule.lastError, rule.labels, rule.annotations]);
      if (content === shown) return;
      shown = content;
      replace(body, details(rule));
    },
  };
}

function stateOf(rule) {
  if (rule.health === 'err') return ['bad', 'failing'];
  if (rule.health === 'unknown') return ['', 'not yet evaluated'];
  if (rule.type === 'recording') return ['', 'recording'];
  const calm = rule.state === 'firing' && rule.labels?.severity === 'none';
  return [calm ? 'good' : (TONES[rule.state] ?? ''), rule.state];
}

function factsOf(rule) {
  const active = rule.alerts?.length ?? 0;
  return [
    active > 1 ? `${count(active)} alerts` : '',
    rule.health === 'unknown' ? '' : `took ${took(rule.evaluationTime)}`,
  ]
    .filter(Boolean)
    .join(' · ');
}

function took(seconds) {
  return `${number(Number(((seconds ?? 0) * 1000).toPrecision(2)))} ms`;
}

function details(rule) {
  const waits = [
    rule.duration ? `fires after ${duration(rule.duration * 1000)}` : '',
    rule.keepFiringFor ? `is kept firing ${duration(rule.keepFiringFor * 1000)}` : '',
  ].filter(Boolean);
  return [
    rule.health === 'err'
      ? h('p', { class: 'notice bad' }, rule.lastError ?? 'the last evaluation failed')
      : undefined,
    expressionLine(rule.query),
    waits.length > 0 ? h('p', { class: 'quiet' }, waits.join(', ')) : undefined,
    annotationList(rule.annotations),
    labelChips(rule.labels),
  ];
}
