import { randomUUID } from 'node:crypto';
import type { Labels } from '../model/series.ts';
import { toldNow } from './aggregation.ts';
import type { HookRecord } from './hook-state.ts';
import type { NotifiedAlert, Notification, StoredAlert } from './notification.ts';
import type { LaneSpec } from './receivers/create-lanes.ts';

export interface Forwarding {
  readonly alerts: readonly StoredAlert[];
  readonly lanes: readonly LaneSpec[];
  readonly receiversOf: (alert: StoredAlert) => readonly string[];
  readonly mutes: (labels: Labels) => boolean;
  readonly nowMs: number;
}

/**
 * What is to be handed on ungrouped to receivers that group by themselves: one notification a lane for all that
 * one moment brought, each alert once however many routes lead there.
 */
export function forwardRecords({
  alerts,
  lanes,
  receiversOf,
  mutes,
  nowMs,
}: Forwarding): readonly HookRecord[] {
  const forwarding = lanes.filter((lane) => lane.forwards);
  if (forwarding.length === 0) return [];
  const byLane = new Map<LaneSpec, Map<string, NotifiedAlert>>();
  for (const alert of alerts) {
    if (mutes(alert.labels)) continue;
    const told = toldNow(alert, nowMs);
    const receivers = new Set(receiversOf(alert));
    for (const lane of forwarding) {
      if (!receivers.has(lane.receiver) || (told.status === 'resolved' && !lane.delivery.send_resolved))
        continue;
      const forLane = byLane.get(lane) ?? new Map<string, NotifiedAlert>();
      byLane.set(lane, forLane.set(told.fingerprint, told));
    }
  }
  return [...byLane].map(([lane, told]) => ({
    kind: 'queued',
    notification: forwarded(lane, [...told.values()], nowMs),
  }));
}

function forwarded(lane: LaneSpec, alerts: readonly NotifiedAlert[], nowMs: number): Notification {
  return {
    id: randomUUID(),
    lane: lane.name,
    receiver: lane.receiver,
    groupKey: `${lane.name}:forwarded`,
    groupLabels: {},
    alerts,
    createdAtMs: nowMs,
  };
}
