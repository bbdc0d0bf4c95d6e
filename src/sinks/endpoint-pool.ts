import type { Clock } from '../platform/clock.ts';
import { type BackoffLimits, fullJitter } from './full-jitter.ts';
import { sleep } from './sleep.ts';

/** How a request to an endpoint went, as far as the endpoint's health goes. */
export type Health =
  /** It answered, whatever it thinks of the request. */
  | { readonly kind: 'well' }
  /** It answered that it cannot now, or did not answer; `unreachable` where there was no connection. */
  | { readonly kind: 'failed'; readonly unreachable: boolean; readonly retryAfterMs?: number }
  /** It will not have us until a person mends something (token, identity): asked again seldom. */
  | { readonly kind: 'refused' };

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

  constructor(urls: readonly string[], clock: Clock, limits: BackoffLimits, random: () => number) {
    this.#endpoints = urls.map((url) => ({ url, failures: 0, down: false, notBeforeMs: 0, probing: false }));
    this.#clock = clock;
    this.#limits = limits;
    this.#random = random;
  }

  /** True where a request that failed at one endpoint may go to another at once. */
  hasOther(url: string): boolean {
    return this.#endpoints.some((endpoint) => endpoint.url !== url && !endpoint.down);
  }

  /** Waits for an endpoint, rather another than `avoid`, which failed this request just now; `undefined` once aborted. */
  async acquire(signal: AbortSignal, avoid?: string): Promise<Lease | undefined> {
    while (!signal.aborted) {
      const endpoint = this.#pick(avoid);
      if (endpoint !== undefined) return this.#lease(endpoint);
      await this.#change(signal);
    }
    return undefined;
  }

  #pick(avoid: string | undefined): Endpoint | undefined {
    const now = this.#clock.monotonic();
    const ready = this.#endpoints.filter(
      (endpoint) => !endpoint.down || (endpoint.notBeforeMs <= now && !endpoint.probing),
    );
    return ready.find((endpoint) => endpoint.url !== avoid) ?? ready[0];
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
      endpoint.down = true;
      endpoint.notBeforeMs = now + this.#limits.maxMs * (0.5 + this.#random() / 2);
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

  /** Resolves when a pause is over or an endpoint's state changed. */
  async #change(signal: AbortSignal): Promise<void> {
    const next = Math.min(
      ...this.#endpoints.filter((endpoint) => !endpoint.probing).map((endpoint) => endpoint.notBeforeMs),
    );
    const over = new AbortController();
    const stop = (): void => over.abort();
    this.#waiting.push(stop);
    signal.addEventListener('abort', stop);
    const pause = next === Infinity ? this.#limits.maxMs : Math.max(0, next - this.#clock.monotonic());
    await sleep(this.#clock, pause, over.signal);
    signal.removeEventListener('abort', stop);
    this.#waiting = this.#waiting.filter((other) => other !== stop);
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
