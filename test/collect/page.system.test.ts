import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { request } from 'undici';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { STATUS } from '../api/server-status.ts';
import { mountQueryApi } from '../../src/agent/mount-query-api.ts';
import { createPage } from '../../src/collect/page.ts';
import type { Store } from '../../src/collect/store/store.ts';
import { StoreQueryable } from '../../src/collect/store-queryable.ts';
import type { Router } from '../../src/platform/router.ts';
import { Engine } from '../../src/promql/engine.ts';
import { hasBrowser, launchBrowser } from './browser.ts';
import { temporaryFolder, TestCollector } from './fixture.ts';
import { logsRequest, type TestRecord } from './requests.ts';

const HOSTILE = `<img src=x onerror="window.obeyed = true"><script>window.obeyed = true</script>`;
const SCREENS = join(tmpdir(), 'taffrail-screens');

const withBrowser = test.skipIf(!hasBrowser);

let browser: Browser;
let collector: TestCollector;
let folder: ReturnType<typeof temporaryFolder>;
let page: Page;
let complaints: string[];

beforeAll(async () => {
  if (hasBrowser) browser = await launchBrowser();
  mkdirSync(SCREENS, { recursive: true });
});

afterAll(async () => {
  await browser?.close();
});

beforeEach(async () => {
  if (!hasBrowser) return;
  folder = temporaryFolder();
  collector = await TestCollector.start({ path: join(folder.path, 'store.db'), extend: addPage });
  await open({ viewport: { width: 1280, height: 800 }, colorScheme: 'dark' });
});

afterEach(async () => {
  if (!hasBrowser) return;
  await page.context().close();
  await collector.stop();
  folder.remove();
});

function addPage(router: Router, store: Store): void {
  createPage(router);
  const queryable = new StoreQueryable(store);
  mountQueryApi(router, {
    queryable,
    index: queryable,
    engine: new Engine(),
    metadata: () => [{ name: 'queue_depth', type: 'gauge', help: 'Jobs waiting.', unit: '' }],
    rules: () => [],
    now: () => Date.now(),
    version: 'test',
    externalLabels: {},
    status: () => STATUS,
  });
}

