import { sortedLabels } from './alert-identity.ts';
import { GO_ZERO_TIME, goTime } from './go-time.ts';
import { commonPairs } from './notification.ts';
import type { NotifiedAlert, Notification } from './notification.ts';
import { statusOf } from './template-data.ts';

/** Alertmanager's webhook message, version 4, field for field and in its order. */
export interface WebhookPayload {
  readonly receiver: string;
  readonly status: 'firing' | 'resolved';
  readonly alerts: readonly WebhookAlert[];
  readonly groupLabels: Readonly<Record<string, string>>;
  readonly commonLabels: Readonly<Record<string, string>>;
  readonly commonAnnotations: Readonly<Record<string, string>>;
  readonly externalURL: string;
  readonly version: '4';
  readonly groupKey: string;
  readonly truncatedAlerts: number;
}

interface WebhookAlert {
  readonly status: 'firing' | 'resolved';
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly generatorURL: string;
  readonly fingerprint: string;
}

/** `maxAlerts` 0 means all; what is common and the status are of those that are told. */
export function webhookPayload(
  notification: Notification,
  externalUrl: string,
  maxAlerts: number,
): WebhookPayload {
  const { alerts } = notification;
  const told = maxAlerts > 0 ? alerts.slice(0, maxAlerts) : alerts;
  return {
    receiver: notification.receiver,
    status: statusOf({ ...notification, alerts: told }),
    alerts: told.map(webhookAlert),
    groupLabels: sortedLabels(notification.groupLabels),
    commonLabels: commonPairs(told.map((alert) => alert.labels)),
    commonAnnotations: commonPairs(told.map((alert) => alert.annotations)),
    externalURL: externalUrl,
    version: '4',
    groupKey: notification.groupKey,
    truncatedAlerts: alerts.length - told.length,
  };
}

function webhookAlert(alert: NotifiedAlert): WebhookAlert {
  return {
    status: alert.status,
    labels: sortedLabels(alert.labels),
    annotations: sortedLabels(alert.annotations),
    startsAt: goTime(alert.startsAtMs),
    endsAt: alert.status === 'resolved' ? goTime(alert.endsAtMs) : GO_ZERO_TIME,
    generatorURL: alert.generatorUrl,
    fingerprint: alert.fingerprint,
  };
}
