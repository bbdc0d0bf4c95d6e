import type { Clock } from '../platform/clock.ts';
import { type BackoffLimits, fullJitter } from './full-jitter.ts';
import { sleep } from './sleep.ts';

/** How a request to an endpoint went, as far as the endpoint's health goes. */
export type Health =
  /** It answered, whatever it thinks of the request. */
  | { readonly kind: 'well' }
  /** It answered that it cannot now, or did not answer; `unreachable` where there was no connection. */
  | { readonly kind: 'failed'; readonly unreachable: boolean; readonly retryAfterMs?: number }
  /** It will not have us until a person mends something (token, identity): asked less and less often. */
  | { readonly kind: 'refused'; readonly retryAfterMs?: number };

/** Which endpoints a request may go to. */
export interface Choice {
  /** Failed this request just now: rather another. */
  readonly avoid?: string | undefined;
  readonly may?: (url: string) => boolean;
}

/** The right to send one request to an endpoint. */
export interface Lease {
  readonly url: string;
  report(health: Health): void;
}

interface Endpoint {
  readonly url: string;
  failures: number;
  /** While down, one request at a time probes it, and not before `notBeforeMs`. */
  down: boolean;
  notBeforeMs: number;
  probing: boolean;
}

/** A receiver that asks for a longer pause is asked again all the same: it may have meant something else. */
const LONGEST_PAUSE_MS = 600_000;

/** One refusal may be chance, where there is no other endpoint to go to. */
const FAILURES_UNTIL_DOWN = 3;

/**
 * Endpoints in order of preference. The first that is not down is used; one that is down is probed by a single
 * request once its pause is over, so that the preferred one is returned to when it is well.
 */
export class EndpointPool {
  readonly #endpoints: readonly Endpoint[];
  readonly #clock: Clock;
  readonly #limits: BackoffLimits;
  readonly #random: () => number;
  #waiting: (() => void)[] = [];
  /** Requests that can go nowhere else wait for these: they probe them, and others do not. */
  readonly #bound = new Set<(url: string) => boolean>();

  constructor(urls: readonly string[], clock: Clock, limits: BackoffLimits, random: () => number) {
    this.#endpoints = urls.map((url) => ({ url, failures: 0, down: false, notBeforeMs: 0, probing: false }));
    this.#clock = clock;
    this.#limits = limits;
    this.#random = random;
  }

  get urls(): readonly string[] {
    return this.#endpoints.map(({ url }) => url);
  }

  /** True where a request that failed at one endpoint may go to another at once. */
  hasOther(url: string, may: (url: string) => boolean = () => true): boolean {
    return this.#endpoints.some((endpoint) => endpoint.url !== url && !endpoint.down && may(endpoint.url));
  }

  /** Waits for an endpoint; `undefined` once aborted. */
  async acquire(signal: AbortSignal, choice: Choice = {}): Promise<Lease | undefined> {
    while (!signal.aborted) {
      const lease = this.tryAcquire(choice);
      if (lease !== undefined) return lease;
      await this.#change(signal);
    }
    return undefined;
  }

  /** `undefined` where none is ready now. */
  tryAcquire(choice: Choice = {}): Lease | undefined {
    const endpoint = this.#pick(choice);
    return endpoint === undefined ? undefined : this.#lease(endpoint);
  }

  /** Until `release`, those that are down are left to the requests that can go nowhere else. */
  bind(may: (url: string) => boolean): { readonly release: () => void } {
    this.#bound.add(may);
    const release = (): void => {
      if (this.#bound.delete(may)) this.#wake();
    };
    return { release };
  }

  /** Resolves when one of those that `may` allows is ready, or once aborted. */
  async ready(may: (url: string) => boolean, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.#pick({ may }) === undefined) await this.#change(signal);
  }

  #pick({ avoid, may }: Choice): Endpoint | undefined {
    const now = this.#clock.monotonic();
    const ready = this.#endpoints.filter(
      (endpoint) =>
        (may?.(endpoint.url) ?? true) &&
        (!endpoint.down ||
          (endpoint.notBeforeMs <= now &&
            !endpoint.probing &&
            (may !== undefined || !this.#isBound(endpoint)))),
    );
    return ready.find((endpoint) => endpoint.url !== avoid) ?? ready[0];
  }

  #isBound({ url }: Endpoint): boolean {
    return this.#endpoints.length > 1 && [...this.#bound].some((may) => may(url));
  }

  #lease(endpoint: Endpoint): Lease {
    const probe = endpoint.down;
    if (probe) endpoint.probing = true;
    const since = endpoint.failures;
    return {
      url: endpoint.url,
      report: (health) => {
        if (probe) endpoint.probing = false;
        this.#apply(endpoint, health, since);
        this.#wake();
      },
    };
  }

  /** `since`: failures known when the request went out. Several that were under way together count as one. */
  #apply(endpoint: Endpoint, health: Health, since: number): void {
    const now = this.#clock.monotonic();
    if (health.kind === 'well') {
      endpoint.failures = 0;
      endpoint.down = false;
      endpoint.notBeforeMs = 0;
      return;
    }
    if (endpoint.failures === since) endpoint.failures++;
    if (health.kind === 'refused') {
      const pause = health.retryAfterMs ?? fullJitter(endpoint.failures, this.#limits, this.#refusedRandom);
      endpoint.down = true;
      endpoint.notBeforeMs = now + Math.min(pause, LONGEST_PAUSE_MS);
      return;
    }
    const patience = this.#endpoints.length > 1 ? 1 : FAILURES_UNTIL_DOWN;
    const asked = health.retryAfterMs;
    if (asked === undefined && !health.unreachable && endpoint.failures < patience) return;
    const pause = Math.min(
      asked ?? fullJitter(endpoint.failures, this.#limits, this.#random),
      LONGEST_PAUSE_MS,
    );
    endpoint.down = true;
    endpoint.notBeforeMs = Math.max(endpoint.notBeforeMs, now + pause);
  }

  /** Nobody is in a hurry: at least half of the pause. */
  readonly #refusedRandom = (): number => 0.5 + this.#random() / 2;

  /** Resolves when a pause is over or an endpoint's state changed. */
  async #change(signal: AbortSignal): Promise<void> {
    const now = this.#clock.monotonic();
    // One whose pause is over and that is not taken all the same is left to others: only a change tells.
    const next = Math.min(
      ...this.#endpoints
        .filter(({ down, probing, notBeforeMs }) => down && !probing && notBeforeMs > now)
        .map((endpoint) => endpoint.notBeforeMs),
    );
    const over = new AbortController();
    const stop = (): void => over.abort();
    this.#waiting.push(stop);
    signal.addEventListener('abort', stop);
    const pause = next === Infinity ? this.#limits.maxMs : next - now;
    await sleep(this.#clock, pause, over.signal);
    signal.removeEventListener('abort', stop);
    this.#waiting = this.#waiting.filter((other) => other !== stop);
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
