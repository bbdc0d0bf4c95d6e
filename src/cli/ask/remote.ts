import { readFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { request } from 'undici';
import { RemoteError } from '../remote-error.ts';
import { UsageError } from '../usage-error.ts';

/** Where an agent and a collector listen by default, in the order in which they are tried. */
export const COLLECTOR_URL = 'http://127.0.0.1:4318/';
const DEFAULTS = ['http://127.0.0.1:9470/', COLLECTOR_URL];
const TIMEOUT_MS = 60_000;

export interface RemoteOptions {
  readonly url?: string;
  readonly tokenFile?: string;
}

type Method = 'GET' | 'POST' | 'DELETE';

/** The HTTP API of a running agent or collector. */
export class Remote {
  readonly #urls: readonly string[];
  readonly #token: string | undefined;

  /** Throws UsageError where the address or the token cannot be used. */
  constructor({ url, tokenFile }: RemoteOptions, defaults: readonly string[] = DEFAULTS) {
    this.#urls = url === undefined ? defaults : [addressOf(url)];
    this.#token = tokenFile === undefined ? process.env['TAFFRAIL_TOKEN'] : readToken(tokenFile);
  }

  /** The `data` of an answer in Prometheus's shape. Throws UsageError where the question was wrong. */
  async data<T>(path: string, parameters: Readonly<Record<string, string>> = {}): Promise<T> {
    const query = new URLSearchParams(parameters).toString();
    const answer = (await this.json('GET', query === '' ? path : `${path}?${query}`)) as {
      data: T;
      warnings?: readonly string[];
    };
    for (const warning of answer.warnings ?? []) process.stderr.write(`warning: ${warning}\n`);
    return answer.data;
  }

  /** As `json`, but undefined where the other side has no such thing. */
  async jsonIfThere(path: string): Promise<unknown> {
    const [status, text] = await this.#ask('GET', path, undefined);
    return status === 404 ? undefined : this.#read(status, text);
  }

  async json(method: Method, path: string, body?: unknown): Promise<unknown> {
    const [status, text] = await this.#ask(method, path, body);
    return this.#read(status, text);
  }

  /** An answer with one of its headers, to a question with headers. */
  async page(
    path: string,
    parameters: Readonly<Record<string, string>>,
    options: { readonly headers: Readonly<Record<string, string>>; readonly read: string },
  ): Promise<{ readonly json: unknown; readonly header: string | undefined }> {
    const query = new URLSearchParams(parameters).toString();
    const [status, text, headers] = await this.#ask('GET', `${path}?${query}`, undefined, options.headers);
    const header = headers[options.read];
    return { json: this.#read(status, text), header: Array.isArray(header) ? header[0] : header };
  }

  /** For a WebSocket: where it is, and the headers that let one in. */
  webSocket(
    path: string,
    parameters: Readonly<Record<string, string>>,
  ): { readonly url: string; readonly headers: Record<string, string> } {
    const url = new URL(path.replace(/^\//, ''), this.#urls[0]);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    url.search = new URLSearchParams(parameters).toString();
    return {
      url: url.href,
      headers: this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` },
    };
  }

  #read(status: number, text: string): unknown {
    if (status === 200) return JSON.parse(text);
    const message = errorText(text);
    if (status === 400 || status === 404 || status === 422) throw new UsageError(message);
    if (status === 401 || status === 403)
      throw new UsageError(`${message} (give a token with --token-file or in TAFFRAIL_TOKEN)`);
    throw new RemoteError(`answered ${status}: ${message}`);
  }

  async #ask(
    method: Method,
    path: string,
    body: unknown,
    more: Readonly<Record<string, string>> = {},
  ): Promise<readonly [status: number, text: string, headers: IncomingHttpHeaders]> {
    let failure: unknown;
    for (const url of this.#urls) {
      try {
        const response = await request(new URL(path.replace(/^\//, ''), url), {
          method,
          headersTimeout: TIMEOUT_MS,
          bodyTimeout: TIMEOUT_MS,
          headers: {
            ...more,
            ...(this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` }),
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        return [response.statusCode, await response.body.text(), response.headers];
      } catch (error) {
        failure = error;
        if ((error as NodeJS.ErrnoException).code !== 'ECONNREFUSED') break;
      }
    }
    const reason = (failure as NodeJS.ErrnoException).code ?? (failure as Error).message;
    throw new UsageError(
      `nothing answers at ${this.#urls.map((url) => url.replace(/\/$/, '')).join(' or ')} (${reason}); is an agent or a collector running there?`,
      { cause: failure },
    );
  }
}

/** `localhost:9470` means what it looks like; a base path stays. */
function addressOf(text: string): string {
  const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw new UsageError(
      `--url ${text}: expected an address such as http://127.0.0.1:9470 or localhost:9470`,
    );
  return url.replace(/\/*$/, '/');
}

function readToken(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new UsageError(`--token-file ${file}: ${(error as Error).message}`, { cause: error });
  }
}

/** The message of an error in Prometheus's or our own shape, else the beginning of the text. */
function errorText(text: string): string {
  try {
    const { error, message } = JSON.parse(text) as { error?: unknown; message?: unknown };
    if (typeof error === 'string') return error;
    if (typeof message === 'string') return message;
  } catch {
    // Plain text is as good.
  }
  return text.trim().slice(0, 500);
}
