import { setMaxListeners } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import * as net from 'node:net';
import type * as tls from 'node:tls';
import { StartRefused } from '../model/start-refused.ts';
import type { AddressList } from './address-list.ts';
import { ConnectionGate, type ConnectionGateOptions } from './connection-gate.ts';
import { BodyBudget, readBody, readEncodedBody } from './http-body.ts';
import { HttpError } from './http-error.ts';
import { toRequest } from './http-incoming.ts';
import type { HttpHandler, HttpRequest, HttpResponse } from './http-message.ts';
import { serveUpgrades, type Upgrade } from './http-upgrade.ts';
import { sendResponse } from './http-response.ts';
import { formatListenAddress, type ListenAddress } from './listen-address.ts';
import type { Log } from './log.ts';

export interface HttpServerOptions {
  readonly handler: HttpHandler;
  readonly address: ListenAddress;
  readonly log: Log;
  /** PEM; with `clientCa` a client certificate is demanded. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly clientCa?: string };
  /** Bytes of one body as it travels; default 16 MiB. */
  readonly bodyBytesMax?: number;
  /** Bytes of one body after decompression; default 64 MiB. */
  readonly inflatedBytesMax?: number;
  /** Bytes of all bodies held at one time; default 256 MiB. */
  readonly heldBytesMax?: number;
  /** Default 20,000, or what the limit of open files leaves. */
  readonly connectionsMax?: number;
  /** Without it, all connections are alike. */
  readonly strangers?: StrangerOptions;
  /** Whose `X-Forwarded-For` is believed, and whose connections are never those of strangers. */
  readonly trustedProxies?: AddressList;
  /** A sender must have sent its headers by then, and the whole request by `requestTimeoutMs`. */
  readonly headersTimeoutMs?: number;
  readonly requestTimeoutMs?: number;
}

/** How connections are told apart that have not shown a token yet. */
export interface StrangerOptions {
  /** Whether there are strangers at all: not where everybody may do everything. */
  readonly exist: () => boolean;
  /** Whether a request shows a valid token. */
  readonly isKnown: (request: Pick<HttpRequest, 'headers'>) => boolean;
  readonly limits?: Partial<ConnectionGateOptions>;
}

const MIB = 1024 * 1024;

const CONNECTIONS_MAX = 20_000;
/** Counted from the connection on: what a busy process has not read yet must not look late. Strangers have less. */
const HEADERS_TIMEOUT_MS = 30_000;
/** Files that a process needs beside its connections. */
const OTHER_FILES = 512;
/** A fleet that comes back at once must find room until its connections are taken, not be told to try again in a second. */
const BACKLOG = 4096;
/** How long the rest of a refused request is still read, so that its sender sees the answer. */
const LINGER_MS = 1500;

/**
 * HTTP/1.1 over TCP, TLS or a unix socket, with every size and time bounded: a sender that is slow, huge or hostile
 * gets an answer or is cut off, and costs no more than its share. A handler that throws costs one 500.
 */
export class HttpServer {
  readonly address: ListenAddress;
  readonly #server: http.Server;
  readonly #closing = new AbortController();

  private constructor(server: http.Server, address: ListenAddress, closing: AbortController) {
    this.#server = server;
    this.address = address;
    this.#closing = closing;
  }

  /** Rejects with a sentence for the user where the address cannot be had. */
  static async listen(options: HttpServerOptions): Promise<HttpServer> {
    const closing = new AbortController();
    // Each request under way listens to it; to have many of them is no leak.
    setMaxListeners(0, closing.signal);
    const budget = new BodyBudget(options.heldBytesMax ?? 256 * MIB);
    const connectionsMax = options.connectionsMax ?? Math.min(CONNECTIONS_MAX, openFilesMax() - OTHER_FILES);
    const gate =
      options.strangers === undefined
        ? undefined
        : new ConnectionGate({ connectionsMax, ...options.strangers.limits });
    const server = createServer(options, (message, response) => {
      void serve({ options, budget, gate, closing: closing.signal }, message, response);
    });
    // One more, which makes room for itself where there are strangers.
    serveUpgrades(server, (upgrade) => answerUpgrade({ options, gate, closing: closing.signal }, upgrade));
    server.maxConnections = gate === undefined ? connectionsMax : connectionsMax + 1;
    server.on('clientError', answerClientError);
    if (gate !== undefined) watchStrangers(server, options, gate);
    await bind(server, options.address);
    server.on('error', (error) => options.log.warn({ err: error }, 'http server'));
    server.once('close', () => gate?.close());
    return new HttpServer(server, boundAddress(server, options.address), closing);
  }

