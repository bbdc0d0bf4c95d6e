import type * as http from 'node:http';
import { STATUS_CODES } from 'node:http';
import type * as net from 'node:net';
import type { Duplex } from 'node:stream';
import type { HttpResponse } from './http-message.ts';

/** A request that asks for another protocol on its connection; whoever takes it answers with status 101 and has the socket. */
export interface Upgrade {
  readonly message: http.IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

/**
 * Lets requests for WebSockets reach the handler, and answers those that it does not take. A request for anything else
 * (curl and Java offer `h2c` with every request) is served as if it had not asked.
 */
export function serveUpgrades(
  server: http.Server,
  answer: (upgrade: Upgrade) => Promise<HttpResponse>,
): void {
  const [connect] = server.listeners('connection') as ((socket: net.Socket) => void)[];
  server.on('upgrade', (message: http.IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    if (!/^websocket$/i.test(message.headers.upgrade ?? '')) {
      socket.unshift(Buffer.concat([headOf(message), head]));
      connect!.call(server, socket as net.Socket);
      return;
    }
    void answer({ message, socket, head }).then((response) => {
      if (response.status !== 101) refuse(socket, response);
    });
  });
}

/** The head of a request as it came, without what asks for another protocol. */
function headOf({ method, url, httpVersion, rawHeaders }: http.IncomingMessage): Buffer {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (!/^(?:upgrade|connection|http2-settings)$/i.test(rawHeaders[i]!))
      lines.push(`${rawHeaders[i]}: ${rawHeaders[i + 1]}`);
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

function refuse(socket: Duplex, { status, headers = {}, body = '' }: HttpResponse): void {
  const text = typeof body === 'string' || body instanceof Uint8Array ? Buffer.from(body) : Buffer.alloc(0);
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'connection: close',
    `content-length: ${text.length}`,
  ];
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  socket.end(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), text]));
}
