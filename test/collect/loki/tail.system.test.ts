import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { ago, type LokiCollector, push, startLoki } from './loki-collector.ts';

let loki: LokiCollector;
beforeAll(async () => {
  loki = await startLoki();
});
afterAll(() => loki.stop());

interface Message {
  readonly streams: readonly {
    readonly stream: Record<string, string>;
    readonly values: readonly (readonly [string, string])[];
  }[];
}

/** Collects lines until there are so many. */
function follow(query: string): {
  readonly until: (count: number) => Promise<string[]>;
  readonly socket: WebSocket;
} {
  const parameters = new URLSearchParams({ query, limit: '3' });
  const socket = new WebSocket(`${loki.url.replace('http', 'ws')}/loki/api/v1/tail?${parameters.toString()}`);
  socket.on('error', () => undefined);
  const lines: string[] = [];
  let look = (): void => undefined;
  socket.on('message', (data: Buffer) => {
    const { streams } = JSON.parse(data.toString('utf8')) as Message;
    for (const { values } of streams) for (const value of values) lines.push(value[1]);
    look();
  });
  return {
    socket,
    until: (count) =>
      new Promise((resolve) => {
        look = () => {
          if (lines.length >= count) resolve(lines);
        };
        look();
      }),
  };
}

test('a tail gives the newest lines that are there, and then what comes, each once', async () => {
  const values = [1, 2, 3, 4].map((i) => [ago(60 - i), `old ${i}`]);
  await push(loki.url, [{ stream: { job: 'tail' }, values }]);
  const tail = follow('{job="tail"} != "not"');
  expect(await tail.until(3)).toEqual(['old 2', 'old 3', 'old 4']);
  for (let i = 0; i < 5; i++) {
    const text = i % 2 === 0 ? `new ${i}` : `not ${i}`;
    await push(loki.url, [{ stream: { job: 'tail' }, values: [[ago(0), text]] }]);
  }
  expect(await tail.until(6)).toEqual(['old 2', 'old 3', 'old 4', 'new 0', 'new 2', 'new 4']);
  tail.socket.close();
});

test('a query that is none is refused before the connection becomes a WebSocket', async () => {
  const socket = new WebSocket(`${loki.url.replace('http', 'ws')}/loki/api/v1/tail?query=%7B`);
  const status = await new Promise((resolve) => {
    socket.on('unexpected-response', (_, response) => resolve(response.statusCode));
    socket.on('error', () => undefined);
  });
  expect(status).toBe(400);
  const plain = await fetch(`${loki.url}/loki/api/v1/tail?query=${encodeURIComponent('{job="x"}')}`);
  expect([plain.status, await plain.text()]).toEqual([400, expect.stringContaining('WebSocket')]);
});

test('a request that offers HTTP/2 is served as any other, with its body', async () => {
  const body = JSON.stringify({ streams: [{ stream: { job: 'h2c' }, values: [[ago(1), 'x']] }] });
  const { request } = await import('node:http');
  const status = await new Promise((resolve, reject) => {
    const outgoing = request(
      `${loki.url}/loki/api/v1/push`,
      {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          connection: 'Upgrade, HTTP2-Settings',
          upgrade: 'h2c',
          'http2-settings': 'AAMAAABkAAQAAP__',
        },
      },
      (response) => {
        response.resume();
        resolve(response.statusCode);
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
  expect(status).toBe(204);
});
