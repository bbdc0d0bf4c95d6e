import { sortedLabels } from './alert-identity.ts';
import { GO_ZERO_TIME } from './go-time.ts';
import { commonPairs, countFiring } from './notification.ts';
import type { NotifiedAlert, Notification } from './notification.ts';

/** Expands a Go template over data; throws where the template is wrong. In HTML, values are escaped. */
export type RenderTemplate = (text: string, data: unknown, form?: 'text' | 'html') => string;

/** Go's zero time, year 1: the end of an alert that still fires. */
const GO_ZERO_MS = Date.parse(GO_ZERO_TIME);

type Pairs = Readonly<Record<string, string>>;

/** An alert as templates see it; Alertmanager's names. */
export interface TemplateAlert {
  readonly Status: string;
  readonly Labels: Pairs;
  readonly Annotations: Pairs;
  readonly StartsAt: Date;
  readonly EndsAt: Date;
  readonly GeneratorURL: string;
  readonly Fingerprint: string;
  readonly Value: string;
}

type TemplateAlerts = readonly TemplateAlert[] & {
  readonly Firing: readonly TemplateAlert[];
  readonly Resolved: readonly TemplateAlert[];
};

/** What a template of a receiver is expanded over; Alertmanager's names. */
export interface TemplateData {
  readonly Receiver: string;
  readonly Status: 'firing' | 'resolved';
  readonly Alerts: TemplateAlerts;
  readonly GroupLabels: Pairs;
  readonly CommonLabels: Pairs;
  readonly CommonAnnotations: Pairs;
  readonly ExternalURL: string;
}

function templateData(notification: Notification, externalUrl: string): TemplateData {
  const alerts = notification.alerts.map(templateAlert);
  return {
    Receiver: notification.receiver,
    Status: statusOf(notification),
    Alerts: Object.assign(alerts, {
      Firing: alerts.filter((alert) => alert.Status === 'firing'),
      Resolved: alerts.filter((alert) => alert.Status === 'resolved'),
    }),
    GroupLabels: sortedLabels(notification.groupLabels),
    CommonLabels: commonPairs(notification.alerts.map((alert) => alert.labels)),
    CommonAnnotations: commonPairs(notification.alerts.map((alert) => alert.annotations)),
    ExternalURL: externalUrl,
  };
}

/** A group fires while any of its alerts does. */
export function statusOf(notification: Notification): 'firing' | 'resolved' {
  return countFiring(notification.alerts) > 0 ? 'firing' : 'resolved';
}

function templateAlert(alert: NotifiedAlert): TemplateAlert {
  return {
    Status: alert.status,
    Labels: sortedLabels(alert.labels),
    Annotations: sortedLabels(alert.annotations),
    StartsAt: new Date(alert.startsAtMs),
    EndsAt: new Date(alert.status === 'resolved' ? alert.endsAtMs : GO_ZERO_MS),
    GeneratorURL: alert.generatorUrl,
    Fingerprint: alert.fingerprint,
    Value: alert.value,
  };
}

/** Expands the templates of one notification. What has no template gets our own text; so does what fails, with the reason. */
export class MessageTexts {
  readonly data: TemplateData;
  readonly #render: RenderTemplate;

  constructor(notification: Notification, externalUrl: string, render: RenderTemplate) {
    this.data = templateData(notification, externalUrl);
    this.#render = render;
  }

  text(template: string | undefined, otherwise: () => string, form: 'text' | 'html' = 'text'): string {
    if (template === undefined) return otherwise();
    if (!template.includes('{{')) return template;
    try {
      return this.#render(template, this.data, form);
    } catch (error) {
      return `${otherwise()} <error expanding template: ${(error as Error).message}>`;
    }
  }

  /** `[FIRING:2] group labels (further common labels)`, as Alertmanager's. */
  title(): string {
    const { Status, Alerts, GroupLabels, CommonLabels } = this.data;
    const count = Status === 'firing' ? `:${Alerts.Firing.length}` : '';
    const further = Object.keys(CommonLabels).filter((name) => !Object.hasOwn(GroupLabels, name));
    const inGroup = Object.values(GroupLabels).join(' ');
    const rest = further.length > 0 ? ` (${further.map((name) => CommonLabels[name]).join(' ')})` : '';
    return `[${Status.toUpperCase()}${count}] ${inGroup}${rest}`.trim();
  }

  /** The alerts one after the other with labels, annotations and link. */
  list(alerts: readonly TemplateAlert[] = this.data.Alerts): string {
    return alerts.map(alertText).join('\n');
  }
}

function alertText(alert: TemplateAlert): string {
  const lines = [
    `${alert.Status === 'firing' ? 'Firing' : 'Resolved'}: ${alert.Labels['alertname'] ?? '(no name)'}`,
  ];
  for (const [name, value] of Object.entries(alert.Annotations)) lines.push(`  ${name}: ${value}`);
  // Alerts that others send have none.
  if (alert.Value !== '') lines.push(`  value: ${alert.Value}`);
  lines.push(
    `  labels: ${Object.entries(alert.Labels)
      .map(([name, value]) => `${name}=${value}`)
      .join(', ')}`,
  );
  lines.push(`  since: ${alert.StartsAt.toISOString()}`);
  if (alert.Status === 'resolved') lines.push(`  until: ${alert.EndsAt.toISOString()}`);
  if (alert.GeneratorURL !== '') lines.push(`  source: ${alert.GeneratorURL}`);
  return lines.join('\n');
}
