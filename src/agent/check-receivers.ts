import type { AlertingConfig, ReceiverConfig } from '../config/alerting-schema.ts';
import type { ProblemAt } from '../config/checked-yaml.ts';
import type { Notification, NotifiedAlert } from '../hooks/notification.ts';
import { MessageTexts } from '../hooks/template-data.ts';
import type { Problem } from '../model/problem.ts';
import { TemplateError } from '../template/template-value.ts';
import { parseNotificationTemplate, renderNotification } from './render-notification.ts';

/** Which options of which way of telling are templates; those of a record are so value by value. */
const TEMPLATES = {
  slack_configs: ['channel', 'username', 'icon_emoji', 'icon_url', 'color', 'title', 'title_link', 'text'],
  email_configs: ['headers', 'html', 'text'],
  pagerduty_configs: [
    'client',
    'client_url',
    'description',
    'severity',
    'source',
    'component',
    'group',
    'class',
    'details',
  ],
} as const satisfies Partial<Record<keyof ReceiverConfig, readonly string[]>>;

/** Mistakes that any notification would show; others depend on the alert, such as an index beyond the end. */
const ALWAYS_WRONG = /can't evaluate field|wrong type for value|wrong number of args|not defined/;

/** The mistakes in the templates of receivers, found before somebody has to be told of an alert. */
export function templateProblems(config: AlertingConfig, problemAt: ProblemAt): readonly Problem[] {
  return config.receivers.flatMap((receiver, index) =>
    Object.entries(TEMPLATES).flatMap(([way, options]) =>
      receiver[way as keyof typeof TEMPLATES].flatMap((one, at) =>
        options.flatMap((option) =>
          texts((one as Readonly<Record<string, unknown>>)[option]).flatMap(([key, text]) => {
            const message = mistake(text);
            const path = ['receivers', index, way, at, option, ...key];
            return message === undefined ? [] : [problemAt(path, message)];
          }),
        ),
      ),
    ),
  );
}

function texts(value: unknown): readonly (readonly [readonly string[], string])[] {
  if (typeof value === 'string') return [[[], value]];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, text]) =>
    typeof text === 'string' ? [[[key], text] as const] : [],
  );
}

function mistake(text: string): string | undefined {
  if (!text.includes('{{')) return undefined;
  try {
    parseNotificationTemplate(text);
  } catch (error) {
    if (error instanceof TemplateError) return error.message;
    throw error;
  }
  try {
    renderNotification(text, new MessageTexts(EXAMPLE, 'http://localhost', renderNotification).data);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    if (ALWAYS_WRONG.test(error.message)) return error.message;
  }
  return undefined;
}

const EXAMPLE_ALERT: NotifiedAlert = {
  labels: { alertname: 'Example', severity: 'warning', instance: 'a' },
  annotations: { summary: 'An example.', description: 'An example.' },
  startsAtMs: 0,
  endsAtMs: 1,
  status: 'firing',
  generatorUrl: 'http://localhost',
  value: '1',
  fingerprint: '0000000000000000',
};

const EXAMPLE: Notification = {
  id: '',
  lane: '',
  receiver: 'example',
  groupKey: '{}:{alertname="Example"}',
  groupLabels: { alertname: 'Example' },
  alerts: [EXAMPLE_ALERT, { ...EXAMPLE_ALERT, status: 'resolved' }],
  createdAtMs: 0,
};
