import { describe, expect, test } from 'vitest';
import { neededRole } from '../../../src/api/route-roles.ts';
import { HttpError } from '../../../src/platform/http-error.ts';
import type { HttpRequest } from '../../../src/platform/http-message.ts';
import { accessWith, textToken } from './tokens.ts';

function ask(headers: Record<string, string>, remoteAddress = '192.0.2.1'): HttpRequest {
  return {
    method: 'GET',
    path: '/',
    query: new URLSearchParams(),
    headers: { host: '192.0.2.9:4318', ...headers },
    remoteAddress,
    signal: new AbortController().signal,
    body: async () => Buffer.alloc(0),
    encodedBody: async () => ({ bytes: Buffer.alloc(0), encoding: 'identity', inflatedBytesMax: 0 }),
  };
}

const ALL = accessWith([
  textToken('s', 'send'),
  textToken('r', 'read'),
  textToken('al', 'alert'),
  textToken('ad', 'admin'),
]);

function status(access: typeof ALL, request: HttpRequest, method: string, path: string): number {
  try {
    access.admit(request, neededRole(method, path));
    return 200;
  } catch (error) {
    return (error as HttpError).status;
  }
}

const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });

describe('what each role may do', () => {
  // nobody, a wrong token, send, read, alert, admin
  test.each([
    ['GET', '/-/healthy', [200, 200, 200, 200, 200, 200]],
    ['GET', '/-/ready', [200, 200, 200, 200, 200, 200]],
    ['POST', '/-/reload', [401, 401, 403, 403, 403, 200]],
    ['GET', '/metrics', [401, 401, 403, 200, 403, 200]],
    ['GET', '/status', [401, 401, 403, 200, 403, 200]],
    ['GET', '/', [401, 401, 403, 200, 403, 200]],
    ['GET', '/app.js', [401, 401, 403, 200, 403, 200]],
    ['POST', '/v1/logs', [401, 401, 200, 403, 403, 200]],
    ['POST', '/v1/metrics', [401, 401, 200, 403, 403, 200]],
    ['POST', '/api/v1/write', [401, 401, 200, 403, 403, 200]],
    ['POST', '/api/v1/agents/heartbeat', [401, 401, 200, 403, 403, 200]],
    ['GET', '/api/v1/agents', [401, 401, 403, 200, 403, 200]],
    ['GET', '/api/v1/query', [401, 401, 403, 200, 403, 200]],
    ['POST', '/api/v1/query_range', [401, 401, 403, 200, 403, 200]],
    ['GET', '/api/v1/label/job/values', [401, 401, 403, 200, 403, 200]],
    ['GET', '/api/v1/records', [401, 401, 403, 200, 403, 200]],
    ['GET', '/loki/api/v1/query_range', [401, 401, 403, 200, 403, 200]],
    ['POST', '/loki/api/v1/push', [401, 401, 200, 403, 403, 200]],
    ['GET', '/federate', [401, 401, 403, 200, 403, 200]],
    ['GET', '/api/v1/silences', [401, 401, 403, 200, 200, 200]],
    ['POST', '/api/v1/silences', [401, 401, 403, 403, 200, 200]],
    ['DELETE', '/api/v1/silence/1', [401, 401, 403, 403, 200, 200]],
    ['GET', '/api/v2/alerts', [401, 401, 403, 200, 200, 200]],
    ['POST', '/api/v2/silences', [401, 401, 403, 403, 200, 200]],
    ['POST', '/api/v1/something-new', [401, 401, 403, 403, 403, 200]],
    ['DELETE', '/metrics', [401, 401, 403, 403, 403, 200]],
  ])('%s %s', (method, path, expected) => {
    const who = [{}, bearer('x'), bearer('s'), bearer('r'), bearer('al'), bearer('ad')];
    expect(who.map((headers) => status(ALL, ask(headers), method, path))).toEqual(expected);
  });

  test('where reading is open, only reading is', () => {
    const open = accessWith([textToken('s', 'send')], { protectReads: false });
    const statuses = (method: string, path: string): number[] =>
      [{}, bearer('x'), bearer('s')].map((headers) => status(open, ask(headers), method, path));
    expect(statuses('GET', '/metrics')).toEqual([200, 200, 200]);
    expect(statuses('POST', '/api/v1/silences')).toEqual([401, 401, 403]);
    expect(statuses('POST', '/v1/logs')).toEqual([401, 401, 200]);
  });

  test('a browser sends the token as a password', () => {
    const basic = { authorization: `Basic ${Buffer.from('anybody:r').toString('base64')}` };
    expect(status(ALL, ask(basic), 'GET', '/')).toBe(200);
    expect(status(ALL, ask({ authorization: 'Basic !!!' }), 'GET', '/')).toBe(401);
    expect(status(ALL, ask({ authorization: 'Bearer' }), 'GET', '/')).toBe(401);
  });
});

describe('which names are known', () => {
  const named = accessWith([], { hosts: ['Taffrail.Example'], externalUrl: 'https://logs.example:8443/x' });
  test.each([
    ['localhost', 200],
    ['localhost:4318', 200],
    ['LOCALHOST.:4318', 200],
    ['a.localhost', 200],
    ['127.0.0.1:4318', 200],
    ['[::1]:4318', 200],
    ['[fe80::1%25eth0]:4318', 200],
    ['203.0.113.7', 200],
    ['taffrail.example:4318', 200],
    ['taffrail.example.', 200],
    ['logs.example', 200],
    ['', 200],
    ['evil.example', 421],
    ['evil.example:4318', 421],
    ['localhost.evil.example', 421],
    ['127.0.0.1.evil.example', 421],
    ['evil.example@localhost', 421],
    ['taffrail.example:80:evil.example', 421],
    ['2130706433', 421],
    ['[evil.example]', 421],
  ])('%s: %i', (host, expected) => {
    expect(status(named, ask({ host }), 'GET', '/api/v1/records')).toBe(expected);
    expect(status(named, ask({ host }), 'POST', '/api/v1/silences')).toBe(expected);
    expect(status(named, ask({ host }), 'GET', '/-/healthy')).toBe(200);
    expect(status(named, ask({ host }, ''), 'GET', '/api/v1/records')).toBe(200);
  });

  test('with a valid token any name will do; the answer names the key', () => {
    const host = { host: 'evil.example' };
    expect(status(ALL, ask({ ...host, ...bearer('r') }), 'GET', '/metrics')).toBe(200);
    expect(status(ALL, ask({ ...host, ...bearer('x') }), 'GET', '/metrics')).toBe(401);
    expect(status(ALL, ask(host), 'GET', '/metrics')).toBe(421);
    // A token says nothing where none is asked for.
    expect(status(named, ask({ ...host, ...bearer('r') }), 'GET', '/metrics')).toBe(421);
    expect(() => named.admit(ask(host), ['read'])).toThrow('add it to "hosts"');
  });
});
