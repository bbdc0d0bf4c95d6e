import type { Grant } from '../platform/access/token-set.ts';
import type { Access } from '../platform/access/access.ts';
import type { Clock } from '../platform/clock.ts';
import type { EncodedBody } from '../platform/encoded-body.ts';
import { faultPoint } from '../platform/fault.ts';
import { HttpError } from '../platform/http-error.ts';
import type { HttpRequest, HttpResponse } from '../platform/http-message.ts';
import type { Log } from '../platform/log.ts';
import type { Router } from '../platform/router.ts';
import type { CollectorMetrics } from './collector-metrics.ts';
import { otlpError, otlpSuccess, type OtlpEncoding } from './otlp-answer.ts';
import type { RateLimiter } from './rate-limiter.ts';
import { readAgent, readSender } from './sender-headers.ts';
import type { IngestRequest, IngestResult } from './store/ingest-request.ts';
import type { IngestStore } from './store/store.ts';

export interface IngestDeps {
  readonly store: IngestStore;
  readonly access: Access;
  readonly limiter: RateLimiter;
  readonly metrics: CollectorMetrics;
  readonly clock: Clock;
  readonly log: Log;
  /** How long lines are kept. */
  readonly retentionMs: number;
}

/**
 * Adds `POST /v1/logs`, `/v1/metrics` (OTLP/HTTP), `/api/v1/write` (remote write 1.0) and `/loki/api/v1/push`; `/otlp/v1/logs`
 * is Loki's path for OTLP. A 200 or 204 says: it is on the disk.
 */
export function createIngest(router: Router, deps: IngestDeps): void {
  const ingest = new Ingest(deps);
  router.route('POST', '/v1/logs', (request) => ingest.otlp(request, 'logs'));
  router.route('POST', '/otlp/v1/logs', (request) => ingest.otlp(request, 'logs'));
  router.route('POST', '/loki/api/v1/push', (request) => ingest.push(request));
  router.route('POST', '/v1/metrics', (request) => ingest.otlp(request, 'metrics'));
  router.route('POST', '/v1/traces', (request) => ingest.notTaken(request, 'traces'));
  router.route('POST', '/v1development/profiles', (request) => ingest.notTaken(request, 'profiles'));
  router.route('POST', '/api/v1/write', (request) => ingest.remoteWrite(request));
}

class Ingest {
  readonly #deps: IngestDeps;
  #failing = false;

  constructor(deps: IngestDeps) {
    this.#deps = deps;
  }

