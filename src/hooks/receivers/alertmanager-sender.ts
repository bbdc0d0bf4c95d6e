import type { AlertmanagerConfig } from '../../config/receiver-schema.ts';
import { HttpFailure } from '../../platform/http-failure.ts';
import type { Secret } from '../../platform/secret.ts';
import { sortedLabels } from '../alert-identity.ts';
import { goTime } from '../go-time.ts';
import type { NotifiedAlert, Notification } from '../notification.ts';
import { JsonPoster, secretsOf } from './http-sender.ts';
import type { Sender, SenderContext } from './sender.ts';

const BATCH = 256;

/**
 * Hands alerts to Alertmanagers (API v2), as Prometheus does: all instances are told, and one that accepts is
 * enough, since instances of a cluster tell each other and alerts are sent again while they fire.
 */
export class AlertmanagerSender implements Sender {
  readonly secrets: readonly Secret[];
  readonly #urls: readonly string[];
  readonly #poster: JsonPoster;

  constructor(config: AlertmanagerConfig, context: SenderContext) {
    this.#urls = config.urls.map((url) => `${url.replace(/\/+$/, '')}/api/v2/alerts`);
    this.#poster = new JsonPoster(config.http_config, config.timeout, context.clock);
    this.secrets = secretsOf(config.http_config);
  }

  async send(notification: Notification, signal: AbortSignal): Promise<string> {
    const results = await Promise.allSettled(
      this.#urls.map(async (url) => this.#sendTo(url, notification.alerts, signal)),
    );
    const failures = results
      .filter((result) => result.status === 'rejected')
      .map((result) => asFailure(result.reason));
    if (failures.length < results.length) {
      const missed = failures.map((failure) => `; ${failure.message}`).join('');
      return `accepted by ${results.length - failures.length} of ${results.length}${missed}`;
    }
    throw allFailed(failures);
  }

  async close(): Promise<void> {
    await this.#poster.close();
  }

  async #sendTo(url: string, alerts: readonly NotifiedAlert[], signal: AbortSignal): Promise<void> {
    for (let from = 0; from < alerts.length; from += BATCH) {
      await this.#poster.post(url, alerts.slice(from, from + BATCH).map(postable), signal);
    }
  }
}

function postable(alert: NotifiedAlert): object {
  return {
    labels: sortedLabels(alert.labels),
    annotations: sortedLabels(alert.annotations),
    startsAt: goTime(alert.startsAtMs),
    endsAt: goTime(alert.endsAtMs),
    generatorURL: alert.generatorUrl,
  };
}

function asFailure(error: unknown): HttpFailure {
  if (error instanceof HttpFailure) return error;
  return new HttpFailure((error as Error).message, { retryable: true, cause: error });
}

function allFailed(failures: readonly HttpFailure[]): HttpFailure {
  const waits = failures.map((failure) => failure.retryAfterMs).filter((wait) => wait !== undefined);
  return new HttpFailure(
    `no Alertmanager accepted: ${failures.map((failure) => failure.message).join('; ')}`,
    {
      retryable: failures.some((failure) => failure.retryable),
      ...(waits.length === 0 ? {} : { retryAfterMs: Math.min(...waits) }),
    },
  );
}
