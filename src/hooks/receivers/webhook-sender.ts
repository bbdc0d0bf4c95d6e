import type { WebhookConfig } from '../../config/receiver-schema.ts';
import type { Secret } from '../../platform/secret.ts';
import type { Notification } from '../notification.ts';
import { webhookPayload } from '../webhook-payload.ts';
import { JsonPoster, secretsOf, secretsOfUrl } from './http-sender.ts';
import type { Sender, SenderContext } from './sender.ts';

/** Posts Alertmanager's JSON. A repeat after a crash has the same Idempotency-Key. */
export class WebhookSender implements Sender {
  readonly secrets: readonly Secret[];
  readonly #config: WebhookConfig;
  readonly #context: SenderContext;
  readonly #poster: JsonPoster;

  constructor(config: WebhookConfig, context: SenderContext) {
    this.#config = config;
    this.#context = context;
    this.#poster = new JsonPoster(config.http_config, config.timeout, context.clock);
    this.secrets = [...secretsOfUrl(config.url), ...secretsOf(config.http_config)];
  }

  async send(notification: Notification, signal: AbortSignal): Promise<string> {
    const payload = webhookPayload(notification, this.#context.externalUrl, this.#config.max_alerts);
    return this.#poster.post(this.#config.url.reveal(), payload, signal, {
      'idempotency-key': notification.id,
    });
  }

  async close(): Promise<void> {
    await this.#poster.close();
  }
}
