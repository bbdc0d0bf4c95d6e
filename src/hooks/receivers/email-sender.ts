import { readFileSync } from 'node:fs';
import type { EmailConfig, TlsConfig } from '../../config/receiver-schema.ts';
import { faultPoint } from '../../platform/fault.ts';
import { codeOf, wordsFor } from '../../platform/http-failure.ts';
import type { Secret } from '../../platform/secret.ts';
import type { Notification } from '../notification.ts';
import { MessageTexts } from '../template-data.ts';
import type { TemplateAlert } from '../template-data.ts';
import { bodyText, headerText } from './clean-text.ts';
import { DeliveryFailure } from './sender.ts';
import type { Sender, SenderContext } from './sender.ts';

const SMTPS_PORT = 465;
/** Bytes of a subject, and of another header: RFC 5322 allows 998 in a line, and encoding takes some. */
const HEADER_BYTES_MAX = 500;

/** Sends a mail with a text and an HTML body, over one connection a mail. A repeat has the same Message-ID. */
export class EmailSender implements Sender {
  readonly secrets: readonly Secret[];
  readonly #config: EmailConfig;
  readonly #context: SenderContext;
  readonly #tls: Record<string, unknown>;

  constructor(config: EmailConfig, context: SenderContext) {
    this.#config = config;
    this.#context = context;
    this.#tls = tlsOf(config.tls_config);
    this.secrets = config.auth_password === undefined ? [] : [config.auth_password];
  }

  async send(notification: Notification, signal: AbortSignal): Promise<string> {
    const transport = await this.#transport();
    const timer = this.#context.clock.setTimeout(() => transport.close(), this.#config.timeout);
    const onAbort = (): void => transport.close();
    signal.addEventListener('abort', onAbort);
    try {
      faultPoint('hooks.email.before');
      const { response } = await transport.sendMail(this.#mail(notification));
      faultPoint('hooks.email.after');
      return response;
    } catch (error) {
      throw this.#failure(error);
    } finally {
      signal.removeEventListener('abort', onAbort);
      timer.cancel();
      transport.close();
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Loaded with the first mail: most agents send none, and it takes 12 MiB. */
  async #transport() {
    const { createTransport } = await import('nodemailer');
    const {
      smarthost,
      hello,
      auth_username: user,
      auth_password: password,
      require_tls: requireTLS,
      timeout,
    } = this.#config;
    const at = smarthost.lastIndexOf(':');
    const port = Number(smarthost.slice(at + 1));
    return createTransport({
      host: smarthost.slice(0, at).replace(/^\[|\]$/g, ''),
      port,
      secure: port === SMTPS_PORT,
      requireTLS: requireTLS && port !== SMTPS_PORT,
      ...(hello === undefined ? {} : { name: hello }),
      ...(user === undefined ? {} : { auth: { user, pass: password?.reveal() ?? '' } }),
      tls: this.#tls,
      connectionTimeout: timeout,
      greetingTimeout: timeout,
      socketTimeout: timeout,
      dnsTimeout: timeout,
      disableFileAccess: true,
      disableUrlAccess: true,
    });
  }

  #mail(notification: Notification) {
    const texts = new MessageTexts(notification, this.#context.externalUrl, this.#context.renderTemplate);
    const { Subject: subject, ...headers } = this.#config.headers;
    const domain = /@([A-Za-z0-9.-]+)/.exec(this.#config.from)?.[1] ?? 'taffrail.invalid';
    return {
      from: this.#config.from,
      to: this.#config.to,
      subject: headerText(
        texts.text(subject, () => texts.title()),
        HEADER_BYTES_MAX,
      ),
      headers: Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [
          name,
          headerText(
            texts.text(value, () => ''),
            HEADER_BYTES_MAX,
          ),
        ]),
      ),
      messageId: `<${notification.id}@${domain}>`,
      text: bodyText(texts.text(this.#config.text, () => `${texts.title()}\n\n${texts.list()}\n`)),
      html: bodyText(texts.text(this.#config.html, () => htmlBody(texts), 'html')),
    };
  }

  /** SMTP 5xx is final, save what a wrong password earns: somebody may put that right on the server. */
  #failure(error: unknown): DeliveryFailure {
    const { responseCode } = error as { responseCode?: number };
    if (responseCode !== undefined) {
      return new DeliveryFailure(`${this.#config.smarthost}: ${headerText((error as Error).message, 2000)}`, {
        retryable: responseCode < 500 || responseCode === 535,
        cause: error,
      });
    }
    return new DeliveryFailure(wordsFor(socketCodeOf(error), this.#config.smarthost, error), {
      retryable: true,
      cause: error,
    });
  }
}

/** nodemailer wraps socket errors in codes of its own (ESOCKET) and leaves the system's code in the message. */
function socketCodeOf(error: unknown): string {
  const code = codeOf(error);
  return code === 'ESOCKET' || code === 'EDNS' || code === 'ECONNECTION'
    ? (/\b(E[A-Z]{4,}|[A-Z]+(?:_[A-Z]+){2,})\b/.exec((error as Error).message)?.[1] ?? code)
    : code;
}

function tlsOf(config: TlsConfig): Record<string, unknown> {
  const read = (file: string | undefined, option: string) =>
    file === undefined ? {} : { [option]: readFileSync(file) };
  return {
    ...read(config.ca_file, 'ca'),
    ...read(config.cert_file, 'cert'),
    ...read(config.key_file, 'key'),
    ...(config.server_name === undefined ? {} : { servername: config.server_name }),
    rejectUnauthorized: !config.insecure_skip_verify,
  };
}

function htmlBody(texts: MessageTexts): string {
  const rows = texts.data.Alerts.map(htmlAlert).join('\n');
  const link =
    texts.data.ExternalURL === ''
      ? ''
      : `<p><a href="${escapeHtml(texts.data.ExternalURL)}">Taffrail</a></p>`;
  return `<!doctype html>
<html><body style="font-family:sans-serif">
<h2>${escapeHtml(texts.title())}</h2>
<table cellpadding="6" style="border-collapse:collapse" border="1">
<tr><th>Status</th><th>Alert</th><th>Annotations</th><th>Labels</th><th>Value</th><th>Since (UTC)</th></tr>
${rows}
</table>
${link}
</body></html>
`;
}

function htmlAlert(alert: TemplateAlert): string {
  const pairs = (set: Readonly<Record<string, string>>): string =>
    Object.entries(set)
      .map(([name, value]) => `<b>${escapeHtml(name)}</b>: ${escapeHtml(value)}`)
      .join('<br>');
  const cells = [
    alert.Status === 'firing'
      ? '<b style="color:#b00020">firing</b>'
      : '<span style="color:#1b7f3b">resolved</span>',
    htmlName(alert),
    pairs(alert.Annotations),
    pairs(alert.Labels),
    escapeHtml(alert.Value),
    alert.StartsAt.toISOString().slice(0, 19).replace('T', ' '),
  ];
  return `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
}

function htmlName(alert: TemplateAlert): string {
  const name = escapeHtml(alert.Labels['alertname'] ?? '(no name)');
  return /^https?:\/\//.test(alert.GeneratorURL)
    ? `<a href="${escapeHtml(alert.GeneratorURL)}">${name}</a>`
    : name;
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