  /** `http://127.0.0.1:4318`; empty for a unix socket. */
  get url(): string {
    if (this.address.kind === 'unix') return '';
    const host =
      this.address.host === '::' || this.address.host === '0.0.0.0' ? 'localhost' : this.address.host;
    const scheme = this.#server instanceof https.Server ? 'https' : 'http';
    return `${scheme}://${formatListenAddress({ ...this.address, host })}`;
  }

  /** Takes no new requests, lets those under way finish until the deadline, then cuts them. */
  async close(deadlineMs: number): Promise<void> {
    this.#closing.abort();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    const timer = setTimeout(() => this.#server.closeAllConnections(), deadlineMs);
    await closed;
    clearTimeout(timer);
  }
}

function createServer(options: HttpServerOptions, listener: http.RequestListener): http.Server {
  const limits: http.ServerOptions = {
    headersTimeout: options.headersTimeoutMs ?? HEADERS_TIMEOUT_MS,
    requestTimeout: options.requestTimeoutMs ?? 60_000,
    connectionsCheckingInterval: Math.min(1000, options.headersTimeoutMs ?? HEADERS_TIMEOUT_MS),
    keepAliveTimeout: 65_000,
    maxHeaderSize: 16 * 1024,
  };
  if (options.tls === undefined) return http.createServer(limits, listener);
  const { cert, key, clientCa } = options.tls;
  const identity =
    clientCa === undefined
      ? { cert, key }
      : { cert, key, ca: clientCa, requestCert: true, rejectUnauthorized: true };
  const handshake = { minVersion: 'TLSv1.2', handshakeTimeout: limits.headersTimeout! } as const;
  return https.createServer({ ...limits, ...identity, ...handshake }, listener);
}

/** How many files this process may have open; Node raises the limit as far as it may. */
function openFilesMax(): number {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8');
    const found = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1]);
    return found > 2 * OTHER_FILES ? found : 2 * OTHER_FILES;
  } catch {
    // Not Linux: what the server would take by itself.
    return CONNECTIONS_MAX;
  }
}

/** A connection is a stranger's from its first byte, and for TLS until a request comes or a certificate is shown. */
function watchStrangers(server: http.Server, options: HttpServerOptions, gate: ConnectionGate): void {
  const { trustedProxies, strangers, tls } = options;
  server.on('connection', (socket: net.Socket) => {
    const address = socket.remoteAddress ?? '';
    const isTrusted = options.address.kind === 'unix' || trustedProxies?.has(address) === true;
    gate.opened(socket, !isTrusted && strangers?.exist() === true);
  });
  if (tls?.clientCa === undefined) return;
  server.on('secureConnection', (socket: tls.TLSSocket) => gate.known(rawSocket(socket)));
}

/** Of a TLS connection, the one below it, which is what connected. */
function rawSocket(socket: net.Socket): net.Socket {
  return (socket as net.Socket & { readonly _parent?: net.Socket })._parent ?? socket;
}

/** What a server's requests have in common. */
interface Serving {
  readonly options: HttpServerOptions;
  readonly budget: BodyBudget;
  readonly gate: ConnectionGate | undefined;
  readonly closing: AbortSignal;
}

async function serve(
  { options, budget, gate, closing }: Serving,
  message: http.IncomingMessage,
  response: http.ServerResponse,
): Promise<void> {
  let held = 0;
  const gone = new AbortController();
  const onClosing = (): void => gone.abort();
  closing.addEventListener('abort', onClosing, { once: true });
  const { socket } = message;
  response.once('close', () => {
    gone.abort();
    if (closing.aborted) socket.end();
    closing.removeEventListener('abort', onClosing);
  });
  // An aborted upload is reported by the body reader; without a listener it would end the process.
  message.on('error', () => undefined);
  try {
    const limits = {
      bodyBytesMax: options.bodyBytesMax ?? 16 * MIB,
      inflatedBytesMax: options.inflatedBytesMax ?? 64 * MIB,
    };
    const hold = (bytes: number): void => void (held += bytes);
    const request = toRequest(message, options.trustedProxies, gone.signal, {
      body: () => readBody(message, limits, budget, hold),
      encodedBody: () => readEncodedBody(message, limits, budget, hold),
    });
    const connection = rawSocket(socket);
    if (gate?.isStranger(connection) === true) {
      if (options.strangers?.isKnown(message) === true) gate.known(connection);
      else gate.begins(connection, message);
    }
    const answer = await answerOf(options, request);
    const isStrange = gate?.isStranger(connection) === true;
    // Who is refused, and a stranger who still sends what nobody will read, must begin anew.
    const endsHere =
      REFUSALS.has(answer.status) || (isStrange && (answer.status >= 400 || !message.complete));
    if (closing.aborted || endsHere) response.setHeader('connection', 'close');
    await sendResponse(message, response, answer, gone.signal, endsHere ? LINGER_MS : 0);
    gate?.ended(connection);
  } catch (error) {
    options.log.warn({ err: error, path: message.url?.slice(0, 200) }, 'a response could not be sent');
    response.destroy();
  } finally {
    budget.release(held);
  }
}

