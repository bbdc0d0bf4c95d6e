import * as http from 'node:http';
import * as net from 'node:net';
import { mkdtempSync, rmSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import zlib from 'node:zlib';
import { request } from 'undici';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventStream } from '../../src/platform/event-stream.ts';
import { jsonResponse, textResponse } from '../../src/platform/http-message.ts';
import { HttpServer, type HttpServerOptions } from '../../src/platform/http-server.ts';
import { silentLog } from '../../src/platform/log.ts';
import { Router } from '../../src/platform/router.ts';

const servers: HttpServer[] = [];
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'taffrail-http-'));
});

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close(0)));
  rmSync(directory, { recursive: true, force: true });
});

async function listen(router: Router, options: Partial<HttpServerOptions> = {}): Promise<HttpServer> {
  const server = await HttpServer.listen({
    handler: (incoming) => router.handle(incoming),
    address: { kind: 'tcp', host: '127.0.0.1', port: 0 },
    log: silentLog,
    ...options,
  });
  servers.push(server);
  return server;
}

function echo(): Router {
  return new Router().route('POST', '/echo', async (incoming) => ({
    status: 200,
    body: await incoming.body(),
  }));
}

test('answers by exact path, then by the longest prefix, and says what a path takes', async () => {
  const router = new Router()
    .route('GET', '/a', () => textResponse(200, 'exact'))
    .prefix('/a', () => textResponse(200, 'prefix'))
    .prefix('/a/long', (incoming) => textResponse(200, incoming.path))
    .route('POST', '/only-post', () => textResponse(200, ''));
  const { url } = await listen(router);
  expect(await (await request(`${url}/a`)).body.text()).toBe('exact');
  expect(await (await request(`${url}/ab`)).body.text()).toBe('prefix');
  expect(await (await request(`${url}/a/long/%C3%A9?x=1`)).body.text()).toBe('/a/long/é');
  expect((await request(`${url}/nowhere`)).statusCode).toBe(404);
  const refused = await request(`${url}/only-post`);
  expect(refused.statusCode).toBe(405);
  expect(refused.headers['allow']).toBe('POST');
  expect(await refused.body.json()).toEqual({ error: '/only-post takes POST, not GET' });
});

test('many requests at one time are no reason for a warning', async () => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning);
  process.on('warning', onWarning);
  try {
    let arrived = 0;
    let go = (): void => undefined;
    const all = new Promise<void>((resolve) => (go = resolve));
    const router = new Router().route('GET', '/a', async () => {
      if (++arrived === 30) go();
      await all;
      return textResponse(200, 'a');
    });
    const { url } = await listen(router);
    const answers = await Promise.all(Array.from({ length: 30 }, () => request(`${url}/a`)));
    expect(await Promise.all(answers.map(({ body }) => body.text()))).toHaveLength(30);
  } finally {
    process.off('warning', onWarning);
  }
  expect(warnings.map(({ name }) => name)).not.toContain('MaxListenersExceededWarning');
});

test('HEAD has the headers of GET and no body', async () => {
  const { url } = await listen(new Router().route('GET', '/a', () => textResponse(200, 'four')));
  const answer = await request(`${url}/a`, { method: 'HEAD' });
  expect(answer.headers['content-length']).toBe('4');
  expect(await answer.body.text()).toBe('');
});

test.each([
  ['gzip', zlib.gzipSync],
  ['deflate', zlib.deflateSync],
  ['br', zlib.brotliCompressSync],
])('takes a body compressed with %s', async (encoding, compress) => {
  const { url } = await listen(echo());
  const answer = await request(`${url}/echo`, {
    method: 'POST',
    headers: { 'content-encoding': encoding },
    body: compress(Buffer.from('hello')),
  });
  expect(await answer.body.text()).toBe('hello');
});

test('refuses a body over the limit, announced or not, and a compressed bomb', async () => {
  const { url } = await listen(echo(), { bodyBytesMax: 100_000, inflatedBytesMax: 200_000 });
  const announced = await request(`${url}/echo`, { method: 'POST', body: Buffer.alloc(100_001) });
  expect(announced.statusCode).toBe(413);
  expect(await announced.body.json()).toEqual({ error: 'the body is larger than the limit of 100000 bytes' });
  const chunked = await request(`${url}/echo`, { method: 'POST', body: Readable.from(pieces(40, 10_000)) });
  expect(chunked.statusCode).toBe(413);
  const bomb = await request(`${url}/echo`, {
    method: 'POST',
    headers: { 'content-encoding': 'gzip' },
    body: zlib.gzipSync(Buffer.alloc(50_000_000)),
  });
  expect(bomb.statusCode).toBe(413);
  expect(await bomb.body.json()).toEqual({
    error: 'the decompressed body is larger than the limit of 200000 bytes',
  });
});