  async otlp(request: HttpRequest, kind: 'logs' | 'metrics'): Promise<HttpResponse> {
    const encoding = otlpEncoding(request);
    const respond = async (): Promise<HttpResponse> => {
      const grant = this.#admit(request);
      if (encoding === undefined) throw unknownType(request);
      const sender = kind === 'logs' ? readSender(request) : readAgent(request);
      const body = await request.encodedBody();
      const result = await this.#store({
        kind,
        encoding,
        body,
        receivedMs: this.#deps.clock.now(),
        ...origin(request, grant),
        ...(sender && { sender }),
      });
      return otlpSuccess(
        kind,
        encoding,
        result.kind === 'stored' ? result.rejected : 0,
        result.kind === 'stored' ? result.message : '',
      );
    };
    return this.#answer(respond, (error) =>
      otlpError(encoding ?? 'json', error.status, error.message, error.headers),
    );
  }

  /** What a sender of all signals must be able to tell from a wrong address. */
  async notTaken(request: HttpRequest, signal: string): Promise<HttpResponse> {
    const respond = async (): Promise<HttpResponse> => {
      this.#admit(request);
      return Promise.reject(
        new HttpError(
          404,
          `${signal} are not taken; OTLP means logs (/v1/logs) and metrics (/v1/metrics) here`,
        ),
      );
    };
    return this.#answer(respond, (error) =>
      otlpError(otlpEncoding(request) ?? 'json', error.status, error.message, error.headers),
    );
  }

  /** What could not be stored is named with its count, and 400 says so; the rest of the request is stored. */
  async remoteWrite(request: HttpRequest): Promise<HttpResponse> {
    const respond = async (): Promise<HttpResponse> => {
      const grant = this.#admit(request);
      if (
        !/^application\/x-protobuf\b/.test(request.headers['content-type'] ?? '') ||
        /io\.prometheus\.write\.v2/.test(request.headers['content-type'] ?? '')
      ) {
        throw new HttpError(
          415,
          'remote write 1.0 is application/x-protobuf with snappy compression; 2.0 is not taken',
        );
      }
      const result = await this.#store({
        kind: 'remote_write',
        encoding: 'protobuf',
        body: withBlock(await request.encodedBody()),
        receivedMs: this.#deps.clock.now(),
        ...origin(request, grant),
      });
      if (result.kind === 'stored' && result.rejected > 0)
        throw new HttpError(400, `not stored: ${result.message}; the rest is stored`);
      return { status: 204 };
    };
    return this.#answer(respond, (error) => ({
      status: error.status,
      headers: { 'content-type': 'text/plain; charset=utf-8', ...error.headers },
      body: `${error.message}\n`,
    }));
  }

  /** A push of which only a part could be stored is answered with 400: a sender that repeated it would not get further. */
  async push(request: HttpRequest): Promise<HttpResponse> {
    const respond = async (): Promise<HttpResponse> => {
      const grant = this.#admit(request);
      const type = mediaType(request);
      if (type === '') throw new HttpError(400, 'the header Content-Type is missing');
      const { clock, retentionMs } = this.#deps;
      const receivedMs = clock.now();
      const result = await this.#store({
        kind: 'push',
        encoding: type === 'application/json' ? 'json' : 'protobuf',
        body: withBlock(await request.encodedBody()),
        receivedMs,
        oldestMs: receivedMs - retentionMs,
        ...origin(request, grant),
      });
      if (result.kind === 'stored' && result.rejected > 0)
        throw new HttpError(
          400,
          `${result.rejected} lines were refused, the others are stored: ${result.message}`,
        );
      return { status: 204 };
    };
    return this.#answer(respond, (error) => ({
      status: error.status,
      headers: { 'content-type': 'text/plain; charset=utf-8', ...error.headers },
      body: `${error.message}\n`,
    }));
  }

  #admit(request: HttpRequest): Grant {
    const { access, limiter, clock, store } = this.#deps;
    const grant = access.admit(request, ['send']);
    limiter.take(request.remoteAddress, clock.now());
    if (store.isBusy(Number(request.headers['content-length'] ?? 0))) {
      throw new HttpError(429, 'the store is behind with writing; send again later', { 'retry-after': '1' });
    }
    return grant;
  }

  /** Gives the result of what is to be acknowledged; everything else is thrown as the answer it deserves. */
  async #store(request: IngestRequest): Promise<IngestResult & { readonly kind: 'stored' | 'repeat' }> {
    const { store, metrics, log } = this.#deps;
    faultPoint('collect.ingest.before');
    const result = await store.ingest(request).catch((error: Error): IngestResult => ({
      kind: 'failed',
      message: error.message,
      outcomeUnknown: true,
    }));
    faultPoint('collect.ingest.after');
    if (result.kind !== 'failed' && this.#failing) {
      this.#failing = false;
      log.warn({}, 'the store writes again');
    }
    switch (result.kind) {
      case 'stored':
        metrics.add('records_stored_total', result.records);
        metrics.add('samples_stored_total', result.samples);
        metrics.add('points_rejected_total', result.rejected);
        if (result.isOdd === true) metrics.add('identity_conflicts_total');
        return result;
      case 'repeat':
        metrics.add('repeated_batches_total');
        return result;
      case 'conflict':
        metrics.add('identity_conflicts_total');
        throw new HttpError(409, result.message);
      case 'split':
        // Not for its size: senders that learn from this answer what is too large must be able to tell.
        throw new HttpError(413, result.message, { 'taffrail-split': 'parts-stored' });
      case 'forbidden':
        metrics.add('identity_conflicts_total');
        throw new HttpError(403, result.message);
      case 'unproven':
        throw unproven(result.message);
      case 'refused':
        throw new HttpError(result.status, result.message);
      case 'invalid':
        throw new HttpError(
          400,
          `the body is not a valid ${request.kind} request in ${request.encoding}: ${result.message}`,
        );
      case 'failed':
        metrics.add('store_failures_total');
        // Once, not for each request: the disk stays full for a while.
        if (!this.#failing)
          log.error({ reason: result.message }, 'the store cannot write; senders are told to try again');
        this.#failing = true;
        throw new HttpError(503, result.message, {
          'retry-after': '5',
          ...(result.outcomeUnknown === true ? { 'taffrail-outcome': 'unknown' } : {}),
        });
    }
  }

  async #answer(
    respond: () => Promise<HttpResponse>,
    onError: (error: HttpError) => HttpResponse,
  ): Promise<HttpResponse> {
    let response: HttpResponse;
    try {
      response = await respond();
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      response = onError(error);
    }
    this.#deps.metrics.add('requests_total', 1, String(response.status));
    const { id } = this.#deps.store;
    return { ...response, headers: { ...response.headers, 'taffrail-collector': '1', 'taffrail-store': id } };
  }
}

/** Remote write and Loki's push are a Snappy block, whether the header says so or not: its reader takes it apart. */
function withBlock(body: EncodedBody): EncodedBody {
  return body.encoding === 'snappy' ? { ...body, encoding: 'identity' } : body;
}

function origin(request: HttpRequest, { agents }: Grant): Pick<IngestRequest, 'address' | 'agents'> {
  return { address: request.remoteAddress, ...(agents === undefined ? {} : { agents }) };
}

/** Who hears this from a collector of ours, for its header, shows the secret and is heard. */
export function unproven(message: string): HttpError {
  return new HttpError(403, message, { 'taffrail-prove': 'secret' });
}

function mediaType(request: HttpRequest): string {
  return (request.headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase();
}

/** Known before anything else is looked at: every answer, a refusal too, is in the encoding of its request. */
function otlpEncoding(request: HttpRequest): OtlpEncoding | undefined {
  const type = mediaType(request);
  if (type === 'application/x-protobuf') return 'protobuf';
  return type === 'application/json' ? 'json' : undefined;
}

function unknownType(request: HttpRequest): HttpError {
  return new HttpError(
    415,
    `Content-Type "${mediaType(request).slice(0, 60)}" is not taken; send application/x-protobuf or application/json`,
  );
}
