import { appendFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { decodeMetricsRequest } from '../../src/wire/otlp-metrics-decode.ts';
import { Taffrail, until, untilEqual } from './run-taffrail.ts';

let t: Taffrail;
beforeEach(() => {
  t = new Taffrail();
});
afterEach(() => t.dispose());

/** Takes its time for each request; keeps the last value of each series that it acknowledged. */
async function slowReceiver() {
  const values = new Map<string, number>();
  let requests = 0;
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    requests++;
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      void pause(400).then(() => {
        if (response.destroyed) return;
        for (const group of decodeMetricsRequest(Buffer.concat(pieces)).groups)
          for (const { name, value } of group.samples) values.set(name, value);
        response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
      });
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  t.onDispose(() => server.close());
  const { port } = server.address() as AddressInfo;
  return { endpoint: `http://127.0.0.1:${port}`, values, requests: () => requests };
}

test('an orderly stop delivers the last samples to a slow receiver, though another sink fails', async () => {
  const receiver = await slowReceiver();
  t.write('app.log', 'one\n');
  const slow = { type: 'otlp', name: 'slow', endpoint: receiver.endpoint, compression: 'none', logs: false };
  const agent = await t.agent({
    sources: [{ name: 'app', paths: ['./app.log'], parser: 'raw' }],
    metrics: { sample_interval: '1s' },
    sinks: [slow, { type: 'otlp', name: 'nobody', endpoint: 'http://127.0.0.1:1' }],
  });
  await untilEqual(() => agent.metric('log_lines_total', { source: 'app' }), 1, 'the first line');
  const before = receiver.requests();
  await until(() => receiver.requests() > before, 'a request that is under way');
  appendFileSync(t.path('app.log'), 'two\n');
  await untilEqual(() => agent.metric('log_lines_total', { source: 'app' }), 2, 'the second line');
  expect(await agent.kill('SIGTERM')).toBe(0);
  expect(receiver.values.get('log_lines_total')).toBe(2);
});
