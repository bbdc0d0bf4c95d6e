import type { OtlpSinkConfig, RemoteWriteSinkConfig } from '../config/sink-schema.ts';
import type { HttpClient, HttpResponse } from '../platform/http-client.ts';
import type { Protocol } from './answer.ts';
import type { BearerToken } from './bearer-token.ts';
import { DeliveryStatus } from './delivery-status.ts';
import { EndpointPool } from './endpoint-pool.ts';
import { HttpDelivery } from './http-delivery.ts';
import { bearerTokenOf, httpClientOf } from './http-sink-options.ts';
import type { PartialSuccess } from './partial-success.ts';
import { ProofOfIdentity } from './proof-of-identity.ts';
import { RefusedDesk } from './refused-desk.ts';
import { RefusedStore } from './refused-store.ts';
import type { SinkContext } from './sink-context.ts';
import { SizeLimit } from './size-limit.ts';
import { StoreIds } from './store-ids.ts';

/** What every sink over HTTP consists of. */
export interface HttpSinkParts {
  readonly client: HttpClient;
  readonly token: BearerToken;
  readonly proof: ProofOfIdentity | undefined;
  readonly ids: StoreIds;
  readonly urls: readonly string[];
  readonly status: DeliveryStatus;
  readonly delivery: HttpDelivery;
  readonly desk: RefusedDesk;
  readonly recordsLimit: SizeLimit;
  readonly metricsLimit: SizeLimit;
}

/** Throws where a certificate or key cannot be read. */
export function httpSinkParts(
  config: OtlpSinkConfig | RemoteWriteSinkConfig,
  context: SinkContext,
  protocol: Protocol,
  readPartial: (response: HttpResponse) => PartialSuccess,
): HttpSinkParts {
  const { clock, log, random = Math.random, cursor, stateDir } = context;
  const backoff = { initialMs: config.retry_initial, maxMs: config.retry_max };
  const urls = [config.endpoint].flat().map((url) => (protocol === 'otlp' ? url.replace(/\/+$/, '') : url));
  const client = httpClientOf(config, context.version);
  const token = bearerTokenOf(config);
  const { secret } = context.identity;
  const proof = protocol === 'otlp' && secret !== undefined ? new ProofOfIdentity(secret) : undefined;
  const status = new DeliveryStatus(config.name, config.type, clock);
  const ids = new StoreIds();
  const delivery = new HttpDelivery({
    sink: config.name,
    protocol,
    client,
    pool: new EndpointPool(urls, clock, backoff, random),
    ids,
    token,
    proof,
    status,
    backoff,
    clock,
    log,
    random,
  });
  const maxBytes = config.rejected_max_bytes;
  const store =
    stateDir === undefined || maxBytes === 0
      ? undefined
      : new RefusedStore({ dir: stateDir, maxBytes, cursor, log });
  const desk = new RefusedDesk({ store, delivery, read: readPartial, clock, log, sink: config.name });
  return {
    client,
    token,
    proof,
    ids,
    urls,
    status,
    delivery,
    desk,
    recordsLimit: new SizeLimit(clock),
    metricsLimit: new SizeLimit(clock),
  };
}
