import type { Clock } from '../platform/clock.ts';
import type { HttpClient, HttpResponse } from '../platform/http-client.ts';
import { HttpFailure } from '../platform/http-failure.ts';
import type { Log } from '../platform/log.ts';
import { type Again, type Answer, type Protocol, sortAnswer } from './answer.ts';
import type { BearerToken } from './bearer-token.ts';
import type { DeliveryStatus } from './delivery-status.ts';
import type { EndpointPool, Health, Lease } from './endpoint-pool.ts';
import { type BackoffLimits, fullJitter } from './full-jitter.ts';
import type { ProofOfIdentity } from './proof-of-identity.ts';
import { safeRedirect } from './safe-redirect.ts';
import { sleep } from './sleep.ts';
import type { StoreIds } from './store-ids.ts';

/** One request, the same bytes on every repeat. */
export interface Parcel {
  /** Added to the endpoint's address. */
  readonly path: string;
  readonly body: Buffer;
  /** Headers of each try; what may differ between tries is read anew. */
  readonly headers: () => Readonly<Record<string, string>>;
  /** For the log. */
  readonly what: string;
  /** Whether it can be sent in smaller parcels. */
  readonly canCut: boolean;
  /** It has the key of a part of a batch, which collectors of older versions take for a mistake. */
  readonly isPart?: boolean;
  /** Its batch is settled: collectors of older versions acknowledge it without storing it. */
  readonly isLate?: boolean;
  /** Missing where a second store may have it too: metrics. */
  readonly trail?: Trail;
}

/** Where a parcel has been, and where it may go. */
export interface Trail {
  readonly id: string;
  /** Some store may have it, and it goes to no other. */
  isAwaited(): boolean;
  may(url: string): boolean;
  /** Resolves once a crash will not forget that it may be there. */
  before(url: string): Promise<void>;
  unknown(): void;
  refused(): void;
}

export type Delivery =
  | { readonly kind: 'delivered'; readonly response: HttpResponse; readonly url: string }
  /** Refused for good, for its content: a repeat would be refused too. */
  | { readonly kind: 'rejected'; readonly reason: string; readonly url: string }
  /** To be sent in smaller parcels. `ofItself`: such a size is too large for this receiver. */
  | { readonly kind: 'too_large'; readonly ofItself: boolean }
  /** For the only store that it may go to; until then it need not be in memory. */
  | { readonly kind: 'waits'; readonly until: Promise<void> }
  /** Stopped before it could be delivered; it stays buffered. */
  | { readonly kind: 'stopped' };

/** What one try came to: an end, or why there is to be another. */
type Tried =
  | Exclude<Delivery, { kind: 'waits' | 'stopped' }>
  | { readonly kind: 'failed'; readonly paused: boolean; readonly reason: string };

const REDIRECTS_MAX = 5;

export interface HttpDeliveryOptions {
  readonly sink: string;
  readonly protocol: Protocol;
  readonly client: HttpClient;
  readonly pool: EndpointPool;
  readonly ids: StoreIds;
  readonly token: BearerToken;
  /** Missing where no receiver asks who we are. */
  readonly proof?: ProofOfIdentity | undefined;
  readonly status: DeliveryStatus;
  readonly backoff: BackoffLimits;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
}

/** Sends parcels until each is delivered, rejected or stopped. Repeats never end by themselves. */
export class HttpDelivery {
  readonly #o: HttpDeliveryOptions;
  /** Trails that wait for their store. */
  readonly #bound = new Map<string, { readonly release: () => void }>();
  readonly #redirected = new Set<string>();

  constructor(options: HttpDeliveryOptions) {
    this.#o = options;
  }

