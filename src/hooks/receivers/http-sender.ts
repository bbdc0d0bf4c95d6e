import type { HttpConfig, TlsConfig } from '../../config/receiver-schema.ts';
import type { Clock } from '../../platform/clock.ts';
import { HttpClient } from '../../platform/http-client.ts';
import type { TlsOptions } from '../../platform/http-client.ts';
import { statusFailure } from '../../platform/http-failure.ts';
import { Secret } from '../../platform/secret.ts';

/** Posts JSON with a receiver's http_config; an answer that is not 2xx is a failure. */
export class JsonPoster {
  readonly #client: HttpClient;
  readonly #clock: Clock;
  readonly #timeoutMs: number;

  constructor(config: HttpConfig, timeoutMs: number, clock: Clock) {
    this.#client = httpClientOf(config);
    this.#timeoutMs = timeoutMs;
    this.#clock = clock;
  }

  async post(
    url: string,
    value: unknown,
    signal: AbortSignal,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    const response = await this.#client.post(url, {
      headers: { 'content-type': 'application/json', ...headers },
      body: Buffer.from(JSON.stringify(value)),
      timeoutMs: this.#timeoutMs,
      signal,
    });
    const failure = statusFailure(response, this.#clock.now());
    if (failure !== undefined) throw failure;
    return `${response.status} ${response.body}`.trim();
  }

  async close(): Promise<void> {
    await this.#client.close();
  }
}

function httpClientOf(config: HttpConfig): HttpClient {
  return new HttpClient({ tls: tlsOptionsOf(config.tls_config), headers: headersOf(config), connections: 4 });
}

function headersOf(config: HttpConfig): Record<string, Secret> {
  const headers: Record<string, Secret> = { ...config.headers };
  if (config.bearer_token !== undefined)
    headers['authorization'] = new Secret(`Bearer ${config.bearer_token.reveal()}`);
  if (config.authorization !== undefined) {
    headers['authorization'] = new Secret(
      `${config.authorization.type} ${config.authorization.credentials.reveal()}`,
    );
  }
  if (config.basic_auth !== undefined) headers['authorization'] = basicAuth(config.basic_auth);
  return headers;
}

function basicAuth(auth: NonNullable<HttpConfig['basic_auth']>): Secret {
  return new Secret(`Basic ${Buffer.from(`${auth.username}:${auth.password.reveal()}`).toString('base64')}`);
}

function tlsOptionsOf(config: TlsConfig): TlsOptions {
  return {
    ...(config.ca_file === undefined ? {} : { caFile: config.ca_file }),
    ...(config.cert_file === undefined ? {} : { certFile: config.cert_file }),
    ...(config.key_file === undefined ? {} : { keyFile: config.key_file }),
    ...(config.server_name === undefined ? {} : { serverName: config.server_name }),
    insecureSkipVerify: config.insecure_skip_verify,
  };
}

/** All that must not be seen of an http_config. */
export function secretsOf(config: HttpConfig): readonly Secret[] {
  return [
    ...Object.values(config.headers),
    ...(config.bearer_token === undefined ? [] : [config.bearer_token]),
    ...(config.authorization === undefined ? [] : [config.authorization.credentials]),
    ...(config.basic_auth === undefined ? [] : [config.basic_auth.password, basicAuth(config.basic_auth)]),
  ];
}

const SHORTEST_TOKEN = 8;

/** A secret URL, whole and by the parts that may carry its secret; a short last segment is a word, not a token. */
export function secretsOfUrl(url: Secret): readonly Secret[] {
  const { pathname, search, password } = new URL(url.reveal());
  const last = pathname.split('/').at(-1)!;
  const parts = [pathname + search, pathname, search.slice(1), decodeURIComponent(password)].filter(
    (part) => part.length > 1,
  );
  return [url, ...parts, ...(last.length >= SHORTEST_TOKEN ? [last] : [])].map((part) => Secret.from(part));
}
