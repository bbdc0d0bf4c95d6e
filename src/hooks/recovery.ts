import type { HookRecord, HookState } from './hook-state.ts';
import { countFiring } from './notification.ts';
import type { Fate, Notification } from './notification.ts';

/** Longest time that an alert is believed to fire after a start without being heard of. */
const MAX_PATIENCE_MS = 900_000;
/** How long the notification log remembers; Alertmanager's default. */
const LOG_KEPT_MS = 120 * 3_600_000;

/**
 * While we were down nobody could tell us that an alert still fires. So a firing alert whose end has come
 * meanwhile gets the same time anew, counted from the start; else each restart would tell of false resolutions.
 */
export function afterDowntime(state: HookState, nowMs: number): readonly HookRecord[] {
  const records: HookRecord[] = [];
  for (const alert of state.alerts.values()) {
    if (alert.status !== 'firing' || alert.endsAtMs <= alert.receivedAtMs) continue;
    const endsAtMs = nowMs + Math.min(alert.endsAtMs - alert.receivedAtMs, MAX_PATIENCE_MS);
    if (endsAtMs > alert.endsAtMs) records.push({ kind: 'alert', alert: { ...alert, endsAtMs } });
  }
  return records;
}

/** Settles what is owed to receivers that are not configured any more. */
export function orphaned(state: HookState, lanes: ReadonlySet<string>, nowMs: number): readonly HookRecord[] {
  const owed = [...state.queued.values()].filter((notification) => !lanes.has(notification.lane));
  return owed.map((notification) => ({ kind: 'settled', fate: droppedFate(notification, nowMs) }));
}

function droppedFate({ id, lane, groupKey, alerts, createdAtMs }: Notification, nowMs: number): Fate {
  const firing = countFiring(alerts);
  const error = 'the receiver is no longer configured';
  return {
    id,
    lane,
    groupKey,
    status: 'dropped',
    firing,
    resolved: alerts.length - firing,
    createdAtMs,
    atMs: nowMs,
    attempts: 0,
    error,
  };
}

export function outdatedLog(
  state: HookState,
  nowMs: number,
  repeatIntervalMs: number,
): readonly HookRecord[] {
  const old = state.toldBefore(nowMs - Math.max(LOG_KEPT_MS, 2 * repeatIntervalMs));
  return old.map(({ lane, groupKey }) => ({ kind: 'told_gone', lane, groupKey }));
}
