import { CLOCK_TOLERANCE_MS } from '../model/clock-tolerance.ts';
import { randomUUID } from 'node:crypto';
import type { AlertMoment } from './alert-view.ts';
import { formatLabels, compareAlerts } from './alert-identity.ts';
import type { GroupRecord, HookRecord, HookState } from './hook-state.ts';
import { needsUpdate } from './needs-update.ts';
import { isResolved } from './notification.ts';
import type { NotifiedAlert, Notification, StoredAlert } from './notification.ts';
import { groupKeyOf, groupLabelsOf, matchRoutes } from './route-tree.ts';
import type { Route } from './route-tree.ts';

/** What a flush needs to know of a lane. */
export interface LaneInfo {
  readonly name: string;
  readonly sendResolved: boolean;
}

interface Group {
  readonly id: string;
  readonly route: Route;
  readonly labels: Readonly<Record<string, string>>;
  readonly members: Set<string>;
  dueAtMs: number;
  flushed: boolean;
}

/**
 * Alertmanager's aggregation groups over the alerts of a HookState: which group an alert is in, when each group
 * is due, and what a due group owes to whom. Decides and returns records; it writes nothing itself, but its
 * groups already stand as if the records were applied.
 */
export class Aggregation {
  readonly #state: HookState;
  readonly #root: Route;
  readonly #groups = new Map<string, Group>();
  /** How many groups an alert is in. */
  readonly #memberships = new Map<string, number>();

  constructor(state: HookState, root: Route) {
    this.#state = state;
    this.#root = root;
  }

  get groupCount(): number {
    return this.#groups.size;
  }

