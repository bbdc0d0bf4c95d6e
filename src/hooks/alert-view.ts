import { AlertMatcher, compareBytes } from '../model/alert-matcher.ts';
import type { Labels } from '../model/series.ts';
import { sortedLabels } from './alert-identity.ts';
import { goTime } from './go-time.ts';
import { isResolved } from './notification.ts';
import type { StoredAlert } from './notification.ts';

/** Alertmanager's API v2 `gettableAlert`. */
export interface GettableAlert {
  readonly annotations: Readonly<Record<string, string>>;
  readonly endsAt: string;
  readonly fingerprint: string;
  readonly receivers: readonly { readonly name: string }[];
  readonly startsAt: string;
  readonly status: {
    readonly inhibitedBy: readonly string[];
    readonly silencedBy: readonly string[];
    readonly state: 'active' | 'suppressed';
  };
  readonly updatedAt: string;
  readonly generatorURL?: string;
  readonly labels: Labels;
}

/** Alertmanager's API v2 `alertGroup`. */
export interface AlertGroupView {
  readonly alerts: readonly GettableAlert[];
  readonly labels: Labels;
  readonly receiver: { readonly name: string };
}

/** What is asked for, in the words of Alertmanager's API: everything that fires, unless told otherwise. */
export interface AlertQuery {
  readonly active: boolean;
  readonly silenced: boolean;
  readonly inhibited: boolean;
  readonly filter: readonly AlertMatcher[];
  /** A regular expression over the whole name of a receiver. */
  readonly receiver: AlertMatcher | undefined;
}

/** The hooks at one moment. */
export interface AlertMoment {
  readonly nowMs: number;
  readonly alerts: readonly StoredAlert[];
  readonly groups: readonly {
    readonly receiver: string;
    readonly labels: Labels;
    readonly alerts: readonly StoredAlert[];
  }[];
  readonly receiversOf: (alert: StoredAlert) => readonly string[];
  /** Ids of silences. */
  readonly silencedBy: (labels: Labels) => readonly string[];
  /** Fingerprints of alerts. */
  readonly inhibitedBy: (labels: Labels) => readonly string[];
}

/** Alerts that fire, by fingerprint. */
export function alertsView(moment: AlertMoment, query: AlertQuery): readonly GettableAlert[] {
  return moment.alerts
    .filter((alert) => receiverMatches(query, moment.receiversOf(alert)))
    .flatMap((alert) => shown(alert, moment, query))
    .sort((a, b) => compareBytes(a.fingerprint, b.fingerprint));
}

/** Groups with alerts that fire, by their labels and then by receiver. */
export function groupsView(moment: AlertMoment, query: AlertQuery): readonly AlertGroupView[] {
  return moment.groups
    .filter(({ receiver }) => receiverMatches(query, [receiver]))
    .map(({ receiver, labels, alerts }) => ({
      alerts: alerts
        .flatMap((alert) => shown(alert, moment, query))
        .sort((a, b) => compareBytes(a.fingerprint, b.fingerprint)),
      labels: sortedLabels(labels),
      receiver: { name: receiver },
    }))
    .filter(({ alerts }) => alerts.length > 0)
    .sort((a, b) =>
      compareBytes(JSON.stringify([a.labels, a.receiver]), JSON.stringify([b.labels, b.receiver])),
    );
}

/**
 * Alertmanager's meaning of a filter: a matcher for an empty value is about whether the label is there at all.
 */
export function matchesFilter(filter: readonly AlertMatcher[], labels: Labels): boolean {
  return filter.every((matcher) => {
    const isThere = Object.hasOwn(labels, matcher.name);
    if (matcher.value === '') {
      const wantsAbsence = matcher.kind === '=' || matcher.kind === '=~';
      if (isThere !== wantsAbsence) return true;
    }
    return matcher.matches(labels);
  });
}

function receiverMatches({ receiver }: AlertQuery, names: readonly string[]): boolean {
  return receiver === undefined || names.some((name) => receiver.matches({ receiver: name }));
}

function shown(alert: StoredAlert, moment: AlertMoment, query: AlertQuery): readonly GettableAlert[] {
  if (isResolved(alert, moment.nowMs) || !matchesFilter(query.filter, alert.labels)) return [];
  const silencedBy = moment.silencedBy(alert.labels);
  const inhibitedBy = moment.inhibitedBy(alert.labels);
  const isActive = silencedBy.length + inhibitedBy.length === 0;
  if (!query.active && isActive) return [];
  if (!query.silenced && silencedBy.length > 0) return [];
  if (!query.inhibited && inhibitedBy.length > 0) return [];
  return [
    {
      annotations: sortedLabels(alert.annotations),
      endsAt: goTime(alert.endsAtMs),
      fingerprint: alert.fingerprint,
      receivers: moment.receiversOf(alert).map((name) => ({ name })),
      startsAt: goTime(alert.startsAtMs),
      status: { inhibitedBy, silencedBy, state: isActive ? 'active' : 'suppressed' },
      updatedAt: goTime(alert.receivedAtMs),
      ...(alert.generatorUrl === '' ? {} : { generatorURL: alert.generatorUrl }),
      labels: sortedLabels(alert.labels),
    },
  ];
}
