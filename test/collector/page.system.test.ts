import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { request } from 'undici';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { hasBrowser, launchBrowser } from '../collect/browser.ts';
import { logsRequest } from '../collect/requests.ts';
import { RunningCollector } from './running-collector.ts';

const TOKEN = 'only-for-this-test';
const RULES = `groups:
  - name: shop
    interval: 1s
    rules:
      - alert: QueueFilling
        expr: max by (host) (queue_depth) > 50
        labels: {severity: warning}
        annotations: {summary: '{{ $value }} messages wait', description: 'Look at the <b>consumer</b>.'}
      - alert: NeverThere
        expr: queue_depth > 1000
      - record: shop:depth:max
        expr: max(queue_depth)
      - alert: Broken
        expr: queue_depth * on (none) queue_depth
`;

const withBrowser = test.skipIf(!hasBrowser);
let browser: Browser;
let collector: RunningCollector | undefined;
let page: Page | undefined;
let complaints: string[];

beforeAll(async () => {
  if (hasBrowser) browser = await launchBrowser();
});
afterAll(async () => {
  await browser?.close();
});
afterEach(async () => {
  await page?.context().close();
  await collector?.stop();
  page = undefined;
  collector = undefined;
});

async function open(options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  page = await context.newPage();
  complaints = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('response', (answer) => {
    if (answer.status() >= 400) complaints.push(`${answer.status()} ${answer.url()}`);
  });
  return page;
}

async function send(path: string, body: Uint8Array | string, headers: Record<string, string>): Promise<void> {
  const answer = await request(`${collector!.url}${path}`, { method: 'POST', headers, body });
  await answer.body.dump();
  expect(answer.statusCode).toBe(200);
}

async function sendDepth(value: number): Promise<void> {
  const point = {
    timeUnixNano: `${Date.now()}000000`,
    asDouble: value,
    attributes: ['shop-1', 'shop-2']
      .map((name) => ({ key: 'host', value: { stringValue: name } }))
      .slice(0, 1),
  };
  const other = { ...point, attributes: [], asDouble: 1 };
  const metrics = [{ name: 'queue_depth', gauge: { dataPoints: [point, other] } }];
  const body = {
    resourceMetrics: [{ resource: {}, scopeMetrics: [{ scope: { name: 'taffrail' }, metrics }] }],
  };
  await send('/v1/metrics', JSON.stringify(body), { 'content-type': 'application/json' });
}

function heartbeat(more: object): string {
  const identity = { agent: 'agent-1', epoch: 'e1', instance: 'i1', generation: 1, version: '9.9.9' };
  return JSON.stringify({ ...identity, host: 'edge-7', ready: true, sources: [], sinks: [], ...more });
}

withBrowser(
  'a firing alert shows its graph, the lines as it began and its way to a silence, which can be ended again',
  async () => {
    collector = await RunningCollector.start(
      {
        rules: ['./rules.yaml'],
        built_in_rules: false,
        route: { receiver: 'ops', group_wait: '0s' },
        receivers: [{ name: 'ops', exec_configs: [{ command: ['/bin/cat'] }] }],
      },
      { 'rules.yaml': RULES },
    );
    const resource = { 'host.name': 'shop-1', 'taffrail.source': 'app' };
    await send('/v1/logs', logsRequest(resource, [{ timeMs: Date.now(), body: 'the consumer is slow' }]), {
      'content-type': 'application/x-protobuf',
    });
    await sendDepth(98);
    const shown = await open();
    await shown.goto(`${collector.url}/#/alerts`);

    const alert = shown.locator('details.alert[data-alert=QueueFilling]');
    await alert.waitFor();
    expect(await alert.getAttribute('open')).toBe('');
    await alert.locator('canvas').waitFor();
    await alert.getByText('the consumer is slow').waitFor();
    expect(await alert.innerText()).toContain('98 messages wait');
    expect(await alert.locator('dd b').count()).toBe(0);
    expect(await alert.getByText('Open in Metrics').getAttribute('href')).toContain(
      'expr=max+by+%28host%29+%28queue_depth%29+%3E+50',
    );

    const rules = shown.getByRole('region', { name: 'Rule group shop' });
    await expect
      .poll(() => rules.locator('summary').allInnerTexts(), { timeout: 30_000 })
      .toMatchObject([
        expect.stringContaining('firing'),
        expect.stringContaining('inactive'),
        expect.stringContaining('recording'),
        expect.stringContaining('failing'),
      ]);
    const notifications = shown.getByRole('region', { name: 'Notifications' });
    await notifications.getByText('delivered').first().waitFor();

    await alert.getByRole('button', { name: 'Silence …' }).click();
    const dialog = shown.getByRole('dialog', { name: 'New silence' });
    expect(
      await dialog
        .locator('.matchers li')
        .evaluateAll((rows) =>
          rows.map((row) => [...row.querySelectorAll('input')].map((input) => input.value)),
        ),
    ).toEqual([
      ['alertname', 'QueueFilling'],
      ['host', 'shop-1'],
      ['severity', 'warning'],
    ]);
    await dialog.getByLabel('By').fill('somebody');
    await dialog.getByLabel('Comment').fill('being replaced');
    await dialog.getByText('Fits 1 of').waitFor();
    await dialog.getByRole('button', { name: 'Create silence' }).click();
    await alert.getByText('firing, silenced').waitFor();
    const silences = shown.getByRole('region', { name: 'Silences' });
    expect(await silences.innerText()).toContain('by somebody · being replaced');
    await silences.getByRole('button', { name: 'Expire' }).click();
    await silences.getByText('expired').waitFor();
    await alert.getByText('firing', { exact: true }).waitFor();

    await alert.getByText('Open in Records').click();
    await shown.locator('.record').filter({ hasText: 'the consumer is slow' }).waitFor();
    expect(shown.url()).toContain('label=host%3Dshop-1');
    expect(complaints).toEqual([]);
  },
);

