import type { SlackConfig } from '../../config/receiver-schema.ts';
import type { Secret } from '../../platform/secret.ts';
import type { Notification } from '../notification.ts';
import { MessageTexts } from '../template-data.ts';
import { JsonPoster, secretsOf, secretsOfUrl } from './http-sender.ts';
import type { Sender, SenderContext } from './sender.ts';

const MAX_TITLE = 1024;
const MAX_TEXT = 30_000;

/** Posts one attachment to an incoming webhook of Slack or of what understands the same. */
export class SlackSender implements Sender {
  readonly secrets: readonly Secret[];
  readonly #config: SlackConfig;
  readonly #context: SenderContext;
  readonly #poster: JsonPoster;

  constructor(config: SlackConfig, context: SenderContext) {
    this.#config = config;
    this.#context = context;
    this.#poster = new JsonPoster(config.http_config, config.timeout, context.clock);
    this.secrets = [...secretsOfUrl(config.api_url), ...secretsOf(config.http_config)];
  }

  async send(notification: Notification, signal: AbortSignal): Promise<string> {
    return this.#poster.post(this.#config.api_url.reveal(), this.#message(notification), signal);
  }

  async close(): Promise<void> {
    await this.#poster.close();
  }

  #message(notification: Notification): object {
    const texts = new MessageTexts(notification, this.#context.externalUrl, this.#context.renderTemplate);
    const config = this.#config;
    const title = texts.text(config.title, () => escapeSlack(texts.title())).slice(0, MAX_TITLE);
    return {
      ...(config.channel === undefined ? {} : { channel: texts.text(config.channel, () => '') }),
      username: texts.text(config.username, () => 'Taffrail'),
      ...(config.icon_emoji === undefined ? {} : { icon_emoji: texts.text(config.icon_emoji, () => '') }),
      ...(config.icon_url === undefined ? {} : { icon_url: texts.text(config.icon_url, () => '') }),
      attachments: [
        {
          title,
          title_link: texts.text(config.title_link, () => texts.data.ExternalURL),
          text: texts.text(config.text, () => escapeSlack(texts.list())).slice(0, MAX_TEXT),
          fallback: title,
          color: texts.text(config.color, () => (texts.data.Status === 'firing' ? 'danger' : 'good')),
          mrkdwn_in: ['fallback', 'pretext', 'text'],
        },
      ],
    };
  }
}

/** Text from logs must not become a mention or a link. */
function escapeSlack(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
