import { z } from 'zod';
import { Secret } from '../platform/secret.ts';
import { duration } from './units.ts';

const text = (max = 64 * 1024) => z.string().max(max);

/** Read as a Secret, so that it cannot be printed by accident. Write `${env:NAME}` or `${file:PATH}`. */
const secret = () =>
  z
    .string()
    .min(1, { error: 'must not be empty' })
    .transform((value) => new Secret(value));

const isHttpUrl = (value: string): boolean =>
  URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
const httpUrl = () => z.string().refine(isHttpUrl, { error: 'expected an http:// or https:// URL' });
const secretUrl = () => httpUrl().transform((value) => new Secret(value));

const tlsConfig = z
  .strictObject({
    ca_file: z
      .string()
      .min(1)
      .optional()
      .describe("PEM file of the CAs that may sign the server's certificate. The system's CAs by default."),
    cert_file: z.string().min(1).optional().describe('PEM file of the certificate we show. None by default.'),
    key_file: z.string().min(1).optional().describe("PEM file of that certificate's key. None by default."),
    server_name: z
      .string()
      .min(1)
      .optional()
      .describe("The name expected in the server's certificate. The host of the address by default."),
    insecure_skip_verify: z
      .boolean()
      .default(false)
      .describe('Accept any certificate; only for trying things out. False by default.'),
  })
  .refine((tls) => (tls.cert_file === undefined) === (tls.key_file === undefined), {
    error: 'cert_file and key_file go together',
  });

const httpConfigSchema = z
  .strictObject({
    authorization: z
      .strictObject({
        type: z
          .string()
          .min(1)
          .default('Bearer')
          .describe('The scheme in the Authorization header. Bearer by default.'),
        credentials: secret().describe('The token. Required.'),
      })
      .optional()
      .describe('Sends an Authorization header. None by default.'),
    bearer_token: secret().optional().describe('Short for authorization with type Bearer. None by default.'),
    basic_auth: z
      .strictObject({
        username: z.string().describe("The user's name. Required."),
        password: secret().describe('The password. Required.'),
      })
      .optional()
      .describe('Sends name and password. None by default.'),
    headers: z
      .record(
        z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, { error: 'expected a header name' }),
        secret(),
      )
      .default({})
      .describe('Further headers. None by default.'),
    tls_config: tlsConfig
      .prefault({})
      .describe("How TLS is done. Verified against the system's CAs by default."),
  })
  .refine(
    (http) =>
      [http.authorization, http.bearer_token, http.basic_auth].filter((way) => way !== undefined).length <= 1,
    {
      error: 'authorization, bearer_token and basic_auth exclude each other',
    },
  );

const delivery = {
  timeout: duration({ min: '100ms', max: '10m' })
    .prefault('30s')
    .describe('Time limit of one attempt. 30s by default.'),
  retry_for: duration({ max: '30d' })
    .prefault('1d')
    .describe('How long failed attempts are repeated before the notification is given up. 1d by default.'),
  max_attempts: z
    .int()
    .min(0)
    .default(0)
    .describe('How many attempts a notification gets; 0 for as many as fit in retry_for. 0 by default.'),
  rate_limit: z
    .int()
    .min(1)
    .max(100_000)
    .default(60)
    .describe('Most attempts a minute; the rest waits. 60 by default.'),
  queue_limit: z
    .int()
    .min(1)
    .max(100_000)
    .default(1000)
    .describe('Most notifications that wait; beyond it the oldest is dropped and counted. 1000 by default.'),
};

const sendResolved = (value: boolean) =>
  z
    .boolean()
    .default(value)
    .describe(`Whether the end of alerts is told too. ${value ? 'True' : 'False'} by default.`);
const httpConfig = httpConfigSchema.prefault({}).describe('How the HTTP request is made. Plain by default.');

const execSchema = z.strictObject({
  command: z
    .array(z.string())
    .min(1, { error: 'needs at least the program' })
    .describe(
      'Program and arguments; no shell is involved. The alert group comes as JSON on standard input and in TAFFRAIL_ variables. Required.',
    ),
  env: z
    .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: 'expected a variable name' }), secret())
    .default({})
    .describe('Further environment variables. None by default.'),
  working_directory: z.string().min(1).default('/').describe('The folder in which it runs. / by default.'),
  send_resolved: sendResolved(true),
  ...delivery,
  max_attempts: z
    .int()
    .min(0)
    .default(5)
    .describe('How many attempts a notification gets; 0 for as many as fit in retry_for. 5 by default.'),
});

const webhookSchema = z.strictObject({
  url: secretUrl().describe("Where Alertmanager's JSON (version 4) is posted. Never printed. Required."),
  max_alerts: z
    .int()
    .min(0)
    .default(0)
    .describe('Most alerts in one message, the rest is counted in truncatedAlerts; 0 for all. 0 by default.'),
  http_config: httpConfig,
  send_resolved: sendResolved(true),
  ...delivery,
});

const alertmanagerSchema = z.strictObject({
  urls: z
    .array(httpUrl())
    .min(1, { error: 'needs at least one URL' })
    .describe(
      'Alertmanagers, each with its path prefix; all are told, and one that accepts is enough. Alerts go there ungrouped and again as long as they fire. Required.',
    ),
  http_config: httpConfig,
  send_resolved: sendResolved(true),
  ...delivery,
  timeout: duration({ min: '100ms', max: '10m' })
    .prefault('10s')
    .describe('Time limit of one attempt. 10s by default.'),
});

