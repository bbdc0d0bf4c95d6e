import * as http from 'node:http';
import * as net from 'node:net';
import { afterEach, expect, test } from 'vitest';
import type { ConnectionGateOptions } from '../../src/platform/connection-gate.ts';
import { AddressList } from '../../src/platform/address-list.ts';
import { textResponse } from '../../src/platform/http-message.ts';
import { HttpServer, type HttpServerOptions } from '../../src/platform/http-server.ts';
import { silentLog } from '../../src/platform/log.ts';
import { HttpError } from '../../src/platform/http-error.ts';

const opened: net.Socket[] = [];
let server: HttpServer | undefined;

afterEach(async () => {
  for (const socket of opened.splice(0)) socket.destroy();
  await server?.close(0);
});

async function listen(
  limits: Partial<ConnectionGateOptions>,
  options: Partial<HttpServerOptions> = {},
): Promise<number> {
  server = await HttpServer.listen({
    address: { kind: 'tcp', host: '127.0.0.1', port: 0 },
    handler: async (request) => {
      if (request.path === '/open') return textResponse(200, 'open\n');
      if (request.headers.authorization !== 'Bearer yes') throw new HttpError(401, 'a token is needed');
      return textResponse(200, `${(await request.body()).length}\n`);
    },
    strangers: {
      exist: () => true,
      isKnown: ({ headers }) => headers.authorization === 'Bearer yes',
      limits: { graceMs: 0, ...limits },
    },
    log: silentLog,
    ...options,
  });
  return (server.address as { port: number }).port;
}

/** A connection that says `text` and then nothing; resolves once it is there. */
async function connect(port: number, text = ''): Promise<net.Socket> {
  const socket = net.connect(port, '127.0.0.1');
  opened.push(socket);
  socket.on('error', () => undefined);
  socket.resume();
  await new Promise((resolve) => socket.once('connect', resolve));
  if (text !== '') socket.write(text);
  return socket;
}

function ended(socket: net.Socket): Promise<void> {
  return new Promise((resolve) => (socket.destroyed ? resolve() : socket.once('close', () => resolve())));
}

function post(port: number, token: string, agent?: http.Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}` };
    const request = http.request(
      { port, host: '127.0.0.1', method: 'POST', path: '/', headers, agent },
      (answer) => {
        answer.resume();
        answer.once('end', () => resolve(answer.statusCode ?? 0));
      },
    );
    request.once('error', reject);
    request.end('body');
  });
}

const GET_OPEN = 'GET /open HTTP/1.1\r\nhost: localhost\r\n\r\n';

test('idle strangers beyond their number end, oldest first, and one with a token is answered', async () => {
  const port = await listen({ perAddressMax: 10, idleMs: 3_600_000 });
  const sockets: net.Socket[] = [];
  for (let i = 0; i < 50; i++) sockets.push(await connect(port, i % 2 === 0 ? GET_OPEN : ''));
  expect(await post(port, 'yes')).toBe(200);
  await Promise.all(sockets.slice(0, 40).map(ended));
  expect(sockets.slice(40).map(({ destroyed }) => destroyed)).toEqual(
    Array.from({ length: 10 }, () => false),
  );
});

test('a stranger that has been quiet for long ends, also in the middle of a request', async () => {
  const port = await listen({ idleMs: 100 });
  const sockets = [
    await connect(port),
    await connect(port, GET_OPEN),
    await connect(port, 'GET / HTTP'),
    await connect(port, 'POST /open HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\nx'),
  ];
  await Promise.all(sockets.map(ended));
});

test('beyond the number of all strangers the oldest ends at once', async () => {
  const port = await listen({ totalMax: 5, graceMs: 3_600_000, idleMs: 3_600_000 });
  const sockets: net.Socket[] = [];
  for (let i = 0; i < 8; i++) sockets.push(await connect(port, GET_OPEN));
  await Promise.all(sockets.slice(0, 3).map(ended));
});

test('connections that have shown a token stay, however many they are', async () => {
  const port = await listen({ perAddressMax: 1, idleMs: 50 });
  const agent = new http.Agent({ keepAlive: true, maxSockets: 200 });
  await Promise.all(Array.from({ length: 200 }, () => post(port, 'yes', agent)));
  const stranger = await connect(port);
  await ended(stranger);
  const kept = agent.freeSockets[Object.keys(agent.freeSockets)[0]!]!;
  expect(kept).toHaveLength(200);
  expect(kept.filter(({ destroyed }) => destroyed)).toEqual([]);
  agent.destroy();
});

test('a refused request ends its connection, after its sender has seen the answer', async () => {
  const port = await listen({});
  const socket = await connect(port);
  let seen = '';
  socket.on('data', (bytes: Buffer) => (seen += bytes.toString()));
  socket.write('POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000000\r\n\r\n');
  socket.write(Buffer.alloc(100_000));
  await ended(socket);
  expect(seen).toMatch(/^HTTP\/1\.1 401 /);
  expect(seen).toMatch(/connection: close/i);
  expect(seen).toContain('a token is needed');
});

test('a large body with a wrong token gets its answer, not a reset', async () => {
  const port = await listen({});
  const status = await new Promise<number>((resolve, reject) => {
    const request = http.request({ port, host: '127.0.0.1', method: 'POST', path: '/' }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    request.once('error', reject);
    request.end(Buffer.alloc(8_000_000));
  });
  expect(status).toBe(401);
});

test('behind a trusted proxy nobody is a stranger, and the sender is who the proxy says', async () => {
  let sender = '';
  const port = await listen(
    { perAddressMax: 1, idleMs: 50, totalMax: 1 },
    {
      trustedProxies: new AddressList(['127.0.0.0/8']),
      handler: (request) => {
        sender = request.remoteAddress;
        return textResponse(200, '');
      },
    },
  );
  const sockets: net.Socket[] = [];
  for (let i = 0; i < 5; i++) {
    sockets.push(
      await connect(
        port,
        'GET /open HTTP/1.1\r\nhost: localhost\r\nx-forwarded-for: 198.51.100.9, 203.0.113.4\r\n\r\n',
      ),
    );
  }
  await expect.poll(() => sender, { timeout: 30_000 }).toBe('203.0.113.4');
  expect(sockets.map(({ destroyed }) => destroyed)).toEqual([false, false, false, false, false]);
});

test.each([
  ['a token', 'authorization: Bearer yes\r\n', { perAddressMax: 0 }],
  ['none, where it is let in all the same', '', {}],
])('a WebSocket that was taken stays open, with %s', async (_, header, limits) => {
  const port = await listen(
    { idleMs: 50, ...limits },
    {
      handler: (request) => {
        const { socket: taken } = request.upgrade!;
        taken.on('end', () => taken.destroy()).resume();
        taken.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n');
        return { status: 101 };
      },
    },
  );
  const socket = await connect(port);
  const taken = new Promise((resolve) => socket.once('data', resolve));
  socket.write(
    `GET / HTTP/1.1\r\nhost: localhost\r\n${header}connection: upgrade\r\nupgrade: websocket\r\n\r\n`,
  );
  await taken;
  // Looked at more than once meanwhile.
  const idle = await connect(port);
  await ended(idle);
  const another = await connect(port);
  await ended(another);
  expect(socket.destroyed).toBe(false);
});
