import type { OtlpSinkConfig, RemoteWriteSinkConfig } from '../config/sink-schema.ts';
import { HttpClient } from '../platform/http-client.ts';
import { BearerToken } from './bearer-token.ts';

type HttpSinkConfig = OtlpSinkConfig | RemoteWriteSinkConfig;

export function httpClientOf(config: HttpSinkConfig, version: string): HttpClient {
  const { ca_file, cert_file, key_file, server_name, insecure_skip_verify } = config.tls;
  return new HttpClient({
    userAgent: `taffrail/${version}`,
    timeoutMs: config.timeout,
    headers: config.headers,
    connections: config.concurrency,
    tls: {
      ...(ca_file === undefined ? {} : { caFile: ca_file }),
      ...(cert_file === undefined ? {} : { certFile: cert_file }),
      ...(key_file === undefined ? {} : { keyFile: key_file }),
      ...(server_name === undefined ? {} : { serverName: server_name }),
      insecureSkipVerify: insecure_skip_verify,
    },
  });
}

export function bearerTokenOf(config: HttpSinkConfig): BearerToken {
  return new BearerToken({ token: config.bearer_token, file: config.bearer_token_file });
}
