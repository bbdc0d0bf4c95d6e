import type { Labels } from '../model/series.ts';
import type { Told } from './needs-update.ts';
import type { Fate, Notification, StoredAlert } from './notification.ts';
import type { Silence } from './silence.ts';

/** What is written of a group of alerts; who is in it follows from the alerts and the route tree. */
export interface GroupRecord {
  /** Route id and group labels. */
  readonly id: string;
  readonly routeId: string;
  readonly labels: Labels;
  readonly dueAtMs: number;
  readonly flushed: boolean;
}

/** One step of the state; each is idempotent, so that replaying a step twice does no harm. */
export type HookRecord =
  | { readonly kind: 'alert'; readonly alert: StoredAlert }
  | { readonly kind: 'alert_gone'; readonly fingerprint: string }
  | { readonly kind: 'group'; readonly group: GroupRecord }
  | { readonly kind: 'group_gone'; readonly id: string }
  | { readonly kind: 'told'; readonly lane: string; readonly groupKey: string; readonly told: Told }
  | { readonly kind: 'told_gone'; readonly lane: string; readonly groupKey: string }
  | { readonly kind: 'queued'; readonly notification: Notification }
  /** The notification `replaces` another that waits, whose content it includes. */
  | { readonly kind: 'replaced'; readonly id: string }
  | { readonly kind: 'settled'; readonly fate: Fate }
  | { readonly kind: 'silence'; readonly silence: Silence }
  | { readonly kind: 'silence_gone'; readonly id: string };

/** How many fates are remembered a lane. */
const FATES_KEPT = 20;

/**
 * All that must survive a crash: alerts, group times, the notification log, what is owed, silences. The same
 * `apply` runs live and when the journal is replayed.
 */
export class HookState {
  readonly alerts = new Map<string, StoredAlert>();
  readonly groups = new Map<string, GroupRecord>();
  readonly #told = new Map<string, { lane: string; groupKey: string; told: Told }>();
  /** In the order in which they were made. */
  readonly queued = new Map<string, Notification>();
  readonly fates = new Map<string, Fate[]>();
  readonly silences = new Map<string, Silence>();

  apply(record: HookRecord): void {
    switch (record.kind) {
      case 'alert':
        this.alerts.set(record.alert.fingerprint, record.alert);
        return;
      case 'alert_gone':
        this.alerts.delete(record.fingerprint);
        return;
      case 'group':
        this.groups.set(record.group.id, record.group);
        return;
      case 'group_gone':
        this.groups.delete(record.id);
        return;
      case 'told':
        this.#told.set(toldKey(record.lane, record.groupKey), record);
        return;
      case 'told_gone':
        this.#told.delete(toldKey(record.lane, record.groupKey));
        return;
      case 'queued':
        this.queued.set(record.notification.id, record.notification);
        return;
      case 'replaced':
        this.queued.delete(record.id);
        return;
      case 'settled':
        this.#settle(record.fate);
        return;
      case 'silence':
        this.silences.set(record.silence.id, record.silence);
        return;
      case 'silence_gone':
        this.silences.delete(record.id);
        return;
    }
  }

  told(lane: string, groupKey: string): Told | undefined {
    return this.#told.get(toldKey(lane, groupKey))?.told;
  }

  /** Entries of the notification log that were last touched before a time. */
  toldBefore(atMs: number): readonly { readonly lane: string; readonly groupKey: string }[] {
    return [...this.#told.values()].filter(({ told }) => told.atMs < atMs);
  }

  /** The steps that build this state from nothing: what a compacted journal holds. */
  *records(): Generator<HookRecord> {
    for (const alert of this.alerts.values()) yield { kind: 'alert', alert };
    for (const group of this.groups.values()) yield { kind: 'group', group };
    for (const { lane, groupKey, told } of this.#told.values()) yield { kind: 'told', lane, groupKey, told };
    for (const silence of this.silences.values()) yield { kind: 'silence', silence };
    for (const fates of this.fates.values()) for (const fate of fates) yield { kind: 'settled', fate };
    for (const notification of this.queued.values()) yield { kind: 'queued', notification };
  }

  /** A receiver counts the time until a repeat from when it was told, not from when that was decided. */
  #settle(fate: Fate): void {
    const key = toldKey(fate.lane, fate.groupKey);
    const entry = this.#told.get(key);
    if (fate.status === 'delivered' && entry !== undefined && entry.told.atMs < fate.atMs)
      this.#told.set(key, { ...entry, told: { ...entry.told, atMs: fate.atMs } });
    this.queued.delete(fate.id);
    const fates = (this.fates.get(fate.lane) ?? []).filter((other) => other.id !== fate.id);
    this.fates.set(fate.lane, [...fates, fate].slice(-FATES_KEPT));
  }
}

function toldKey(lane: string, groupKey: string): string {
  return `${lane}\n${groupKey}`;
}
