import type { AlertState } from '../model/alert.ts';
import type { Labels } from '../model/series.ts';
import { labelsKey } from '../promql/metric.ts';
import type { PersistedAlert } from './persisted-rule-state.ts';
import type { AlertingRule } from './rule.ts';

/**
 * The alerts of one rule, from one evaluation to the next.
 *
 *   (not there) ──produced──▶ pending ──elapsed ≥ for──▶ firing ──not produced──▶ inactive ──15 min──▶ (not there)
 *                                └──not produced──▶ (not there)      ▲   └ keep_firing_for holds it
 *                                                     a new alert ◀──┴──produced again── inactive
 *
 * Identity is the label set after templates and the rule's own labels.
 */
export class AlertTracker {
  readonly #rule: AlertingRule;
  #active = new Map<string, TrackedAlert>();
  #restoring: { readonly alerts: ReadonlyMap<string, PersistedAlert>; readonly downAtMs: number } | undefined;

  constructor(rule: AlertingRule) {
    this.#rule = rule;
  }

  /** What was saved before a restart; it takes effect with the first evaluation. */
  restore(alerts: readonly PersistedAlert[], downAtMs: number): void {
    this.#restoring = { alerts: new Map(alerts.map((alert) => [labelsKey(alert.labels), alert])), downAtMs };
  }

  /** On reload: the alerts of the same rule before. */
  takeOver(from: AlertTracker): void {
    this.#active = from.#active;
    this.#restoring = from.#restoring;
  }

  /** The clock went back to here: nothing can have been later. */
  clockSetBack(nowMs: number): void {
    const atMost = (ms: number): number => Math.min(ms, nowMs);
    for (const alert of this.#active.values()) {
      alert.activeAtMs = atMost(alert.activeAtMs);
      if (alert.firedAtMs !== undefined) alert.firedAtMs = atMost(alert.firedAtMs);
      if (alert.keepFiringSinceMs !== undefined) alert.keepFiringSinceMs = atMost(alert.keepFiringSinceMs);
      if (alert.resolvedAtMs !== undefined) alert.resolvedAtMs = atMost(alert.resolvedAtMs);
      if (alert.lastSentAtMs !== undefined) alert.lastSentAtMs = atMost(alert.lastSentAtMs);
    }
  }

  /** Throws where the group's limit is exceeded; all alerts of the rule are forgotten then, as Prometheus does. */
  evaluate(produced: readonly ProducedAlert[], nowMs: number, limit: number): void {
    const seen = new Set<string>();
    for (const alert of produced) {
      const key = labelsKey(alert.labels);
      if (seen.has(key))
        throw new Error('vector contains metrics with the same labelset after applying alert labels');
      seen.add(key);
    }
    for (const alert of produced) this.#produce(labelsKey(alert.labels), alert, nowMs);
    this.#applyRestored(seen, nowMs);
    for (const [key, alert] of this.#active) {
      if (seen.has(key)) alert.keepFiringSinceMs = undefined;
      else this.#vanish(key, alert, nowMs);
      if (alert.state === 'pending' && nowMs - alert.activeAtMs >= this.#rule.forMs) {
        alert.state = 'firing';
        alert.firedAtMs = nowMs;
      }
    }
    this.#enforce(limit);
  }

  /** Pending and firing ones, in the order in which they appeared. */
  active(): readonly TrackedAlert[] {
    return [...this.#active.values()].filter((alert) => alert.state !== 'inactive');
  }

  all(): readonly TrackedAlert[] {
    return [...this.#active.values()];
  }

  /** The worst of its alerts' states. */
  state(): AlertState {
    const states = new Set(this.all().map((alert) => alert.state));
    if (states.has('firing')) return 'firing';
    return states.has('pending') ? 'pending' : 'inactive';
  }

  /** Firing and resolved alerts that are to be sent now. */
  due(nowMs: number, resendDelayMs: number): readonly TrackedAlert[] {
    return this.all().filter((alert) => {
      if (alert.state === 'pending') return false;
      if (alert.lastSentAtMs === undefined) return true;
      const resolvedSince = alert.resolvedAtMs !== undefined && alert.resolvedAtMs > alert.lastSentAtMs;
      return resolvedSince || nowMs - alert.lastSentAtMs >= resendDelayMs;
    });
  }

  persisted(): readonly PersistedAlert[] {
    const now = this.all().map(toPersisted);
    return this.#restoring === undefined ? now : [...this.#restoring.alerts.values()];
  }

  #produce(key: string, { labels, annotations, value }: ProducedAlert, nowMs: number): void {
    const known = this.#active.get(key);
    if (known !== undefined && known.state !== 'inactive') {
      known.annotations = annotations;
      known.value = value;
      return;
    }
    this.#active.delete(key);
    this.#active.set(key, { labels, annotations, value, state: 'pending', activeAtMs: nowMs });
  }

  #vanish(key: string, alert: TrackedAlert, nowMs: number): void {
    if (alert.state === 'firing' && this.#rule.keepFiringForMs > 0) {
      alert.keepFiringSinceMs ??= nowMs;
      if (nowMs - alert.keepFiringSinceMs < this.#rule.keepFiringForMs) return;
    }
    const retained = alert.resolvedAtMs === undefined || nowMs - alert.resolvedAtMs < RESOLVED_RETENTION_MS;
    if (alert.state === 'pending' || !retained) this.#active.delete(key);
    if (alert.state === 'inactive') return;
    alert.state = 'inactive';
    alert.resolvedAtMs = nowMs;
  }

  #enforce(limit: number): void {
    const count = this.active().length;
    if (limit === 0 || count <= limit) return;
    this.#active.clear();
    throw new Error(`exceeded limit of ${limit} with ${count} alerts`);
  }

