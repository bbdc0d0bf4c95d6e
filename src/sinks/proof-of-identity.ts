import { createHash } from 'node:crypto';
import type { Secret } from '../platform/secret.ts';

/**
 * Shows a collector of ours that we are who we say. Any other receiver is told no more than the digest of our secret:
 * the secret itself goes to who has said that it is a collector.
 */
export class ProofOfIdentity {
  readonly #secret: Secret;
  readonly #digest: string;
  /** Addresses of receivers that are collectors, by their own word. */
  readonly #collectors = new Set<string>();

  constructor(secret: Secret) {
    this.#secret = secret;
    this.#digest = createHash('sha256').update(secret.reveal()).digest('hex');
  }

  headers(url: string): Record<string, string> {
    const isKnown = this.#collectors.has(url);
    return { 'taffrail-identity': isKnown ? `secret=${this.#secret.reveal()}` : `digest=${this.#digest}` };
  }

  /** Notes what an answer says of its receiver. True where it asks for the secret, so that the request is to be repeated with it. */
  answered(url: string, status: number, headers: Readonly<Record<string, string>>): boolean {
    const wasKnown = this.#collectors.has(url);
    const isCollector = headers['taffrail-collector'] === '1';
    if (isCollector) this.#collectors.add(url);
    else if (status >= 200 && status < 300) this.#collectors.delete(url);
    return isCollector && !wasKnown && headers['taffrail-prove'] === 'secret';
  }
}
