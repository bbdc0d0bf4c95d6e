import { expect, test } from 'vitest';
import { guarded } from '../../src/api/route-roles.ts';
import type { HttpRequest } from '../../src/platform/http-message.ts';
import { accessWith } from '../platform/access/tokens.ts';

function upgrade(headers: Readonly<Record<string, string>>): HttpRequest {
  return {
    method: 'GET',
    path: '/loki/api/v1/tail',
    headers: { host: '127.0.0.1:4318', ...headers },
    remoteAddress: '127.0.0.1',
    upgrade: {},
  } as unknown as HttpRequest;
}

test('a page of another site cannot open a WebSocket, though browsers let it try', async () => {
  const handler = guarded(() => ({ status: 101 }), accessWith([]));
  expect(await handler(upgrade({}))).toEqual({ status: 101 });
  expect(await handler(upgrade({ origin: 'http://127.0.0.1:4318' }))).toEqual({ status: 101 });
  for (const origin of ['https://evil.example', 'http://localhost:4318', 'null'])
    expect(() => handler(upgrade({ origin }))).toThrow('are not taken');
});