/** What becomes of a request for a WebSocket; its connection lives as long as it does. */
async function answerUpgrade(
  { options, gate, closing }: Omit<Serving, 'budget'>,
  upgrade: Upgrade,
): Promise<HttpResponse> {
  const gone = new AbortController();
  const onClosing = (): void => gone.abort();
  closing.addEventListener('abort', onClosing, { once: true });
  upgrade.socket.once('close', () => {
    gone.abort();
    closing.removeEventListener('abort', onClosing);
  });
  const connection = rawSocket(upgrade.socket as net.Socket);
  if (options.strangers?.isKnown(upgrade.message) === true) gate?.known(connection);
  else gate?.begins(connection, upgrade.message);
  const none = (): Promise<never> => Promise.reject(new HttpError(400, 'such a request has no body'));
  const request = toRequest(upgrade.message, options.trustedProxies, gone.signal, {
    body: none,
    encodedBody: none,
  });
  return answerOf(options, request instanceof HttpError ? request : { ...request, upgrade });
}

/** Not allowed, not known here, or not for us. */
const REFUSALS = new Set([401, 403, 421]);

async function answerOf(options: HttpServerOptions, request: HttpRequest | HttpError): Promise<HttpResponse> {
  try {
    if (request instanceof HttpError) throw request;
    return await options.handler(request);
  } catch (error) {
    if (error instanceof HttpError) return errorResponse(error);
    options.log.error({ err: error }, 'a request handler failed');
    return errorResponse(new HttpError(500, 'internal error; the log of the server has the cause'));
  }
}

function errorResponse(error: HttpError): HttpResponse {
  return {
    status: error.status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...error.headers },
    body: `${JSON.stringify({ error: error.message })}\n`,
  };
}

/** What does not parse as HTTP, or comes too slowly, still gets a status line where the socket takes one. */
function answerClientError(error: NodeJS.ErrnoException, socket: import('node:stream').Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status =
    error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? '408 Request Timeout'
      : error.code === 'HPE_HEADER_OVERFLOW'
        ? '431 Request Header Fields Too Large'
        : '400 Bad Request';
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}

async function bind(server: http.Server, address: ListenAddress): Promise<void> {
  try {
    await bindOnce(server, address);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'EADDRINUSE' && address.kind === 'unix' && (await isAbandoned(address.path))) {
      rmSync(address.path, { force: true });
      await bindOnce(server, address);
      return;
    }
    throw new StartRefused(
      `cannot listen on ${formatListenAddress(address)}: ${listenAdvice(code, cause as Error)}`,
      { cause },
    );
  }
}

function bindOnce(server: http.Server, address: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const done = (): void => {
      server.removeListener('error', reject);
      resolve();
    };
    if (address.kind === 'unix') server.listen({ path: address.path, backlog: BACKLOG }, done);
    else server.listen({ port: address.port, host: address.host, backlog: BACKLOG }, done);
  });
}

/** A socket file that nobody answers at was left by a process that was killed. */
function isAbandoned(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = net.connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(false);
    });
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  });
}

function listenAdvice(code: string | undefined, cause: Error): string {
  switch (code ?? '') {
    case 'EADDRINUSE':
      return 'the address is in use by another process. Stop that process, or set `listen` to another port';
    case 'EACCES':
      return 'permission denied. Ports below 1024 need CAP_NET_BIND_SERVICE, and a socket needs a directory that can be written';
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return 'this machine has no such address. Set `listen` to one that it has, such as 127.0.0.1';
    default:
      return cause.message;
  }
}

function boundAddress(server: http.Server, asked: ListenAddress): ListenAddress {
  const bound = server.address();
  if (asked.kind === 'unix' || bound === null || typeof bound === 'string') return asked;
  return { kind: 'tcp', host: asked.host, port: bound.port };
}
