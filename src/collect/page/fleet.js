import { get } from './api.js';
import { code, emptyState, h, replace } from './dom.js';
import { ago, bytes, count, dateTime, duration, number } from './format.js';
import { repeat } from './page-state.js';

const SILENT_MS = 60_000;

/** Every agent: is it there, does it keep up, and do its books agree with ours. */
export function fleetPage(main) {
  const body = h('div', { class: 'fleet' });
  main.append(h('h1', {}, 'Fleet'), body);
  const open = new Set();
  return repeat(async () => {
    try {
      const { agents, nowMs } = await get('/api/v1/agents');
      const scroll = window.scrollY;
      replace(body, fleetView(agents, nowMs, open));
      window.scrollTo(0, scroll);
    } catch (error) {
      if (body.childElementCount === 0) replace(body, emptyState('The fleet cannot be shown', error.message));
    }
  }, 3000);
}

/** Agents by host, so that none jumps about; below them those whose state directory was replaced by a newer one. */
function fleetView(agents, nowMs, open) {
  if (agents.length === 0) return noAgents();
  const host = (agent) => String(agent.heartbeat?.host ?? agent.agent);
  const sorted = agents.toSorted((a, b) => host(a).localeCompare(host(b)) || b.lastSeenMs - a.lastSeenMs);
  const current = sorted.filter((agent) => !agent.superseded);
  const former = sorted.filter((agent) => agent.superseded);
  return [
    summary(current),
    current.map((agent) => cardOf(agent, nowMs, open)),
    former.length > 0
      ? h(
          'details',
          {
            class: 'former',
            open: open.has('former'),
            ontoggle: (event) => (event.target.open ? open.add('former') : open.delete('former')),
          },
          h('summary', {}, `Former epochs (${former.length})`),
          former.map((agent) => cardOf(agent, nowMs, open)),
        )
      : undefined,
  ];
}

function noAgents() {
  return emptyState(
    'No agent has reported yet',
    ['Give an agent a sink of type ', code('otlp'), ' with this address as its endpoint:'],
    code(`sinks: [{ name: central, type: otlp, endpoint: ${location.origin} }]`),
    'Any OpenTelemetry sender can send here too: its metrics and records are on the other pages.',
  );
}

function summary(agents) {
  const reporting = agents.filter((agent) => agent.silentMs <= SILENT_MS);
  const sources = reporting.flatMap((agent) => agent.heartbeat?.sources ?? []);
  const rate = sources.reduce((sum, source) => sum + (source.linesPerSecond ?? 0), 0);
  const lag = sources.reduce((sum, source) => sum + (source.lagBytes ?? 0), 0);
  const stored = agents.flatMap((agent) => agent.ledger).reduce((sum, entry) => sum + entry.storedTotal, 0);
  const compared = agents.filter((agent) => agent.difference !== null);
  const difference = compared.reduce((sum, agent) => sum + agent.difference, 0);
  return h(
    'dl',
    { class: 'figures' },
    figure(
      'Agents reporting',
      `${reporting.length} of ${agents.length}`,
      reporting.length < agents.length ? 'bad' : '',
    ),
    figure('Lines a second', number(rate)),
    figure('Behind by', bytes(lag), lag > 64 * 1024 * 1024 ? 'warn' : ''),
    figure('Records stored', count(stored)),
    figure(
      'Ledger difference',
      compared.length === 0 ? '–' : count(difference),
      difference > 0 ? 'bad' : compared.length > 0 ? 'good' : '',
    ),
  );
}

function figure(name, value, tone = '') {
  return h('div', { class: `figure ${tone}` }, h('dt', {}, name), h('dd', {}, value));
}

/** What one agent said of itself must not take the others from the page. */
function cardOf(agent, nowMs, open) {
  try {
    return agentCard(agent, nowMs, open);
  } catch (error) {
    return h(
      'section',
      { class: 'card agent', 'aria-label': `Agent ${agent.agent}` },
      h('header', {}, h('span', { class: 'dot bad' }), h('h2', {}, String(agent.agent))),
      h('p', { class: 'notice bad' }, `What it says of itself cannot be shown: ${error.message}`),
    );
  }
}

