import { afterEach, expect, test } from 'vitest';
import { createLanes } from '../../../src/hooks/receivers/create-lanes.ts';
import type { Sender } from '../../../src/hooks/receivers/sender.ts';
import { webhookPayload } from '../../../src/hooks/webhook-payload.ts';
import { config } from '../harness.ts';
import { START_MS, TWO, context, jsonServer, notification, notified } from './receiver-harness.ts';

const never = new AbortController().signal;
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function server(answer?: () => { status: number; body?: string }) {
  const made = await jsonServer(answer);
  closers.push(async () => made.close());
  return made;
}

function sender(receiver: object): Sender {
  const [lane] = createLanes(config({ receivers: [{ name: 'pager', ...receiver }] }), context);
  closers.push(async () => lane!.sender.close());
  return lane!.sender;
}

test('a webhook gets the payload with credentials and a key that repeats carry too', async () => {
  const { url, received } = await server();
  const webhook = sender({
    webhook_configs: [
      {
        url: `${url}/hook`,
        http_config: { basic_auth: { username: 'u', password: 'pass' }, headers: { 'X-Team': 'db' } },
      },
    ],
  });
  expect(await webhook.send(TWO, never)).toBe('200');
  expect(received[0]).toMatchObject({
    url: '/hook',
    headers: {
      authorization: 'Basic dTpwYXNz',
      'x-team': 'db',
      'content-type': 'application/json',
      'idempotency-key': TWO.id,
    },
    body: webhookPayload(TWO, 'http://taffrail.example', 0),
  });
});

test('a webhook that refuses says whether to try again', async () => {
  const { url } = await server(() => ({ status: 422, body: 'no such thing' }));
  const webhook = sender({ webhook_configs: [{ url }] });
  await expect(webhook.send(TWO, never)).rejects.toMatchObject({
    retryable: false,
    message: 'the server answered 422: no such thing',
  });
});

test('all Alertmanagers are told in batches, and one that accepts is enough', async () => {
  const good = await server();
  const bad = await server(() => ({ status: 500 }));
  const alertmanager = sender({ alertmanager_configs: [{ urls: [bad.url, `${good.url}/prefix/`] }] });
  const many = notification(
    ...Array.from({ length: 300 }, (_, n) => notified({ alertname: 'x', n: String(n) })),
  );
  expect(await alertmanager.send(many, never)).toBe('accepted by 1 of 2; the server answered 500');
  expect(good.received.map(({ url, body }) => [url, (body as unknown[]).length])).toEqual([
    ['/prefix/api/v2/alerts', 256],
    ['/prefix/api/v2/alerts', 44],
  ]);
  expect((good.received[0]!.body as unknown[])[0]).toEqual({
    labels: { alertname: 'x', n: '0' },
    annotations: { summary: 'too <slow>' },
    startsAt: '2030-01-31T15:00:00Z',
    endsAt: '2030-01-31T15:04:00Z',
    generatorURL: 'http://taffrail.example/graph',
  });
});

test('when no Alertmanager accepts, that fails', async () => {
  const bad = await server(() => ({ status: 503 }));
  const alertmanager = sender({ alertmanager_configs: [{ urls: [bad.url, 'http://127.0.0.1:1'] }] });
  await expect(alertmanager.send(TWO, never)).rejects.toMatchObject({
    retryable: true,
    message: 'no Alertmanager accepted: the server answered 503; connection refused at 127.0.0.1:1',
  });
});

test('a chat gets title, text and colour; our own texts are escaped, templates are expanded', async () => {
  const { url, received } = await server();
  const slack = sender({
    slack_configs: [
      { api_url: `${url}/services/T/B/X`, channel: '#{{ .Receiver }}', title: '{{ .Status }}!' },
    ],
  });
  await slack.send(TWO, never);
  expect(received[0]?.body).toMatchObject({
    channel: '#pager',
    username: 'Taffrail',
    attachments: [
      {
        title: 'firing!',
        title_link: 'http://taffrail.example',
        color: 'danger',
        text: expect.stringContaining('summary: too &lt;slow&gt;') as string,
      },
    ],
  });
});

test('without templates the title tells status, count, group and what is common', async () => {
  const { url, received } = await server();
  await sender({ slack_configs: [{ api_url: url }] }).send(TWO, never);
  expect(received[0]?.body).toMatchObject({ attachments: [{ title: '[FIRING:1] Slow (shop)' }] });
});

test('a template that fails costs no notification', async () => {
  const { url, received } = await server();
  const checked = config({
    receivers: [{ name: 'p', slack_configs: [{ api_url: url, title: '{{ broken' }] }],
  });
  const renderTemplate = (): string => {
    throw new Error('unclosed action');
  };
  const [lane] = createLanes(checked, { ...context, renderTemplate });
  closers.push(async () => lane!.sender.close());
  await lane!.sender.send(TWO, never);
  expect(received[0]?.body).toMatchObject({
    attachments: [{ title: '[FIRING:1] Slow (shop) <error expanding template: unclosed action>' }],
  });
});

test('PagerDuty gets a trigger, then a resolve with the same key', async () => {
  const { url, received } = await server(() => ({ status: 202 }));
  const pagerduty = sender({
    pagerduty_configs: [
      { url, routing_key: 'route-me', component: 'db', details: { who: '{{ .Receiver }}' } },
    ],
  });
  await pagerduty.send(TWO, never);
  await pagerduty.send(
    notification(notified({ alertname: 'Slow' }, { status: 'resolved', endsAtMs: START_MS })),
    never,
  );
  const [trigger, resolve] = received.map(({ body }) => body as Record<string, unknown>);
  expect(trigger).toMatchObject({
    routing_key: 'route-me',
    event_action: 'trigger',
    client: 'Taffrail',
    payload: {
      summary: '[FIRING:1] Slow (shop)',
      source: 'Taffrail',
      severity: 'error',
      component: 'db',
      custom_details: { num_firing: '1', num_resolved: '1', who: 'pager' },
    },
  });
  expect(resolve).toEqual({
    routing_key: 'route-me',
    event_action: 'resolve',
    dedup_key: trigger?.['dedup_key'],
  });
});