  /** `giveUp` ends waiting and repeats; `abort` also ends a request under way. */
  async send(parcel: Parcel, giveUp: AbortSignal, abort: AbortSignal): Promise<Delivery> {
    const { pool, clock, backoff, random, status } = this.#o;
    let avoid: string | undefined;
    for (let attempt = 1; ; attempt++) {
      const lease = await this.#lease(parcel, giveUp, avoid);
      if ('kind' in lease) return lease;
      if (attempt > 1) status.retries++;
      const tried = await this.#try(parcel, lease, abort);
      if (tried.kind !== 'failed') return tried;
      if (giveUp.aborted) return { kind: 'stopped' };
      avoid = lease.url;
      if (pool.hasOther(avoid, this.#mayOf(parcel))) continue;
      // An endpoint that is down makes us wait for a lease; this pause is for one that fails now and then.
      if (!tried.paused) await sleep(clock, fullJitter(attempt, backoff, random), giveUp);
    }
  }

  /** One try, wherever there is an endpoint now. */
  async sendOnce(parcel: Parcel, abort: AbortSignal): Promise<Tried | undefined> {
    const lease = this.#o.pool.tryAcquire();
    return lease === undefined ? undefined : this.#try(parcel, lease, abort);
  }

  #mayOf({ trail }: Parcel): ((url: string) => boolean) | undefined {
    return trail?.isAwaited() === true ? (url) => trail.may(url) : undefined;
  }

  async #lease(
    parcel: Parcel,
    giveUp: AbortSignal,
    avoid: string | undefined,
  ): Promise<Lease | Extract<Delivery, { kind: 'waits' | 'stopped' }>> {
    const { pool } = this.#o;
    const may = this.#mayOf(parcel);
    const id = parcel.trail?.id ?? '';
    if (may !== undefined && pool.urls.length > 1 && !giveUp.aborted) {
      const lease = pool.tryAcquire({ may });
      if (lease === undefined) {
        if (!this.#bound.has(id)) this.#bound.set(id, pool.bind(may));
        return { kind: 'waits', until: pool.ready(may, giveUp) };
      }
      this.#release(id);
      return lease;
    }
    this.#release(id);
    const lease = await pool.acquire(giveUp, { avoid, ...(may === undefined ? {} : { may }) });
    return lease ?? { kind: 'stopped' };
  }

  #release(id: string): void {
    this.#bound.get(id)?.release();
    this.#bound.delete(id);
  }