function agentCard(agent, now, open) {
  const beat = agent.heartbeat;
  const [tone, state] = health(agent);
  const key = `${agent.agent}/${agent.epoch}`;
  return h(
    'section',
    { class: 'card agent', 'aria-label': `Agent on ${beat?.host ?? agent.agent}` },
    h(
      'header',
      {},
      h('span', { class: `dot ${tone}`, title: state }),
      h('h2', {}, beat?.host ?? agent.agent),
      h('span', { class: `state ${tone}` }, state),
      h(
        'p',
        { class: 'facts' },
        fact('version', beat?.version ?? 'unknown'),
        fact('seen', ago(now - agent.silentMs, now)),
        beat?.startedAtMs ? fact('up', duration(now - beat.startedAtMs)) : undefined,
        fact('from', agent.address || 'a local socket'),
        fact('start', `no. ${agent.generation}`),
      ),
    ),
    agent.conflict && now - agent.conflictMs < 86_400_000
      ? h(
          'p',
          { class: 'notice bad' },
          `${agent.conflict} (${count(agent.conflicts)} requests refused, last ${dateTime(agent.conflictMs)})`,
        )
      : undefined,
    (beat?.problems ?? []).map((problem) => h('p', { class: 'notice warn' }, String(problem))),
    sourcesTable(agent, now),
    details(agent, key, open),
  );
}

function fact(name, value) {
  return h('span', {}, h('i', {}, name), ' ', value);
}

function health(agent) {
  if (agent.difference > 0) return ['bad', `ledger differs by ${count(agent.difference)}`];
  if (agent.silentMs > SILENT_MS) return ['bad', `silent for ${duration(agent.silentMs)}`];
  if (agent.heartbeat === null) return ['warn', 'sends, has not reported'];
  if (agent.heartbeat.ready === false) return ['warn', 'has problems'];
  return ['good', 'reporting'];
}

function sourcesTable(agent, now) {
  const rows = sourceRows(agent);
  if (rows.length === 0) return h('p', { class: 'quiet' }, 'No sources reported.');
  const head = [
    'Source',
    'Files',
    'Lag',
    'Lines/s',
    'Last line',
    'Read',
    'Where it is',
    'Delivered',
    'Stored here',
    'Difference',
  ];
  return h(
    'div',
    { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Sources' },
    h(
      'table',
      { class: 'sources' },
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          head.map((name, i) => h('th', { scope: 'col', class: i === 0 || i === 6 ? '' : 'num' }, name)),
        ),
      ),
      h(
        'tbody',
        {},
        rows.map((row) => sourceRow(row, now)),
      ),
    ),
  );
}

/** Sources the agent reports, and those that only our own count knows. */
function sourceRows(agent) {
  const compared = new Map(agent.ledger.map((entry) => [entry.source, entry]));
  const sink =
    (agent.heartbeat?.sinks ?? []).find(({ type }) => type === 'otlp') ?? agent.heartbeat?.sinks?.[0];
  const reported = (agent.heartbeat?.sources ?? []).map((source) => {
    const books = source.ledger ?? agent.heartbeat?.ledger?.[source.name] ?? {};
    const fate = sink?.ledger?.[source.name] ?? books;
    return { ...source, books, fate, entry: compared.get(source.name) };
  });
  const names = new Set(reported.map(({ name }) => name));
  const others = agent.ledger
    .filter((entry) => !names.has(entry.source))
    .map((entry) => ({ name: entry.source, books: {}, fate: {}, entry }));
  return [...reported, ...others];
}