const emailSchema = z.strictObject({
  smarthost: z
    .string()
    .regex(/^(\[[0-9a-fA-F:]+\]|[^\s:]+):\d{1,5}$/, { error: 'expected host:port' })
    .describe('The SMTP server, as host:port; on port 465 TLS from the first byte. Required.'),
  from: text(320).min(1).describe("The sender's address. Required."),
  to: text(4096).min(1).describe("The receivers' addresses, separated by commas. Required."),
  hello: text(253).optional().describe("The name we greet the server with. The host's name by default."),
  auth_username: text(320).optional().describe('User for the SMTP server. None by default.'),
  auth_password: secret().optional().describe('Password for the SMTP server. None by default.'),
  require_tls: z.boolean().default(true).describe('Refuse to send without STARTTLS. True by default.'),
  tls_config: tlsConfig
    .prefault({})
    .describe("How TLS is done. Verified against the system's CAs by default."),
  headers: z
    .record(z.string().regex(/^[A-Za-z0-9-]+$/, { error: 'expected a header name' }), text(4096))
    .default({})
    .describe('Further headers as templates; Subject replaces ours. None by default.'),
  html: text().optional().describe('Template of the HTML body. A table of the alerts by default.'),
  text: text().optional().describe('Template of the text body. A list of the alerts by default.'),
  send_resolved: sendResolved(false),
  ...delivery,
});

const slackSchema = z.strictObject({
  api_url: secretUrl().describe(
    'The incoming webhook of Slack or of what is compatible. Never printed. Required.',
  ),
  channel: text(256).optional().describe('Channel or user, as a template. That of the webhook by default.'),
  username: text(256).default('Taffrail').describe('The name that speaks. Taffrail by default.'),
  icon_emoji: text(256).optional().describe('Emoji beside the name. None by default.'),
  icon_url: text(2048).optional().describe('Picture beside the name. None by default.'),
  color: text(256)
    .optional()
    .describe(
      'Template of the colour: good, warning, danger or #rrggbb. danger while firing, else good, by default.',
    ),
  title: text().optional().describe('Template of the title. Status, count and group by default.'),
  title_link: text(2048).optional().describe("Template of the title's link. Our own address by default."),
  text: text().optional().describe('Template of the text. A list of the alerts by default.'),
  http_config: httpConfig,
  send_resolved: sendResolved(false),
  ...delivery,
});

const pagerdutySchema = z.strictObject({
  routing_key: secret().describe('The integration key of the service (Events API v2). Required.'),
  url: httpUrl()
    .default('https://events.pagerduty.com/v2/enqueue')
    .describe("Where events are posted. PagerDuty's own address by default."),
  client: text(256).default('Taffrail').describe('Name of the sender. Taffrail by default.'),
  client_url: text(2048)
    .optional()
    .describe('Link to the sender, as a template. Our own address by default.'),
  description: text()
    .optional()
    .describe("Template of the incident's summary. Status, count and group by default."),
  severity: text(256)
    .default('error')
    .describe('Template of the severity: critical, error, warning or info. error by default.'),
  source: text(256).optional().describe("Template of what is affected. The client's name by default."),
  component: text(256).optional().describe('Template of the affected part. None by default.'),
  group: text(256).optional().describe('Template of the cluster of affected things. None by default.'),
  class: text(256).optional().describe('Template of the kind of event. None by default.'),
  details: z
    .record(z.string(), text())
    .default({})
    .describe(
      'Further details as templates. The firing and resolved alerts with their numbers are always there.',
    ),
  http_config: httpConfig,
  send_resolved: sendResolved(true),
  ...delivery,
});

export const receiverSchema = z
  .strictObject({
    name: z
      .string()
      .min(1, { error: 'must not be empty' })
      .max(256)
      .describe('How routes refer to it. Required.'),
    exec_configs: z.array(execSchema).default([]).describe('Programs to run. None by default.'),
    webhook_configs: z
      .array(webhookSchema)
      .default([])
      .describe("Addresses that take Alertmanager's JSON. None by default."),
    alertmanager_configs: z
      .array(alertmanagerSchema)
      .default([])
      .describe('Alertmanagers to forward alerts to. None by default.'),
    email_configs: z.array(emailSchema).default([]).describe('E-mails to send. None by default.'),
    slack_configs: z.array(slackSchema).default([]).describe('Slack or compatible chats. None by default.'),
    pagerduty_configs: z.array(pagerdutySchema).default([]).describe('PagerDuty services. None by default.'),
  })
  .describe(
    'Somebody who can be told; a receiver without any way of telling swallows its alerts, as in Alertmanager.',
  );

export type TlsConfig = z.output<typeof tlsConfig>;
export type HttpConfig = z.output<typeof httpConfigSchema>;
export type ExecConfig = z.output<typeof execSchema>;
export type WebhookConfig = z.output<typeof webhookSchema>;
export type AlertmanagerConfig = z.output<typeof alertmanagerSchema>;
export type EmailConfig = z.output<typeof emailSchema>;
export type SlackConfig = z.output<typeof slackSchema>;
export type PagerdutyConfig = z.output<typeof pagerdutySchema>;
/** What every way of telling has in common. */
export type DeliveryConfig = Pick<
  WebhookConfig,
  'timeout' | 'retry_for' | 'max_attempts' | 'rate_limit' | 'queue_limit' | 'send_resolved'
>;