  /**
   * Prometheus's arithmetic for what was pending. What was firing goes on firing, unless the outage was longer
   * than is tolerated or it has ended meanwhile: then it is resolved, so that a receiver hears of the end.
   */
  #applyRestored(seen: ReadonlySet<string>, nowMs: number): void {
    const restoring = this.#restoring;
    if (restoring === undefined) return;
    this.#restoring = undefined;
    const tolerated = nowMs - restoring.downAtMs <= OUTAGE_TOLERANCE_MS;
    for (const [key, saved] of restoring.alerts) {
      const current = this.#active.get(key);
      if (saved.state === 'firing')
        this.#restoreFiring(key, saved, tolerated ? current : undefined, seen.has(key));
      else if (saved.state === 'inactive' && current === undefined)
        this.#active.set(key, fromPersisted(saved));
      else if (saved.state === 'pending' && current !== undefined && tolerated) {
        current.activeAtMs =
          restoredActiveAt(saved.activeAtMs, restoring.downAtMs, nowMs, this.#rule.forMs) ??
          current.activeAtMs;
      }
    }
  }

  #restoreFiring(
    key: string,
    saved: PersistedAlert,
    current: TrackedAlert | undefined,
    produced: boolean,
  ): void {
    if (current !== undefined) {
      current.state = 'firing';
      current.activeAtMs = saved.activeAtMs;
      if (saved.firedAtMs !== undefined) current.firedAtMs = saved.firedAtMs;
      if (saved.lastSentAtMs !== undefined) current.lastSentAtMs = saved.lastSentAtMs;
    } else if (!produced) {
      this.#active.set(key, fromPersisted(saved));
    }
  }
}

/** One element of the query's result, as an alert. */
export interface ProducedAlert {
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly value: number;
}

export interface TrackedAlert {
  readonly labels: Labels;
  annotations: Labels;
  value: number;
  state: AlertState;
  activeAtMs: number;
  firedAtMs?: number;
  keepFiringSinceMs?: number | undefined;
  resolvedAtMs?: number;
  lastSentAtMs?: number;
}

/** How long a resolved alert is kept and sent again. */
const RESOLVED_RETENTION_MS = 15 * 60_000;
/** A longer outage than this restores nothing. */
const OUTAGE_TOLERANCE_MS = 60 * 60_000;
/** After an outage a pending alert waits at least this long before it fires. */
const FOR_GRACE_MS = 10 * 60_000;

/**
 * ActiveAt of a pending alert after an outage, or undefined where `for` is too short to be worth it: the time that
 * was left goes on running, but it fires no sooner than the grace period after now.
 */
function restoredActiveAt(
  activeAtMs: number,
  downAtMs: number,
  nowMs: number,
  forMs: number,
): number | undefined {
  if (forMs < FOR_GRACE_MS) return undefined;
  const remainingMs = forMs - (downAtMs - activeAtMs);
  if (remainingMs <= 0) return activeAtMs;
  if (remainingMs < FOR_GRACE_MS) return nowMs + FOR_GRACE_MS - forMs;
  return activeAtMs + (nowMs - downAtMs);
}

function toPersisted(alert: TrackedAlert): PersistedAlert {
  const { keepFiringSinceMs, ...rest } = alert;
  return keepFiringSinceMs === undefined ? { ...rest } : { ...rest, keepFiringSinceMs };
}

function fromPersisted(saved: PersistedAlert): TrackedAlert {
  return { ...saved };
}