  async #try(parcel: Parcel, lease: Lease, abort: AbortSignal): Promise<Tried> {
    const { status } = this.#o;
    status.requests++;
    status.inFlight++;
    try {
      // A token that cannot be read is told before anything is noted.
      this.#headers(parcel, lease.url);
      await parcel.trail?.before(lease.url);
      const { response, answer } = await this.#post(parcel, lease, abort);
      return this.#judge(parcel, lease, response, answer);
    } catch (error) {
      const failure =
        error instanceof HttpFailure
          ? error
          : new HttpFailure((error as Error).message, { retryable: true, wasSent: false, cause: error });
      if (failure.wasSent) parcel.trail?.unknown();
      else parcel.trail?.refused();
      this.#failed(lease, failure.message, { kind: 'failed', unreachable: true }, failure.code);
      return { kind: 'failed', paused: false, reason: failure.message };
    } finally {
      status.inFlight--;
    }
  }

  /** Follows redirects that ask for the same request at an address that is safe. */
  async #post(
    parcel: Parcel,
    lease: Lease,
    abort: AbortSignal,
  ): Promise<{ readonly response: HttpResponse; readonly answer: Exclude<Answer, { kind: 'elsewhere' }> }> {
    const { protocol, ids, pool, status, clock } = this.#o;
    let target = lease.url + parcel.path;
    for (let hops = 0; ; hops++) {
      const response = await this.#postProved(parcel, lease.url, target, abort);
      status.bytesSent += parcel.body.length;
      ids.learn(lease.url, response.headers);
      const answer = sortAnswer(protocol, response, clock.now());
      if (answer.kind !== 'elsewhere') return { response, answer };
      const next = hops < REDIRECTS_MAX ? safeRedirect(answer.to, target, pool.urls) : undefined;
      if (next === undefined) return { response, answer: unfollowed(answer.reason, response.status) };
      this.#tellRedirect(lease.url, next);
      target = next;
    }
  }

  #headers(parcel: Parcel, url: string): Readonly<Record<string, string>> {
    const { token, proof } = this.#o;
    return { ...token.headers(), ...parcel.headers(), ...proof?.headers(url) };
  }

  /** Once more where the receiver asks for what it was not shown. */
  async #postProved(parcel: Parcel, url: string, target: string, signal: AbortSignal): Promise<HttpResponse> {
    const { client, proof } = this.#o;
    const post = (): Promise<HttpResponse> =>
      client.post(target, { headers: this.#headers(parcel, url), body: parcel.body, signal });
    const response = await post();
    return proof?.answered(url, response.status, response.headers) === true ? post() : response;
  }

  #judge(
    parcel: Parcel,
    lease: Lease,
    response: HttpResponse,
    answer: Exclude<Answer, { kind: 'elsewhere' }>,
  ): Tried {
    const { ids } = this.#o;
    switch (answer.kind) {
      case 'taken':
        if (parcel.isLate === true && ids.isOldCollector(lease.url))
          return this.#again(parcel, lease, partsUnknown('it was not stored', response.status));
        return this.#delivered(lease, response);
      case 'bad_content':
        if (parcel.isPart === true && ids.isOldCollector(lease.url))
          return this.#again(parcel, lease, partsUnknown(answer.reason, response.status));
        return this.#rejected(parcel, lease, answer.reason);
      case 'too_large':
        if (!parcel.canCut && !answer.partsStored) return this.#rejected(parcel, lease, answer.reason);
        if (ids.isOldCollector(lease.url))
          return this.#again(parcel, lease, partsUnknown(answer.reason, response.status));
        lease.report({ kind: 'well' });
        parcel.trail?.refused();
        return { kind: 'too_large', ofItself: !answer.partsStored };
      case 'again':
        return this.#again(parcel, lease, answer);
    }
  }

  #delivered(lease: Lease, response: HttpResponse): Tried {
    lease.report({ kind: 'well' });
    const { status, log, sink } = this.#o;
    if (status.succeeded(lease.url)) log.info({ sink, endpoint: lease.url }, 'sink delivers again');
    return { kind: 'delivered', response, url: lease.url };
  }

  #rejected(parcel: Parcel, lease: Lease, reason: string): Tried {
    lease.report({ kind: 'well' });
    parcel.trail?.refused();
    const { status, log, sink } = this.#o;
    status.rejectedBatches++;
    if (status.failed(`${parcel.what} rejected: ${reason}`, lease.url)) {
      log.error(
        { sink, endpoint: lease.url, reason },
        `${parcel.what} rejected for good; it is set aside (taffrail rejected list)`,
      );
    }
    return { kind: 'rejected', reason, url: lease.url };
  }

  #again(parcel: Parcel, lease: Lease, answer: Again): Tried {
    if (answer.outcomeUnknown) parcel.trail?.unknown();
    else parcel.trail?.refused();
    const { retryAfterMs } = answer;
    const wish = retryAfterMs === undefined ? {} : { retryAfterMs };
    const health: Health = answer.mendable
      ? { kind: 'refused', ...wish }
      : { kind: 'failed', unreachable: false, ...wish };
    this.#failed(lease, answer.reason, health, undefined, answer.status);
    return { kind: 'failed', paused: retryAfterMs !== undefined, reason: answer.reason };
  }

  #failed(lease: Lease, message: string, health: Health, code?: string, answered?: number): void {
    lease.report(health);
    const { status, log, sink } = this.#o;
    if (code === 'ABORTED' || !status.failed(message, lease.url)) return;
    const advice = health.kind === 'refused' ? adviceFor(answered) : 'sent again until it arrives';
    log.warn({ sink, endpoint: lease.url, error: message }, `sink cannot deliver; ${advice}`);
  }

  #tellRedirect(url: string, to: string): void {
    if (this.#redirected.has(url)) return;
    this.#redirected.add(url);
    const { log, sink, status } = this.#o;
    status.notes.set(
      `redirect ${url}`,
      `${url} redirects to ${new URL(to).origin}: each request travels twice`,
    );
    log.warn(
      { sink, endpoint: url, to: new URL(to).origin },
      'the endpoint redirects, which costs a second request each time',
    );
  }
}

function unfollowed(reason: string, status: number): Again {
  return {
    kind: 'again',
    status,
    reason: `${reason}; not followed: only to the same host or to another endpoint of the sink, and not from https to http`,
    mendable: true,
    outcomeUnknown: false,
  };
}

function partsUnknown(reason: string, status: number): Again {
  return {
    kind: 'again',
    status,
    reason: `${reason}; this collector is of a version that takes neither parts of batches nor what is sent late: bring it up to date, or raise its limit`,
    mendable: true,
    outcomeUnknown: false,
  };
}

function adviceFor(status: number | undefined): string {
  switch (status) {
    case 401:
    case 403:
      return 'is the token right? Tried again now and then';
    case 404:
    case 405:
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