withBrowser(
  'what fires on an agent and what another Prometheus writes is shown with its origin',
  async () => {
    collector = await RunningCollector.start({});
    const alerts = [
      {
        labels: { alertname: 'DiskFull', severity: 'critical' },
        annotations: { summary: 'the disk is full' },
        state: 'firing',
        activeAtMs: Date.now() - 120_000,
        value: '0.97',
        query: 'disk_used_ratio > 0.9',
        ruleLabels: { severity: 'critical' },
      },
    ];
    await send('/api/v1/agents/heartbeat', heartbeat({ alerts }), { 'content-type': 'application/json' });
    const labels = { alertname: 'FromElsewhere', alertstate: 'firing', instance: 'prometheus-1' };
    const attributes = Object.entries(labels).map(([key, stringValue]) => ({ key, value: { stringValue } }));
    const point = { timeUnixNano: `${Date.now()}000000`, asDouble: 1, attributes };
    const metrics = [{ name: 'ALERTS', gauge: { dataPoints: [point] } }];
    const body = {
      resourceMetrics: [{ resource: {}, scopeMetrics: [{ scope: { name: 'taffrail' }, metrics }] }],
    };
    await send('/v1/metrics', JSON.stringify(body), { 'content-type': 'application/json' });
    const shown = await open({ viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 });
    await shown.goto(`${collector.url}/#/alerts`);
    await shown.locator('details.alert[data-alert=DiskFull]').waitFor();
    expect(await shown.locator('details.alert[data-alert=DiskFull]').innerText()).toContain(
      'for 2 min · value 0.97 · says the agent on edge-7',
    );
    expect(await shown.locator('details.alert[data-alert=FromElsewhere]').innerText()).toContain(
      'says what prometheus-1 sends',
    );
    await shown.getByText('Nobody is told').waitFor();
    await shown.getByText('Nothing is silenced.').waitFor();
    await expect.poll(() => shown.locator('nav a[data-page=alerts] .count').textContent()).toBe('2');
    expect(await shown.evaluate('document.documentElement.scrollWidth <= window.innerWidth')).toBe(true);
    expect(complaints).toEqual([]);
  },
);

withBrowser(
  'behind a token the page opens with the token as password, and no rate limit meets it',
  async () => {
    collector = await RunningCollector.start({
      tokens: [TOKEN],
      limits: { requests_per_second: 1 },
    });
    const stranger = await open();
    // The browser asked for a password, and nobody was there to give one.
    await expect(stranger.goto(`${collector.url}/`)).rejects.toThrow('ERR_INVALID_AUTH_CREDENTIALS');
    await stranger.context().close();
    const known = await open({ httpCredentials: { username: 'anybody', password: TOKEN } });
    for (let i = 0; i < 3; i++) {
      for (const name of ['fleet', 'metrics', 'records', 'alerts']) {
        await known.goto(`${collector.url}/#/${name}`);
        await known.reload();
        await known.locator(`main[data-page=${name}] h1`).waitFor();
      }
    }
    await known.getByText('All quiet').waitFor();
    await known.getByRole('button', { name: 'New silence …' }).click();
    const dialog = known.getByRole('dialog', { name: 'New silence' });
    await dialog.getByLabel('Value').fill('Any');
    await dialog.getByLabel('By').fill('anybody');
    await dialog.getByLabel('Comment').fill('with the password of the page');
    await dialog.getByRole('button', { name: 'Create silence' }).click();
    await known.getByText('with the password of the page').waitFor();
    expect(complaints.filter((one) => !/401/.test(one))).toEqual([]);
  },
);

withBrowser('a link of an alert (/graph?g0.expr=…) shows its expression', async () => {
  collector = await RunningCollector.start({});
  const view = await open();
  await view.goto(
    `${collector.url}/graph?g0.expr=${encodeURIComponent('taffrail_collector_series > 1 or vector(7)')}&g0.tab=1&g0.range_input=1h`,
  );
  await view.waitForSelector('#expr');
  expect(await view.inputValue('#expr')).toBe('taffrail_collector_series > 1 or vector(7)');
  expect(new URL(view.url()).pathname).toBe('/');
  expect(view.url()).toContain('range=1h');
  expect(complaints).toEqual([]);
});