/** A page whose every complaint and every request to elsewhere is remembered. */
async function open(options: Parameters<Browser['newContext']>[0]): Promise<void> {
  const context = await browser.newContext(options);
  page = await context.newPage();
  complaints = [];
  page.on('console', (message) => {
    if (message.type() !== 'error' && message.type() !== 'warning') return;
    // The demo of this test has no silences or notifications, and the browser says so by itself.
    if (/\/api\/v1\/(silences|notifications)/.test(message.location().url)) return;
    complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (outgoing) => {
    if (!outgoing.url().startsWith(collector.url)) complaints.push(`request to ${outgoing.url()}`);
  });
}

async function send(path: string, body: Uint8Array | string, headers: Record<string, string>): Promise<void> {
  const answer = await request(`${collector.url}${path}`, { method: 'POST', headers, body });
  expect(answer.statusCode).toBe(200);
}

let number = 0;
function sendRecords(records: readonly TestRecord[]): Promise<void> {
  const resource = { 'taffrail.agent': 'agent-1', 'taffrail.source': 'web', 'host.name': 'shop-1' };
  return send('/v1/logs', logsRequest(resource, records), {
    'content-type': 'application/x-protobuf',
    'idempotency-key': `agent-1/e1/${++number}`,
    'taffrail-instance': 'i1;gen=1',
  });
}

async function sendGauge(): Promise<void> {
  const now = Date.now();
  const dataPoints = Array.from({ length: 60 }, (_, i) => ({
    timeUnixNano: `${now - i * 10_000}000000`,
    asDouble: 20 + 10 * Math.sin(i / 5),
    attributes: [{ key: 'source', value: { stringValue: 'data' } }],
  }));
  const metrics = [{ name: 'queue_depth', gauge: { dataPoints } }];
  const body = JSON.stringify({
    resourceMetrics: [{ resource: {}, scopeMetrics: [{ scope: { name: 'taffrail' }, metrics }] }],
  });
  await send('/v1/metrics', body, { 'content-type': 'application/json' });
}

function screenshot(name: string): Promise<unknown> {
  return page.screenshot({ path: join(SCREENS, `${name}.png`) });
}

async function isWithinTheScreen(): Promise<boolean> {
  return page.evaluate('document.documentElement.scrollWidth <= window.innerWidth');
}

withBrowser('the fleet shows an agent, its sources, and that both ledgers agree', async () => {
  number = 0;
  await sendRecords([
    { timeMs: Date.now(), body: 'one' },
    { timeMs: Date.now(), body: 'two' },
  ]);
  const heartbeat = {
    agent: 'agent-1',
    epoch: 'e1',
    instance: 'i1',
    generation: 1,
    version: '9.9.9',
    host: 'shop-1',
    startedAtMs: Date.now() - 60_000,
    ready: true,
    sources: [
      {
        name: 'web',
        fileCount: 1,
        files: [{}],
        lagBytes: 2048,
        linesPerSecond: 12.5,
        lastLineMs: Date.now(),
        ledger: { read: 3, filtered: 1 },
      },
    ],
    sinks: [
      {
        name: 'central',
        type: 'otlp',
        healthy: true,
        ledger: { web: { delivered: 2, buffered: 0, lost: {}, before: 0 } },
      },
    ],
    throughBatch: 1,
    deliveredRecords: { web: 2 },
  };
  await send('/api/v1/agents/heartbeat', JSON.stringify(heartbeat), { 'content-type': 'application/json' });
  await page.goto(`${collector.url}/`);
  const card = page.getByRole('region', { name: 'Agent on shop-1' });
  await card.waitFor();
  const text = await card.innerText();
  for (const part of ['shop-1', 'reporting', '9.9.9', 'web', '2.0 KiB', '12.5', '0 ✓'])
    expect(text).toContain(part);
  expect(await card.getByRole('img').getAttribute('aria-label')).toBe('delivered 2, filtered 1');
  await screenshot('fleet-dark');
  expect(complaints).toEqual([]);
});

withBrowser('the fleet and the alerts stand whatever an earlier version has stored of an agent', async () => {
  const stored = [
    { host: {} },
    { host: ['x'], version: {}, startedAtMs: 'then', ready: 'no' },
    { sources: 5, sinks: {}, alerts: { a: 1 }, problems: 'x' },
    { sources: [null, { name: {} }], sinks: [null], alerts: [null, { labels: 5, state: {} }] },
    { throughBatch: {}, deliveredRecords: 7 },
    { throughBatch: -1e300, deliveredRecords: { web: {} }, ledger: 1 },
    { host: 'shop-1' },
  ];
  for (const [at, beat] of stored.entries()) {
    const sender = { agent: `agent-${at}`, epoch: 'e', instance: 'i', generation: 1, address: '127.0.0.1' };
    await collector.store.heartbeat(sender, JSON.stringify(beat), Date.now());
  }
  await page.goto(`${collector.url}/`);
  await page.getByRole('region', { name: 'Agent on shop-1' }).waitFor();
  expect(await page.locator('section.agent').count()).toBe(stored.length);
  await page.goto(`${collector.url}/#/alerts`);
  await page.getByRole('heading', { name: 'Alerts', exact: true }).waitFor();
  expect(complaints).toEqual([]);
});

withBrowser('a metric is chosen from the list and plotted, with its labels to narrow it', async () => {
  await sendGauge();
  await page.goto(`${collector.url}/#/metrics`);
  await page.getByRole('button', { name: 'queue_depth' }).click();
  await page.locator('.legend tbody tr').waitFor();
  expect(await page.locator('#expr').inputValue()).toBe('queue_depth');
  expect(await page.locator('.legend').innerText()).toContain('queue_depth{source="data"}');
  expect(await page.locator('canvas').count()).toBe(1);
  await page.getByLabel('source').selectOption('data');
  expect(await page.locator('#expr').inputValue()).toBe('queue_depth{source="data"}');
  await page.locator('#expr').fill('sum(');
  await page.locator('#expr').press('Enter');
  await page.getByText('This query has no answer').waitFor();
  complaints = complaints.filter((one) => !one.includes('400 (Bad Request)'));
  expect(complaints).toEqual([]);
});

withBrowser('records are found by text and label, and a hostile line is shown as text', async () => {
  await sendRecords([
    { timeMs: Date.now() - 1000, body: HOSTILE, attributes: { '<b>status</b>': HOSTILE } },
    { timeMs: Date.now() - 2000, body: 'an ordinary line', attributes: { status: '200' } },
  ]);
  await page.goto(`${collector.url}/#/records`);
  const rows = page.locator('.record > button');
  await rows.nth(1).waitFor();
  await rows.first().click();
  expect(await page.locator('.details pre').innerText()).toBe(HOSTILE);
  expect(await page.locator('.record img, .record script, .record b').count()).toBe(0);
  expect(await page.evaluate('window.obeyed')).toBeUndefined();
  await screenshot('records-dark');
  await page.getByLabel('Text in the line').fill('ordinary');
  await page.getByRole('button', { name: 'Search' }).click();
  await expect.poll(() => rows.allInnerTexts()).toEqual([expect.stringContaining('an ordinary line')]);
  await rows.first().click();
  await page.getByRole('button', { name: 'Only records with status=200' }).click();
  await expect.poll(() => page.url()).toContain('label=status%3D200');
  expect(complaints).toEqual([]);
});

withBrowser('the live view shows a record when it arrives', async () => {
  await page.goto(`${collector.url}/#/records?live=on`);
  await page.getByText('No records in this time').waitFor();
  const seen = page.getByText('a line that just came');
  // The stream begins with what arrives after it; a record each time until it is there.
  await expect
    .poll(async () => {
      await sendRecords([{ timeMs: Date.now(), body: 'a line that just came' }]);
      return seen.count();
    })
    .toBeGreaterThan(0);
  expect(complaints).toEqual([]);
});

withBrowser('empty pages say what to do, on a phone and in the light, and nothing sticks out', async () => {
  await page.context().close();
  await open({ viewport: { width: 390, height: 844 }, colorScheme: 'light', deviceScaleFactor: 2 });
  const invitations = {
    fleet: 'No agent has reported yet',
    metrics: 'No metrics yet',
    records: 'No records in this time',
    alerts: 'No rules are loaded',
  };
  for (const [name, invitation] of Object.entries(invitations)) {
    await page.goto(`${collector.url}/#/${name}`);
    await page.getByText(invitation).waitFor();
    await screenshot(`${name}-phone`);
    expect(await isWithinTheScreen()).toBe(true);
  }
  expect(complaints).toEqual([]);
});

withBrowser('the theme can be changed, and stays changed', async () => {
  await page.goto(`${collector.url}/`);
  const theme = () => page.evaluate('document.documentElement.dataset.theme');
  expect(await theme()).toBeUndefined();
  await page.getByRole('button', { name: 'Change between dark and light' }).click();
  expect(await theme()).toBe('light');
  await page.reload();
  expect(await theme()).toBe('light');
  expect(complaints).toEqual([]);
});

withBrowser('the sections are reached with the keyboard alone', async () => {
  await page.goto(`${collector.url}/`);
  await page.keyboard.press('Tab');
  expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to content');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Metrics', exact: true }).waitFor();
});
