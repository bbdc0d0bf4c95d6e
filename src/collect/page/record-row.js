import { h } from './dom.js';
import { dateTime, time, valueText } from './format.js';

/** One record: a line that opens to its attributes, from each of which a filter can be made. */
export function recordRow(record, more, onFilter) {
  const body = valueText(record.body);
  const row = h('li', { class: `record ${more}` });
  const button = h(
    'button',
    { type: 'button', 'aria-expanded': 'false', onclick: () => toggle(row, button, record, onFilter) },
    h('time', { datetime: new Date(record.timeMs).toISOString() }, time(record.timeMs)),
    h('i', {
      class: `severity ${severityTone(record.severity)}`,
      title: record.severityText || 'no severity',
    }),
    h('span', { class: 'origin' }, origin(record)),
    h('span', { class: 'text' }, body === '' ? '(empty line)' : body),
  );
  row.append(button);
  return row;
}

function origin({ resource, attributes }) {
  const source = resource['taffrail.source'] ?? resource['service.name'] ?? '';
  const host = resource['host.name'] ?? '';
  const text = [valueText(host), valueText(source)].filter(Boolean).join(' · ');
  return text === '' ? valueText(attributes['log.file.path']) : text;
}

/** OTLP's severity numbers: from 17 errors, from 13 warnings. */
function severityTone(severity) {
  if (severity >= 17) return 'bad';
  if (severity >= 13) return 'warn';
  return severity >= 9 ? 'info' : 'none';
}

function toggle(row, button, record, onFilter) {
  const open = button.getAttribute('aria-expanded') === 'true';
  button.setAttribute('aria-expanded', String(!open));
  if (open) row.lastElementChild.remove();
  else row.append(details(record, onFilter));
}

function details(record, onFilter) {
  return h(
    'div',
    { class: 'details' },
    h('pre', { tabindex: '0' }, valueText(record.body)),
    attributeTable('Attributes', record.attributes, onFilter),
    attributeTable('Resource', record.resource, onFilter),
    h(
      'p',
      { class: 'quiet' },
      `Event ${dateTime(record.timeMs)}, received ${dateTime(record.receivedMs)}`,
      record.severityText ? `, severity ${record.severityText}` : '',
      record.traceId ? `, trace ${record.traceId}` : '',
      record.spanId ? `, span ${record.spanId}` : '',
    ),
  );
}

function attributeTable(title, attributes, onFilter) {
  const entries = Object.entries(attributes);
  if (entries.length === 0) return undefined;
  return h(
    'table',
    {},
    h('caption', {}, title),
    h(
      'tbody',
      {},
      entries.map(([name, value]) => attributeRow(name, valueText(value), onFilter)),
    ),
  );
}

function attributeRow(name, value, onFilter) {
  const filter = h(
    'button',
    {
      type: 'button',
      class: 'filter',
      'aria-label': `Only records with ${name}=${value}`,
      title: 'Only records with this value',
      onclick: () => onFilter(`${name}=${value}`),
    },
    '+',
  );
  return h('tr', {}, h('th', { scope: 'row' }, name), h('td', {}, value), h('td', {}, filter));
}
