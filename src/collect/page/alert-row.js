import { AlertEvidence } from './alert-evidence.js';
import { alertTone } from './alert-list.js';
import { h, replace } from './dom.js';
import { dateTime, duration, number, valueText } from './format.js';

/** An active alert: a line that opens to its graph and the lines behind it. */
export class AlertRow {
  #state = h('span', { class: 'state' });
  #facts = h('span', { class: 'quiet' });
  #summary = h('span', { class: 'says' });
  #body = h('div', { class: 'facts-of' });
  #evidence;
  #actions;
  #alert;

  /** `onSilence(alert)` is called when the reader wants quiet. */
  constructor(alert, { open, onSilence }) {
    this.#alert = alert;
    this.#evidence = new AlertEvidence();
    this.#actions = h('p', { class: 'row actions' });
    this.element = h(
      'details',
      { class: 'alert', open, 'data-alert': alert.name, ontoggle: () => this.#toggle() },
      h('summary', {}, this.#state, h('strong', {}, alert.name), this.#facts, this.#summary),
      this.#body,
      this.#evidence.element,
      this.#actions,
    );
    if (alert.origin.kind === 'collector')
      this.#actions.append(
        h('button', { type: 'button', class: 'primary', onclick: () => onSilence(this.#alert) }, 'Silence …'),
      );
    else if (alert.origin.kind === 'agent')
      this.#actions.append(
        h('span', { class: 'quiet' }, 'Silence it on the agent: '),
        h('code', {}, `taffrail silence add ${alert.name} --comment "…" --url http://the-agent:9470`),
      );
    if (open) this.#toggle();
  }

  update(alert) {
    this.#alert = alert;
    const tone = alert.silence ? '' : alertTone(alert);
    this.element.className = `alert ${tone}`;
    this.#state.className = `state ${tone}`;
    this.#state.textContent = alert.silence ? `${alert.state}, silenced` : alert.state;
    replace(this.#facts, factsOf(alert));
    this.#summary.textContent = alert.annotations.summary ?? alert.annotations.message ?? '';
    replace(this.#body, details(alert));
    if (this.element.open) this.#evidence.refresh(alert);
  }

  #toggle() {
    if (this.element.open) this.#evidence.refresh(this.#alert);
  }

  leave() {
    this.#evidence.leave();
  }
}

function factsOf(alert) {
  return [
    Number.isFinite(alert.sinceMs) ? `for ${duration(Date.now() - alert.sinceMs)}` : '',
    Number.isNaN(alert.value) ? '' : `value ${number(alert.value)}`,
    alert.origin.kind === 'collector' ? '' : `says ${alert.origin.text}`,
    alert.heardMs > 60_000 ? `last heard ${duration(alert.heardMs)} ago` : '',
  ]
    .filter(Boolean)
    .join(' · ');
}

function details(alert) {
  const { alertname: _, ...labels } = alert.labels;
  const { summary: __, ...annotations } = alert.annotations;
  return [
    annotationList(annotations),
    labelChips(labels),
    alert.silence
      ? h(
          'p',
          { class: 'quiet' },
          `Silenced until ${dateTime(Date.parse(alert.silence.endsAt))} by ${alert.silence.createdBy}: ${alert.silence.comment}`,
        )
      : undefined,
  ];
}

export function annotationList(annotations) {
  const entries = Object.entries(annotations ?? {});
  if (entries.length === 0) return undefined;
  return h(
    'dl',
    { class: 'annotations' },
    entries.map(([name, value]) => [h('dt', {}, name), h('dd', {}, valueText(value))]),
  );
}

export function labelChips(labels) {
  const entries = Object.entries(labels ?? {});
  if (entries.length === 0) return undefined;
  return h(
    'p',
    { class: 'chips' },
    entries.map(([name, value]) => h('span', { class: 'chip' }, h('span', {}, name), valueText(value))),
  );
}
