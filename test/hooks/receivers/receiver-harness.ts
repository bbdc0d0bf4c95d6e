import { createServer } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fingerprintOf } from '../../../src/hooks/alert-identity.ts';
import type { Notification, NotifiedAlert } from '../../../src/hooks/notification.ts';
import type { SenderContext } from '../../../src/hooks/receivers/sender.ts';
import type { Labels } from '../../../src/model/series.ts';
import { systemClock } from '../../../src/platform/clock.ts';

export const START_MS = Date.UTC(2030, 0, 31, 15);

export const context: SenderContext = {
  clock: systemClock,
  externalUrl: 'http://taffrail.example',
  renderTemplate: (text, data) =>
    text.replace(/\{\{ \.(\w+) \}\}/g, (_, name: string) => String((data as Record<string, unknown>)[name])),
};

export function notified(labels: Labels, more: Partial<NotifiedAlert> = {}): NotifiedAlert {
  return {
    labels,
    annotations: { summary: 'too <slow>' },
    startsAtMs: START_MS,
    endsAtMs: START_MS + 240_000,
    status: 'firing',
    generatorUrl: 'http://taffrail.example/graph',
    value: '1.5',
    fingerprint: fingerprintOf(labels),
    ...more,
  };
}

export function notification(...alerts: NotifiedAlert[]): Notification {
  return {
    id: '11111111-2222-3333-4444-555555555555',
    lane: 'pager/webhook[0]',
    receiver: 'pager',
    groupKey: '{}:{alertname="Slow"}',
    groupLabels: { alertname: 'Slow' },
    alerts,
    createdAtMs: START_MS,
  };
}

export const TWO = notification(
  notified({ alertname: 'Slow', service: 'shop', instance: 'a' }),
  notified(
    { service: 'shop', instance: 'b', alertname: 'Slow' },
    { status: 'resolved', endsAtMs: START_MS + 61_500 },
  ),
);

interface Received {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
  /** Of the monotonic clock. */
  readonly atMs: number;
}

/** A receiver of JSON that notes all it gets and answers as it is told. */
export async function jsonServer(answer: () => { status: number; body?: string } = () => ({ status: 200 })) {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      received.push({
        url: request.url ?? '',
        headers: request.headers,
        body: JSON.parse(Buffer.concat(parts).toString()),
        atMs: performance.now(),
      });
      const { status, body } = answer();
      response.writeHead(status).end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    received,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
