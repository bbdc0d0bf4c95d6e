import type { SinkStatus } from '../model/sink.ts';
import type { Clock } from '../platform/clock.ts';

/** A receiver that fails now and then is not worth a line each time. */
const LOG_EACH_MS = 30_000;

/** Counts what a sink did, and remembers what went wrong last. */
export class DeliveryStatus {
  readonly #name: string;
  readonly #type: string;
  readonly #clock: Clock;
  #failing = false;
  #logged = false;
  #loggedAtMs = -Infinity;
  #endpoint: string | undefined;
  #lastError: { readonly message: string; readonly atMs: number } | undefined;
  #lastSuccessAtMs: number | undefined;
  requests = 0;
  retries = 0;
  rejectedBatches = 0;
  recordsDelivered = 0;
  bytesSent = 0;
  inFlight = 0;
  /** Sentences for a person, by what they are about. */
  readonly notes = new Map<string, string>();

  constructor(name: string, type: string, clock: Clock) {
    this.#name = name;
    this.#type = type;
    this.#clock = clock;
  }

  /** True if it ends a failure that was logged. */
  succeeded(endpoint?: string): boolean {
    this.#failing = false;
    this.#endpoint = endpoint ?? this.#endpoint;
    this.#lastSuccessAtMs = this.#clock.now();
    const wasLogged = this.#logged;
    this.#logged = false;
    return wasLogged;
  }

  /** True if it should be logged: the first in a row, and not soon after another. */
  failed(message: string, endpoint?: string): boolean {
    const first = !this.#failing;
    this.#failing = true;
    this.#endpoint = endpoint ?? this.#endpoint;
    this.#lastError = { message, atMs: this.#clock.now() };
    if (!first || this.#clock.monotonic() - this.#loggedAtMs < LOG_EACH_MS) return false;
    this.#loggedAtMs = this.#clock.monotonic();
    this.#logged = true;
    return true;
  }

  read(): SinkStatus {
    return {
      name: this.#name,
      type: this.#type,
      healthy: !this.#failing,
      ...(this.#lastError === undefined
        ? {}
        : { lastError: this.#lastError.message, lastErrorAtMs: this.#lastError.atMs }),
      ...(this.#lastSuccessAtMs === undefined ? {} : { lastSuccessAtMs: this.#lastSuccessAtMs }),
      ...(this.#endpoint === undefined ? {} : { endpoint: this.#endpoint }),
      requests: this.requests,
      retries: this.retries,
      rejectedBatches: this.rejectedBatches,
      recordsDelivered: this.recordsDelivered,
      bytesSent: this.bytesSent,
      inFlight: this.inFlight,
      ...(this.notes.size === 0 ? {} : { notes: [...this.notes.values()] }),
    };
  }
}
