import { createHash } from 'node:crypto';
import type { PagerdutyConfig } from '../../config/receiver-schema.ts';
import type { Secret } from '../../platform/secret.ts';
import type { Notification } from '../notification.ts';
import { MessageTexts } from '../template-data.ts';
import { JsonPoster, secretsOf } from './http-sender.ts';
import type { Sender, SenderContext } from './sender.ts';

const MAX_SUMMARY = 1024;
/** An event may have 512 KB in all. */
const MAX_DETAIL = 32 * 1024;

/** Sends an event to PagerDuty (Events API v2): one incident a group, resolved when none of its alerts fires. */
export class PagerdutySender implements Sender {
  readonly secrets: readonly Secret[];
  readonly #config: PagerdutyConfig;
  readonly #context: SenderContext;
  readonly #poster: JsonPoster;

  constructor(config: PagerdutyConfig, context: SenderContext) {
    this.#config = config;
    this.#context = context;
    this.#poster = new JsonPoster(config.http_config, config.timeout, context.clock);
    this.secrets = [config.routing_key, ...secretsOf(config.http_config)];
  }

  async send(notification: Notification, signal: AbortSignal): Promise<string> {
    return this.#poster.post(this.#config.url, this.#event(notification), signal);
  }

  async close(): Promise<void> {
    await this.#poster.close();
  }

  #event(notification: Notification): object {
    const texts = new MessageTexts(notification, this.#context.externalUrl, this.#context.renderTemplate);
    const config = this.#config;
    const event = {
      routing_key: config.routing_key.reveal(),
      event_action: texts.data.Status === 'firing' ? 'trigger' : 'resolve',
      dedup_key: createHash('sha256').update(notification.groupKey).digest('hex'),
    };
    if (event.event_action === 'resolve') return event;
    const client = texts.text(config.client, () => 'Taffrail');
    return {
      ...event,
      client,
      client_url: texts.text(config.client_url, () => texts.data.ExternalURL),
      payload: {
        summary: texts.text(config.description, () => texts.title()).slice(0, MAX_SUMMARY),
        source: texts.text(config.source, () => client),
        severity: texts.text(config.severity, () => 'error'),
        ...this.#optional(texts, 'component'),
        ...this.#optional(texts, 'group'),
        ...this.#optional(texts, 'class'),
        custom_details: this.#details(texts),
      },
    };
  }

  #optional(texts: MessageTexts, field: 'component' | 'group' | 'class'): Record<string, string> {
    const template = this.#config[field];
    return template === undefined ? {} : { [field]: texts.text(template, () => '') };
  }

  #details(texts: MessageTexts): Record<string, string> {
    const { Firing, Resolved } = texts.data.Alerts;
    const own = Object.entries(this.#config.details).map(([name, template]) => [
      name,
      texts.text(template, () => ''),
    ]);
    return {
      firing: texts.list(Firing).slice(0, MAX_DETAIL),
      resolved: texts.list(Resolved).slice(0, MAX_DETAIL),
      num_firing: String(Firing.length),
      num_resolved: String(Resolved.length),
      ...Object.fromEntries(own),
    };
  }
}