async function* pieces(count: number, bytes: number): AsyncGenerator<Buffer> {
  for (let i = 0; i < count; i++) yield Buffer.alloc(bytes);
}

test('refuses damaged and unknown compression with a reason', async () => {
  const { url } = await listen(echo());
  const damaged = await request(`${url}/echo`, {
    method: 'POST',
    headers: { 'content-encoding': 'gzip' },
    body: 'not gzip',
  });
  expect(damaged.statusCode).toBe(400);
  expect(await damaged.body.text()).toContain('the body is not valid gzip');
  const unknown = await request(`${url}/echo`, {
    method: 'POST',
    headers: { 'content-encoding': 'rot13' },
    body: 'x',
  });
  expect(unknown.statusCode).toBe(415);
});

test('holds no more bytes of bodies than its budget, and frees them afterwards', async () => {
  const { url } = await listen(echo(), { heldBytesMax: 50_000 });
  const over = await request(`${url}/echo`, { method: 'POST', body: Buffer.alloc(60_000) });
  expect(over.statusCode).toBe(503);
  expect(over.headers['retry-after']).toBe('1');
  await over.body.dump();
  for (let i = 0; i < 5; i++) {
    const fits = await request(`${url}/echo`, { method: 'POST', body: Buffer.alloc(40_000) });
    expect(fits.statusCode).toBe(200);
    await fits.body.dump();
  }
});

test('cuts off a sender that dawdles over its headers', async () => {
  const server = await listen(echo(), { headersTimeoutMs: 100, requestTimeoutMs: 200 });
  if (server.address.kind !== 'tcp') throw new Error('expected tcp');
  const socket = net.connect(server.address.port, '127.0.0.1');
  socket.write('POST /echo HTTP/1.1\r\nHost: x\r\n');
  const received: Buffer[] = [];
  for await (const part of socket) received.push(part as Buffer);
  expect(Buffer.concat(received).toString()).toContain('408 Request Timeout');
});

test('compresses large text for clients that take gzip', async () => {
  const { url } = await listen(
    new Router().route('GET', '/', () => jsonResponse(200, { text: 'x'.repeat(5000) })),
  );
  const answer = await request(url, { headers: { 'accept-encoding': 'gzip' } });
  expect(answer.headers['content-encoding']).toBe('gzip');
  expect(zlib.gunzipSync(Buffer.from(await answer.body.arrayBuffer())).length).toBe(5011);
});

test('a handler that throws costs one 500 without its message', async () => {
  const { url } = await listen(
    new Router().route('GET', '/', () => {
      throw new Error('secret');
    }),
  );
  const answer = await request(url);
  expect(answer.statusCode).toBe(500);
  expect(await answer.body.text()).not.toContain('secret');
});

test('the message for a port that is taken names the address and what to do', async () => {
  const first = await listen(echo());
  await expect(listen(echo(), { address: first.address })).rejects.toThrow(
    /^cannot listen on 127\.0\.0\.1:\d+: the address is in use by another process\. Stop that process, or set `listen` to another port$/,
  );
});

test('listens on a unix socket, takes over an abandoned one, and refuses one in use', async () => {
  const path = join(directory, 'a.sock');
  const first = await listen(
    new Router().route('GET', '/', () => textResponse(200, 'here')),
    { address: { kind: 'unix', path } },
  );
  expect(await getOverSocket(path)).toBe('here');
  await expect(listen(echo(), { address: first.address })).rejects.toThrow(/in use/);
  await first.close(0);
  expect(existsSync(path)).toBe(false);
});

function getOverSocket(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    http
      .get({ socketPath: path, path: '/' }, (answer) => {
        answer.setEncoding('utf8');
        let text = '';
        answer.on('data', (part: string) => (text += part));
        answer.on('end', () => resolve(text));
      })
      .on('error', reject);
  });
}

test('closing ends streams, waits for requests under way, and refuses new ones', async () => {
  let finish: (() => void) | undefined;
  let reached: (() => void) | undefined;
  const underWay = new Promise<void>((resolve) => (reached = resolve));
  const router = new Router()
    .route('GET', '/slow', async () => {
      reached?.();
      await new Promise<void>((resolve) => (finish = resolve));
      return textResponse(200, 'done');
    })
    .route('GET', '/events', (incoming) => eventStream(incoming, forever()));
  const server = await listen(router);
  const events = await request(`${server.url}/events`);
  const slow = request(`${server.url}/slow`);
  await underWay;
  const closed = server.close(5000);
  expect(await events.body.text()).toContain('event: first\ndata: {"n":1}');
  finish?.();
  expect(await (await slow).body.text()).toBe('done');
  await closed;
  await expect(request(server.url)).rejects.toThrow();
});

async function* forever(): AsyncGenerator<{ event: string; data: unknown }> {
  yield { event: 'first', data: { n: 1 } };
  await new Promise(() => undefined);
}
