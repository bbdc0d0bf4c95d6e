import type { Clock } from '../../platform/clock.ts';
import type { Secret } from '../../platform/secret.ts';
import type { Notification } from '../notification.ts';
import type { RenderTemplate } from '../template-data.ts';

/** One way of telling people. It tries once; repeating is the lane's business. */
export interface Sender {
  /** Resolves with what was answered, for `status`. Rejects with a DeliveryFailure or an HttpFailure. */
  send(notification: Notification, signal: AbortSignal): Promise<string>;
  /** Taken out of every error and answer before anybody sees it. */
  readonly secrets: readonly Secret[];
  close(): Promise<void>;
}

/** What all senders are given. */
export interface SenderContext {
  readonly clock: Clock;
  readonly externalUrl: string;
  readonly renderTemplate: RenderTemplate;
}

/** A failed attempt that is no HTTP answer. */
export class DeliveryFailure extends Error {
  readonly retryable: boolean;
  readonly output: string;

  constructor(
    message: string,
    facts: { readonly retryable: boolean; readonly output?: string; readonly cause?: unknown },
  ) {
    super(message, facts.cause === undefined ? {} : { cause: facts.cause });
    this.name = 'DeliveryFailure';
    this.retryable = facts.retryable;
    this.output = facts.output ?? '';
  }
}
