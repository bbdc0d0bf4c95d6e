import type { Clock } from '../platform/clock.ts';
import type { HttpClient, HttpResponse } from '../platform/http-client.ts';
import { HttpFailure, statusFailure } from '../platform/http-failure.ts';
import type { Log } from '../platform/log.ts';
import type { BearerToken } from './bearer-token.ts';
import type { DeliveryStatus } from './delivery-status.ts';
import type { EndpointPool, Health, Lease } from './endpoint-pool.ts';
import { type BackoffLimits, fullJitter } from './full-jitter.ts';
import type { ProofOfIdentity } from './proof-of-identity.ts';
import { sleep } from './sleep.ts';

/** One request, the same bytes on every repeat. */
export interface Parcel {
  /** Added to the endpoint's address. */
  readonly path: string;
  readonly body: Buffer;
  /** Headers of each try; what may differ between tries is read anew. */
  readonly headers: () => Readonly<Record<string, string>>;
  /** For the log. */
  readonly what: string;
}

export type Delivery =
  | { readonly kind: 'delivered'; readonly response: HttpResponse; readonly url: string }
  /** Refused for good: a repeat would be refused too. */
  | { readonly kind: 'rejected'; readonly reason: string }
  /** Stopped before it could be delivered; it stays buffered. */
  | { readonly kind: 'stopped' };

/** A person can mend these (a token, a proxy, an address, two agents with one identity), so the batch is kept. */
const MENDABLE: ReadonlySet<number> = new Set([401, 403, 404, 407, 409]);

export interface HttpDeliveryOptions {
  readonly sink: string;
  readonly client: HttpClient;
  readonly pool: EndpointPool;
  readonly token: BearerToken;
  /** Missing where no receiver asks who we are. */
  readonly proof?: ProofOfIdentity;
  readonly status: DeliveryStatus;
  readonly backoff: BackoffLimits;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
}

/** Sends parcels until each is delivered, rejected or stopped. Repeats never end by themselves. */
export class HttpDelivery {
  readonly #o: HttpDeliveryOptions;

  constructor(options: HttpDeliveryOptions) {
    this.#o = options;
  }

  /** `giveUp` ends waiting and repeats; `abort` also ends a request under way. */
  async send(parcel: Parcel, giveUp: AbortSignal, abort: AbortSignal): Promise<Delivery> {
    const { pool, clock, backoff, random, status } = this.#o;
    let avoid: string | undefined;
    for (let attempt = 1; ; attempt++) {
      const lease = await pool.acquire(giveUp, avoid);
      if (lease === undefined) return { kind: 'stopped' };
      if (attempt > 1) status.retries++;
      const failure = await this.#try(parcel, lease, abort);
      if (!(failure instanceof HttpFailure)) return failure;
      if (giveUp.aborted) return { kind: 'stopped' };
      avoid = lease.url;
      if (pool.hasOther(avoid)) continue;
      // An endpoint that is down makes us wait in `acquire`; this pause is for one that fails now and then.
      if (failure.retryAfterMs === undefined)
        await sleep(clock, fullJitter(attempt, backoff, random), giveUp);
    }
  }

  async #try(parcel: Parcel, lease: Lease, abort: AbortSignal): Promise<Delivery | HttpFailure> {
    const { status, clock } = this.#o;
    status.requests++;
    status.inFlight++;
    try {
      const response = await this.#post(parcel, lease.url, abort);
      status.bytesSent += parcel.body.length;
      const failure = statusFailure(response, clock.now());
      if (failure === undefined) return this.#delivered(lease, response);
      return this.#refused(parcel, lease, failure);
    } catch (error) {
      const failure =
        error instanceof HttpFailure
          ? error
          : new HttpFailure((error as Error).message, { retryable: true, cause: error });
      this.#failed(lease, failure, { kind: 'failed', unreachable: true });
      return failure;
    } finally {
      status.inFlight--;
    }
  }

  /** Once more where the receiver asks for what it was not shown. */
  async #post(parcel: Parcel, url: string, signal: AbortSignal): Promise<HttpResponse> {
    const { client, token, proof } = this.#o;
    const post = async (): Promise<HttpResponse> => {
      const headers = { ...token.headers(), ...parcel.headers(), ...proof?.headers(url) };
      return client.post(url + parcel.path, { headers, body: parcel.body, signal });
    };
    const response = await post();
    return proof?.answered(url, response.status, response.headers) === true ? post() : response;
  }

  #delivered(lease: Lease, response: HttpResponse): Delivery {
    lease.report({ kind: 'well' });
    const { status, log, sink } = this.#o;
    if (status.succeeded(lease.url)) log.info({ sink, endpoint: lease.url }, 'sink delivers again');
    return { kind: 'delivered', response, url: lease.url };
  }

  #refused(parcel: Parcel, lease: Lease, failure: HttpFailure): Delivery | HttpFailure {
    if (failure.retryable) {
      const { retryAfterMs } = failure;
      const health = {
        kind: 'failed',
        unreachable: false,
        ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      } as const;
      return this.#failed(lease, failure, health);
    }
    if (MENDABLE.has(failure.status ?? 0)) return this.#failed(lease, failure, { kind: 'refused' });
    lease.report({ kind: 'well' });
    const { status, log, sink } = this.#o;
    status.rejectedBatches++;
    const reason = failure.message;
    if (status.failed(`${parcel.what} rejected: ${reason}`, lease.url)) {
      log.error(
        { sink, endpoint: lease.url, reason },
        `${parcel.what} rejected for good; its records are counted as lost`,
      );
    }
    return { kind: 'rejected', reason };
  }

  #failed(lease: Lease, failure: HttpFailure, health: Health): HttpFailure {
    lease.report(health);
    const { status, log, sink } = this.#o;
    if (failure.code !== 'ABORTED' && status.failed(failure.message, lease.url)) {
      const advice = health.kind === 'refused' ? adviceFor(failure.status) : 'sent again until it arrives';
      log.warn({ sink, endpoint: lease.url, error: failure.message }, `sink cannot deliver; ${advice}`);
    }
    return failure;
  }
}

function adviceFor(status: number | undefined): string {
  switch (status) {
    case 401:
    case 403:
      return 'is the token right? Tried again now and then';
    case 404:
      return 'is the endpoint right? Tried again now and then';
    case 407:
      return 'a proxy wants a login. Tried again now and then';
    case 409:
      return 'another agent uses this identity; was its state_dir copied? Tried again now and then';
    case undefined:
    default:
      return 'tried again now and then';
  }
}