function sourceRow(row, now) {
  const { entry, books, fate } = row;
  const files = Array.isArray(row.files) ? (row.fileCount ?? row.files.length) : row.files;
  const read = books.read ?? row.linesTotal;
  const cells = [
    ['Files', number(files)],
    ['Lag', row.lagBytes === undefined ? '–' : bytes(row.lagBytes)],
    ['Lines/s', number(row.linesPerSecond)],
    ['Last line', row.lastLineMs ? ago(row.lastLineMs, now) : '–'],
    ['Read', count(read)],
  ];
  return h(
    'tr',
    {},
    h(
      'th',
      { scope: 'row' },
      h('a', { href: `#/records?label=${encodeURIComponent(`source=${row.name}`)}` }, row.name || 'no name'),
    ),
    cells.map(([name, value]) => h('td', { class: 'num', 'data-name': name }, value)),
    h('td', { 'data-name': 'Where it is' }, ledgerBar(read, books, fate)),
    h(
      'td',
      { class: 'num', 'data-name': 'Delivered' },
      entry?.delivered === null || entry === undefined ? '–' : count(entry.delivered),
    ),
    h(
      'td',
      { class: 'num', 'data-name': 'Stored here' },
      entry === undefined ? '–' : count(entry.delivered === null ? entry.storedTotal : entry.stored),
    ),
    h('td', { class: 'num', 'data-name': 'Difference' }, differenceMark(entry)),
  );
}

function differenceMark(entry) {
  if (entry === undefined || entry.difference === null) return '–';
  return h(
    'span',
    {
      class: `mark ${entry.difference === 0 ? 'good' : 'bad'}`,
      ...(entry.before > 0
        ? { title: `${count(entry.before)} were delivered before this collector knew the agent` }
        : {}),
    },
    entry.difference === 0 ? '0 ✓' : count(entry.difference),
  );
}

/** Every line read is delivered, buffered, filtered, set aside or lost. */
function ledgerBar(read, books, fate) {
  const parts = [
    ['delivered', Number(fate.delivered ?? 0)],
    ['buffered', Number(fate.buffered ?? 0)],
    ['filtered', Number(books.filtered ?? 0)],
    ['set-aside', Number(fate.set_aside ?? 0)],
    ['lost', lostLines(fate.lost)],
  ];
  if (!read || parts.every(([, lines]) => !lines)) return h('span', { class: 'quiet' }, '–');
  const text = parts
    .filter(([, lines]) => lines > 0)
    .map(([name, lines]) => `${name.replace('-', ' ')} ${count(lines)}`)
    .join(', ');
  return h(
    'div',
    { class: 'ledger', role: 'img', 'aria-label': text, title: text },
    parts.map(([name, lines]) =>
      lines > 0 ? h('span', { class: name, style: { 'flex-grow': String(lines) } }) : undefined,
    ),
  );
}

function lostLines(lost) {
  if (typeof lost === 'number') return lost;
  return Object.values(lost ?? {}).reduce((sum, lines) => sum + Number(lines), 0);
}

function details(agent, key, open) {
  const sinks = agent.heartbeat?.sinks ?? [];
  const element = h(
    'details',
    { open: open.has(key) },
    h('summary', {}, 'Identity and sinks'),
    h(
      'dl',
      { class: 'pairs' },
      pair('Agent', agent.agent),
      pair('Epoch', agent.epoch),
      pair('Instance', agent.instance || '–'),
      pair('First seen', dateTime(agent.firstSeenMs)),
      pair('Ledger compared through batch', count(agent.heartbeat?.throughBatch)),
      sinks.map((sink) =>
        pair(
          `Sink ${sink.name}`,
          `${sink.healthy === false ? 'unhealthy' : 'healthy'}${sink.lastError ? `, last error: ${sink.lastError}` : ''}`,
        ),
      ),
    ),
  );
  element.addEventListener('toggle', () => (element.open ? open.add(key) : open.delete(key)));
  return element;
}

function pair(name, value) {
  return [h('dt', {}, name), h('dd', {}, value)];
}
