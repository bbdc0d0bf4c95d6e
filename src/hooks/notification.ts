import type { AlertChange } from '../model/alert.ts';
import type { Labels } from '../model/series.ts';

/** An alert as the hooks keep it. */
export interface StoredAlert extends AlertChange {
  readonly fingerprint: string;
  /** When it was last heard of; with endsAtMs, how long silence must last to mean that it ended. */
  readonly receivedAtMs: number;
}

/** An alert as a notification tells it; its status was settled when the notification was made. */
export type NotifiedAlert = Omit<StoredAlert, 'receivedAtMs'>;

/** What one way of telling (a lane) owes to people. Its content is fixed: a repeat after a crash is the same. */
export interface Notification {
  readonly id: string;
  readonly lane: string;
  readonly receiver: string;
  /** Alertmanager's groupKey; for forwarded alerts the lane's own. */
  readonly groupKey: string;
  readonly groupLabels: Labels;
  readonly alerts: readonly NotifiedAlert[];
  readonly createdAtMs: number;
}

export type FateStatus = 'delivered' | 'failed' | 'expired' | 'dropped' | 'retrying';

/** What became of a notification. */
export interface Fate {
  readonly id: string;
  readonly lane: string;
  readonly groupKey: string;
  readonly status: FateStatus;
  readonly firing: number;
  readonly resolved: number;
  readonly createdAtMs: number;
  readonly atMs: number;
  readonly attempts: number;
  readonly error?: string;
  /** What the receiver answered or the program printed, cut. */
  readonly output?: string;
}

export function isResolved(alert: Pick<AlertChange, 'status' | 'endsAtMs'>, nowMs: number): boolean {
  return alert.status === 'resolved' || alert.endsAtMs <= nowMs;
}

export function countFiring(alerts: readonly NotifiedAlert[]): number {
  return alerts.filter((alert) => alert.status === 'firing').length;
}

/** Labels (or annotations) that all alerts share with the same value. */
export function commonPairs(sets: readonly Readonly<Record<string, string>>[]): Record<string, string> {
  const [first, ...rest] = sets;
  const names = Object.keys(first ?? {}).sort();
  const shared = names.filter((name) =>
    rest.every((set) => Object.hasOwn(set, name) && set[name] === first![name]),
  );
  return Object.fromEntries(shared.map((name) => [name, first![name]!]));
}