  /** Puts every known alert where it belongs; times of groups that were there before are kept. */
  rebuild(nowMs: number): readonly HookRecord[] {
    const records: HookRecord[] = [];
    for (const alert of this.#state.alerts.values()) records.push(...this.place(alert, nowMs));
    for (const id of this.#state.groups.keys()) {
      if (!this.#groups.has(id)) records.push({ kind: 'group_gone', id });
    }
    for (const fingerprint of this.#state.alerts.keys()) {
      if (!this.#memberships.has(fingerprint)) records.push({ kind: 'alert_gone', fingerprint });
    }
    return records;
  }

  routesOf(alert: StoredAlert): readonly Route[] {
    return matchRoutes(this.#root, alert.labels);
  }

  /** An old alert (after a restart of the rules, say) does not wait for others to join. */
  place(alert: StoredAlert, nowMs: number): readonly HookRecord[] {
    const records: HookRecord[] = [];
    for (const route of this.routesOf(alert)) {
      const labels = groupLabelsOf(route, alert.labels);
      const id = `${route.id}:${formatLabels(labels)}`;
      const group = this.#groups.get(id) ?? this.#open(id, route, labels, nowMs, records);
      this.#join(group, alert.fingerprint);
      if (!group.flushed && alert.startsAtMs + route.groupWaitMs < nowMs && group.dueAtMs > nowMs) {
        group.dueAtMs = nowMs;
        records.push(recordOf(group));
      }
    }
    return records;
  }

  isMember(fingerprint: string): boolean {
    return this.#memberships.has(fingerprint);
  }

  /** The groups with those alerts that are known. */
  groups(): AlertMoment['groups'] {
    return [...this.#groups.values()].map(({ route, labels, members }) => ({
      receiver: route.receiver,
      labels,
      alerts: [...members].flatMap((fingerprint) => this.#state.alerts.get(fingerprint) ?? []),
    }));
  }

  nextDueMs(): number | undefined {
    let next: number | undefined;
    for (const { dueAtMs } of this.#groups.values()) if (next === undefined || dueAtMs < next) next = dueAtMs;
    return next;
  }

  due(nowMs: number): readonly string[] {
    return [...this.#groups.values()]
      .filter((group) => group.dueAtMs <= nowMs || group.dueAtMs > nowMs + longestWaitMs(group.route))
      .sort((a, b) => a.dueAtMs - b.dueAtMs)
      .map((group) => group.id);
  }

  /** What a group owes now. Resolved alerts leave it, and a group without alerts ends. */
  flush(
    id: string,
    nowMs: number,
    mutes: (alert: StoredAlert) => boolean,
    lanesOf: (receiver: string) => readonly LaneInfo[],
  ): readonly HookRecord[] {
    const group = this.#groups.get(id);
    if (group === undefined) return [];
    const alerts = [...group.members]
      .map((fingerprint) => this.#state.alerts.get(fingerprint))
      .filter((alert) => alert !== undefined);
    const heard = alerts
      .filter((alert) => !mutes(alert))
      .sort(compareAlerts)
      .map((alert) => toldNow(alert, nowMs));
    const records = lanesOf(group.route.receiver).flatMap((lane) => this.#tell(group, lane, heard, nowMs));
    for (const alert of alerts)
      if (isResolved(alert, nowMs)) records.push(...this.#leave(group, alert.fingerprint));
    group.flushed = true;
    group.dueAtMs = nowMs + group.route.groupIntervalMs;
    if (group.members.size > 0) records.push(recordOf(group));
    else {
      this.#groups.delete(id);
      records.push({ kind: 'group_gone', id });
    }
    return records;
  }

  #tell(group: Group, lane: LaneInfo, alerts: readonly NotifiedAlert[], nowMs: number): HookRecord[] {
    if (alerts.length === 0) return [];
    const groupKey = groupKeyOf(group.route, group.labels);
    const firing = alerts.filter((alert) => alert.status === 'firing');
    const told = {
      firing: firing.map((alert) => alert.fingerprint),
      resolved: alerts.filter((alert) => alert.status === 'resolved').map((alert) => alert.fingerprint),
      atMs: nowMs,
    };
    const now = { ...told, repeatIntervalMs: group.route.repeatIntervalMs, sendResolved: lane.sendResolved };
    if (!needsUpdate(this.#state.told(lane.name, groupKey), now)) return [];
    const records: HookRecord[] = [{ kind: 'told', lane: lane.name, groupKey, told }];
    const sent = lane.sendResolved ? alerts : firing;
    if (sent.length > 0)
      records.push({ kind: 'queued', notification: notificationOf(group, lane, groupKey, sent, nowMs) });
    return records;
  }

  #open(
    id: string,
    route: Route,
    labels: Readonly<Record<string, string>>,
    nowMs: number,
    records: HookRecord[],
  ): Group {
    const known = this.#state.groups.get(id);
    const group: Group = {
      id,
      route,
      labels,
      members: new Set(),
      // A route's times may have become shorter in the meantime.
      dueAtMs: Math.min(
        known?.dueAtMs ?? Infinity,
        nowMs + (known?.flushed === true ? route.groupIntervalMs : route.groupWaitMs),
      ),
      flushed: known?.flushed ?? false,
    };
    this.#groups.set(id, group);
    if (known === undefined) records.push(recordOf(group));
    return group;
  }

  #join(group: Group, fingerprint: string): void {
    if (group.members.has(fingerprint)) return;
    group.members.add(fingerprint);
    this.#memberships.set(fingerprint, (this.#memberships.get(fingerprint) ?? 0) + 1);
  }

  #leave(group: Group, fingerprint: string): readonly HookRecord[] {
    group.members.delete(fingerprint);
    const left = (this.#memberships.get(fingerprint) ?? 1) - 1;
    if (left > 0) {
      this.#memberships.set(fingerprint, left);
      return [];
    }
    this.#memberships.delete(fingerprint);
    return [{ kind: 'alert_gone', fingerprint }];
  }
}

/** A group that is due later than this has its time from a clock that was set back. */
function longestWaitMs({ groupWaitMs, groupIntervalMs }: Route): number {
  return Math.max(groupWaitMs, groupIntervalMs) + CLOCK_TOLERANCE_MS;
}

function recordOf(group: Group): HookRecord {
  const { id, route, labels, dueAtMs, flushed } = group;
  const record: GroupRecord = { id, routeId: route.id, labels, dueAtMs, flushed };
  return { kind: 'group', group: record };
}

/** The alert with its status as of now, settled for good. */
export function toldNow(alert: StoredAlert, nowMs: number): NotifiedAlert {
  const { receivedAtMs: _, ...told } = alert;
  return { ...told, status: isResolved(alert, nowMs) ? 'resolved' : 'firing' };
}

function notificationOf(
  group: Group,
  lane: LaneInfo,
  groupKey: string,
  alerts: readonly NotifiedAlert[],
  nowMs: number,
): Notification {
  return {
    id: randomUUID(),
    lane: lane.name,
    receiver: group.route.receiver,
    groupKey,
    groupLabels: group.labels,
    alerts,
    createdAtMs: nowMs,
  };
}
