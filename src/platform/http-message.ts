import type { IncomingHttpHeaders } from 'node:http';
import type { EncodedBody } from './encoded-body.ts';
import type { Upgrade } from './http-upgrade.ts';

/** A request as handlers see it; tests make one without opening a port (see `test/platform/fake-request.ts`). */
export interface HttpRequest {
  readonly method: string;
  /** Decoded path without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** Empty for a unix socket. */
  readonly remoteAddress: string;
  /** Fires when the client went away or the server closes: long answers (streams) end then. */
  readonly signal: AbortSignal;
  /** Where it asks for a WebSocket. */
  readonly upgrade?: Upgrade;
  /** The whole body, decompressed by its Content-Encoding; rejects with an `HttpError` (400, 408, 413, 415, 503). */
  body(): Promise<Buffer>;
  /** The whole body as it came, where another thread decompresses it; instead of `body`, not beside it. */
  encodedBody(): Promise<EncodedBody>;
}

export type HttpBody = string | Uint8Array | AsyncIterable<string | Uint8Array>;

export interface HttpResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: HttpBody;
}

export type HttpHandler = (request: HttpRequest) => HttpResponse | Promise<HttpResponse>;

export function jsonResponse(
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): HttpResponse {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
    body: JSON.stringify(value),
  };
}

export function textResponse(
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): HttpResponse {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8', ...headers }, body: text };
}
