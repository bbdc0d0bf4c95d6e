import { get, getIfThere } from './api.js';
import { activeAlerts, isWorrying } from './alert-list.js';
import { alertsPage } from './alerts.js';
import { emptyState, replace } from './dom.js';
import { fleetPage } from './fleet.js';
import { metricsPage } from './metrics.js';
import { addressOfLink } from './prometheus-link.js';
import { recordsPage } from './records.js';

const pages = { fleet: fleetPage, metrics: metricsPage, records: recordsPage, alerts: alertsPage };
const main = document.querySelector('#main');
let leave = () => undefined;
let shown = '';

/** `#/metrics?expr=up` names a page and its state; each page keeps its state there, so that it can be linked to. */
function readRoute() {
  const [path = '', query = ''] = location.hash.replace(/^#\/?/, '').split('?', 2);
  return { page: path in pages ? path : 'fleet', state: new URLSearchParams(query) };
}

function show() {
  const { page, state } = readRoute();
  leave();
  for (const link of document.querySelectorAll('nav a')) {
    if (link.dataset.page === page) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  document.title = `${page[0].toUpperCase()}${page.slice(1)} · Taffrail`;
  replace(main);
  main.dataset.page = page;
  try {
    leave = pages[page](main, state) ?? (() => undefined);
  } catch (error) {
    replace(main, emptyState('This view failed', error.message));
  }
  if (shown !== '' && shown !== page) main.focus({ preventScroll: true });
  shown = page;
}

/** What needs a look, on every page: silent or broken agents, firing alerts. */
async function refreshBadges() {
  const [fleet, rules, stored] = await Promise.allSettled([
    get('/api/v1/agents'),
    getIfThere('/api/v1/rules'),
    getIfThere('/api/v1/query', { query: 'ALERTS' }),
  ]);
  const agents = fleet.value?.agents ?? [];
  const unwell = agents.filter(
    (agent) => !agent.superseded && (agent.silentMs > 60_000 || agent.difference > 0),
  );
  if (fleet.status === 'fulfilled') setBadge('fleet', unwell.length, 'agents that need a look');
  if (rules.status !== 'fulfilled') return;
  const alerts = activeAlerts({
    groups: rules.value?.groups ?? [],
    agents,
    stored: stored.value?.result ?? [],
  });
  setBadge('alerts', alerts.filter(isWorrying).length, 'firing alerts');
}

function setBadge(page, number, what) {
  const badge = document.querySelector(`nav a[data-page="${page}"] .count`);
  badge.hidden = number === 0;
  badge.textContent = String(number);
  badge.setAttribute('aria-label', `${number} ${what}`);
}

function setUpTheme() {
  const root = document.documentElement;
  const dark = matchMedia('(prefers-color-scheme: dark)');
  document.querySelector('#theme').addEventListener('click', () => {
    const current = root.dataset.theme ?? (dark.matches ? 'dark' : 'light');
    root.dataset.theme = current === 'dark' ? 'light' : 'dark';
    try {
      localStorage.setItem('theme', root.dataset.theme);
    } catch {
      // Not kept for the next visit, then.
    }
    window.dispatchEvent(new Event('themechange'));
  });
  dark.addEventListener('change', () => window.dispatchEvent(new Event('themechange')));
}

const linked = addressOfLink(location.pathname, location.search);
if (linked !== undefined) history.replaceState(null, '', linked);
setUpTheme();
window.addEventListener('hashchange', show);
show();
void refreshBadges();
setInterval(() => {
  if (!document.hidden) void refreshBadges();
}, 15_000);
