import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { HttpClient } from '../../src/platform/http-client.ts';
import { HttpFailure, parseRetryAfter, statusFailure } from '../../src/platform/http-failure.ts';
import { Secret } from '../../src/platform/secret.ts';

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function serve(listener: RequestListener): Promise<string> {
  const server: Server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function client(options: ConstructorParameters<typeof HttpClient>[0] = {}): HttpClient {
  const made = new HttpClient(options);
  closers.push(async () => made.close());
  return made;
}

test('a post carries standing headers, a bearer token and the body', async () => {
  const seen: unknown[] = [];
  const url = await serve((request, response) => {
    request.setEncoding('utf8').on('data', (body) => {
      seen.push(request.headers['authorization'], request.headers['x-scope'], body);
      response.writeHead(202, { 'x-a': '1' }).end('ok');
    });
  });
  const http = client({ bearer: new Secret('tok'), headers: { 'X-Scope': 'a' } });
  const response = await http.post(url, { body: Buffer.from('hello') });
  expect(response).toMatchObject({ status: 202, body: 'ok', headers: { 'x-a': '1' } });
  expect(seen).toEqual(['Bearer tok', 'a', 'hello']);
  expect(statusFailure(response, 0)).toBeUndefined();
});

test('a long answer is cut at the limit', async () => {
  const url = await serve((_request, response) => response.end('x'.repeat(100_000)));
  const response = await client({ maxResponseBytes: 1000 }).post(url, { body: Buffer.alloc(0) });
  expect(response.body).toHaveLength(1000);
});

test('a server that does not answer is given up after the time limit, and the failure may be retried', async () => {
  const url = await serve(() => {});
  const failure = await client()
    .post(`${url}/secret-path`, { body: Buffer.alloc(0), timeoutMs: 50 })
    .catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(HttpFailure);
  expect(failure).toMatchObject({ retryable: true, code: 'TIMEOUT' });
  expect((failure as Error).message).toMatch(/^no complete answer from 127\.0\.0\.1:\d+ within 50 ms$/);
});

test('a caller can cancel', async () => {
  const url = await serve(() => {});
  const controller = new AbortController();
  const pending = client().post(url, { body: Buffer.alloc(0), signal: controller.signal });
  controller.abort();
  await expect(pending).rejects.toMatchObject({ code: 'ABORTED', retryable: true });
});

test('a refused connection is named by host and port', async () => {
  const failing = client().post('http://127.0.0.1:1/hidden', { body: Buffer.alloc(0) });
  await expect(failing).rejects.toMatchObject({
    message: 'connection refused at 127.0.0.1:1',
    retryable: true,
  });
});

test('what is no URL is not worth another try', async () => {
  await expect(client().post('ftp://x', { body: Buffer.alloc(0) })).rejects.toMatchObject({
    retryable: false,
  });
});

test('statuses are sorted into final ones and those worth another try', () => {
  const failure = (status: number, headers = {}) => statusFailure({ status, headers, body: 'no\nway' }, 0);
  expect(failure(400)).toMatchObject({ retryable: false, message: 'the server answered 400: no way' });
  expect(failure(302)?.retryable).toBe(false);
  expect(failure(429, { 'retry-after': '7' })).toMatchObject({ retryable: true, retryAfterMs: 7000 });
  expect(failure(503)?.retryable).toBe(true);
});

test('Retry-After is read as seconds and as a date', () => {
  expect(parseRetryAfter('Thu, 01 Jan 1970 00:00:10 GMT', 4000)).toBe(6000);
  expect(parseRetryAfter('soon', 0)).toBeUndefined();
  expect(parseRetryAfter(undefined, 0)).toBeUndefined();
});
