import { describe, expect, it } from 'vitest';
import { withCors } from '../../src/api/cors.ts';
import { refuseForeignPages } from '../../src/platform/foreign-pages.ts';
import { HttpError } from '../../src/platform/http-error.ts';
import type { HttpRequest } from '../../src/platform/http-message.ts';
import { textResponse } from '../../src/platform/http-message.ts';

const ORIGIN = 'https://grafana.example';

function request(method: string, headers: Record<string, string>): HttpRequest {
  return {
    method,
    path: '/api/v1/query',
    query: new URLSearchParams(),
    headers,
    remoteAddress: '127.0.0.1',
    signal: new AbortController().signal,
    body: () => Promise.resolve(Buffer.alloc(0)),
    encodedBody: () => Promise.reject(new Error('not asked for')),
  };
}

const handler = withCors(
  (asked) => {
    refuseForeignPages(asked);
    if (asked.method === 'DELETE') throw new HttpError(401, 'no', { 'www-authenticate': 'Bearer' });
    return textResponse(200, 'ok');
  },
  [ORIGIN],
);

describe('pages of other origins', () => {
  it('may ask and send where their origin is listed', async () => {
    const asked = await handler(
      request('OPTIONS', { origin: ORIGIN, 'access-control-request-method': 'POST' }),
    );
    expect(asked).toMatchObject({
      status: 204,
      headers: { 'access-control-allow-origin': ORIGIN, vary: 'origin' },
    });
    expect(asked.headers!['access-control-allow-methods']).toContain('POST');
    expect(asked.headers!['access-control-allow-headers']).toContain('Authorization');
    const sent = request('POST', {
      origin: ORIGIN,
      host: 'collector.example',
      'sec-fetch-site': 'cross-site',
    });
    expect(await handler(sent)).toMatchObject({
      status: 200,
      headers: { 'access-control-allow-origin': ORIGIN, 'content-type': 'text/plain; charset=utf-8' },
    });
  });

  it('may read why they are refused', async () => {
    await expect(handler(request('DELETE', { origin: ORIGIN }))).rejects.toMatchObject({
      status: 401,
      headers: { 'access-control-allow-origin': ORIGIN, 'www-authenticate': 'Bearer' },
    });
  });

  it('get no word of it where it is not', async () => {
    const origin = 'https://grafana.example.evil';
    const asked = await handler(request('OPTIONS', { origin }));
    expect(asked.status).toBe(204);
    expect(Object.keys(asked.headers!)).toEqual(['allow']);
    const read = await handler(request('GET', { host: 'collector.example' }));
    expect(read.headers!['access-control-allow-origin']).toBeUndefined();
    await expect(handler(request('POST', { origin, host: 'collector.example' }))).rejects.toMatchObject({
      status: 403,
    });
  });

  it('* is everybody', async () => {
    const open = withCors(() => textResponse(200, 'ok'), ['*']);
    const { headers } = await open(request('GET', { origin: 'null' }));
    expect(headers!['access-control-allow-origin']).toBe('null');
  });
});
