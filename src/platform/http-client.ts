import { readFileSync } from 'node:fs';
import { Agent, request } from 'undici';
import type { Dispatcher } from 'undici';
import { faultPoint, hangAt } from './fault.ts';
import { HttpFailure, transportFailure } from './http-failure.ts';
import { Secret } from './secret.ts';

export interface TlsOptions {
  /** PEM text, or the file that holds it. A CA given here replaces the system's. */
  readonly ca?: string;
  readonly caFile?: string;
  readonly cert?: string;
  readonly certFile?: string;
  readonly key?: string | Secret;
  readonly keyFile?: string;
  readonly serverName?: string;
  readonly insecureSkipVerify?: boolean;
}

export interface HttpClientOptions {
  readonly tls?: TlsOptions;
  readonly bearer?: Secret;
  readonly basic?: { readonly username: string; readonly password: Secret };
  readonly headers?: Readonly<Record<string, string | Secret>>;
  readonly userAgent?: string;
  readonly connectTimeoutMs?: number;
  /** Default for a whole request, from the call to the last byte of the answer. */
  readonly timeoutMs?: number;
  /** An answer longer than this is cut, and its connection closed. */
  readonly maxResponseBytes?: number;
  /** Connections a server. */
  readonly connections?: number;
}

export interface PostOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** At most `maxResponseBytes` of it. */
  readonly body: string;
  /** The same, as it came: for answers that are not text. */
  readonly bytes?: Buffer;
}

const TIMEOUT_MS = 30_000;
const CONNECT_TIMEOUT_MS = 10_000;
const MAX_RESPONSE_BYTES = 64 * 1024;

/**
 * Posts bodies over kept connections. An answer of any status is returned (`statusFailure` sorts them); what
 * kept an answer from coming is thrown as an HttpFailure whose message names host and port and never the path,
 * which may hold a token. Redirects are not followed.
 */
export class HttpClient {
  readonly #agent: Agent;
  readonly #dispatcher: Dispatcher;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #timeoutMs: number;
  readonly #maxResponseBytes: number;

  constructor(options: HttpClientOptions = {}) {
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    this.#maxResponseBytes = options.maxResponseBytes ?? MAX_RESPONSE_BYTES;
    this.#headers = standingHeaders(options);
    this.#agent = new Agent({
      connections: options.connections ?? 8,
      pipelining: 1,
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: { timeout: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS, ...tlsConnect(options.tls ?? {}) },
    });
    this.#dispatcher = this.#agent.compose(tellWhenSent);
  }

  async post(url: string, options: PostOptions): Promise<HttpResponse> {
    return this.#send('POST', url, options);
  }

  /** Closes all connections; requests under way fail. */
  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #send(method: 'POST', url: string, options: PostOptions): Promise<HttpResponse> {
    const target = parseTarget(url);
    const timeoutMs = options.timeoutMs ?? this.#timeoutMs;
    const limit = new Limit(timeoutMs, options.signal);
    const sending: Sending = { wasSent: false };
    try {
      faultPoint('http.request.before');
      await hangAt('http.request.before');
      const answer = await request(target, {
        method,
        dispatcher: this.#dispatcher,
        opaque: sending,
        headers: { ...this.#headers, ...lowerCased(options.headers ?? {}) },
        body: options.body,
        signal: limit.signal,
      });
      const bytes = await readBounded(answer.body, this.#maxResponseBytes);
      faultPoint('http.request.after');
      const body = bytes.toString('utf8');
      return { status: answer.statusCode, headers: flatHeaders(answer.headers), body, bytes };
    } catch (error) {
      const { timedOut, aborted } = limit;
      throw transportFailure(error, target, { timeoutMs, timedOut, aborted, wasSent: sending.wasSent });
    } finally {
      limit.end();
    }
  }
}

/** Whether a request came to be written to a connection. */
interface Sending {
  wasSent: boolean;
}

/** Notes it in the request's `opaque`, which is ours. */
const tellWhenSent: Dispatcher.DispatcherComposeInterceptor = (dispatch) => (options, handler) => {
  const sending = (options as { readonly opaque?: unknown }).opaque as Sending | undefined;
  return dispatch(options, {
    onRequestStart: (controller, context) => {
      if (sending !== undefined) sending.wasSent = true;
      handler.onRequestStart?.(controller, context);
    },
    onRequestUpgrade: (...args) => handler.onRequestUpgrade?.(...args),
    onResponseStart: (...args) => handler.onResponseStart?.(...args),
    onResponseData: (...args) => handler.onResponseData?.(...args),
    onResponseEnd: (...args) => handler.onResponseEnd?.(...args),
    onResponseError: (...args) => handler.onResponseError?.(...args),
  });
};

/** One signal for the caller's wish to stop and the time limit, knowing which of the two it was. */
class Limit {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #outer: AbortSignal | undefined;
  readonly #onAbort = (): void => {
    this.aborted = true;
    this.#controller.abort();
  };
  timedOut = false;
  aborted = false;

  constructor(timeoutMs: number, outer: AbortSignal | undefined) {
    this.#timer = setTimeout(() => {
      this.timedOut = true;
      this.#controller.abort();
    }, timeoutMs);
    this.#outer = outer;
    if (outer?.aborted === true) this.#onAbort();
    outer?.addEventListener('abort', this.#onAbort);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener('abort', this.#onAbort);
  }
}

function parseTarget(url: string): URL {
  const target = URL.canParse(url) ? new URL(url) : undefined;
  if (target?.protocol === 'http:' || target?.protocol === 'https:') return target;
  throw new HttpFailure('the address is not an http:// or https:// URL', {
    retryable: false,
    code: 'INVALID_URL',
  });
}

function standingHeaders(options: HttpClientOptions): Record<string, string> {
  const headers: Record<string, string> = { 'user-agent': options.userAgent ?? 'taffrail' };
  if (options.basic !== undefined) {
    const pair = `${options.basic.username}:${options.basic.password.reveal()}`;
    headers['authorization'] = `Basic ${Buffer.from(pair).toString('base64')}`;
  }
  if (options.bearer !== undefined) headers['authorization'] = `Bearer ${options.bearer.reveal()}`;
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    headers[name.toLowerCase()] = value instanceof Secret ? value.reveal() : value;
  }
  return headers;
}

function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

function flatHeaders(headers: Dispatcher.ResponseData['headers']): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return flat;
}

async function readBounded(body: Dispatcher.ResponseData['body'], maxBytes: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of body) {
    parts.push(part as Buffer);
    bytes += (part as Buffer).length;
    // Leaving the loop destroys the stream, and with it the connection.
    if (bytes >= maxBytes) break;
  }
  return Buffer.concat(parts).subarray(0, maxBytes);
}

function tlsConnect(tls: TlsOptions): Record<string, unknown> {
  const ca = tls.ca ?? pemOf('CA', tls.caFile);
  const cert = tls.cert ?? pemOf('certificate', tls.certFile);
  const key = tls.key instanceof Secret ? tls.key.reveal() : (tls.key ?? pemOf('key', tls.keyFile));
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
    ...(tls.insecureSkipVerify === true ? { rejectUnauthorized: false } : {}),
  };
}

/** Reads a PEM file of a TLS setting; the error names the setting's meaning and the file. */
function pemOf(what: string, file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error(`cannot read the TLS ${what} file ${file}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
