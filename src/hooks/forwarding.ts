import { randomUUID } from 'node:crypto';
import type { NotifiedAlert, Notification } from './notification.ts';
import type { LaneSpec } from './receivers/create-lanes.ts';

/** Alerts for a receiver that groups by itself: all that one moment brought, in one notification. */
export function forwardedNotification(
  spec: LaneSpec,
  alerts: readonly NotifiedAlert[],
  nowMs: number,
): Notification {
  return {
    id: randomUUID(),
    lane: spec.name,
    receiver: spec.receiver,
    groupKey: `${spec.name}:forwarded`,
    groupLabels: {},
    alerts,
    createdAtMs: nowMs,
  };
}
