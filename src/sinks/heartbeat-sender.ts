import type { Timer } from '../platform/clock.ts';
import type { HttpClient } from '../platform/http-client.ts';
import type { BearerToken } from './bearer-token.ts';
import type { ProofOfIdentity } from './proof-of-identity.ts';
import type { SinkContext } from './sink-context.ts';

const EACH_MS = 5000;
const TIMEOUT_MS = 5000;

export interface HeartbeatOptions {
  readonly client: HttpClient;
  readonly token: BearerToken;
  readonly proof?: ProofOfIdentity | undefined;
  readonly context: Pick<SinkContext, 'clock' | 'log' | 'heartbeat'>;
}

/**
 * Tells a collector of ours how the agent is, each 5 s, once a receiver has said that it is one. Nothing depends
 * on it: a beat that fails is not repeated.
 */
export class HeartbeatSender {
  readonly #o: HeartbeatOptions;
  #url: string | undefined;
  #timer: Timer | undefined;
  #stopped = true;
  readonly #abort = new AbortController();

  constructor(options: HeartbeatOptions) {
    this.#o = options;
  }

  start(): void {
    if (this.#o.context.heartbeat !== undefined) this.#stopped = false;
  }

  /** The receiver at `url` is a collector of ours. The first beat goes at once. */
  receiverIs(url: string): void {
    this.#url = url;
    if (!this.#stopped && this.#timer === undefined) this.#schedule(0);
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#abort.abort();
  }

  #schedule(ms: number): void {
    this.#timer = this.#o.context.clock.setTimeout(() => {
      void this.#beat().finally(() => {
        if (!this.#stopped) this.#schedule(EACH_MS);
      });
    }, ms);
  }

  async #beat(): Promise<void> {
    const { client, token, proof, context } = this.#o;
    const value = context.heartbeat?.();
    if (value === undefined || this.#url === undefined) return;
    try {
      await client.post(`${this.#url}/api/v1/agents/heartbeat`, {
        headers: { ...token.headers(), ...proof?.headers(this.#url), 'content-type': 'application/json' },
        body: Buffer.from(JSON.stringify(value)),
        timeoutMs: TIMEOUT_MS,
        signal: this.#abort.signal,
      });
    } catch (error) {
      context.log.debug({ error: String(error) }, 'heartbeat not delivered');
    }
  }
}
