import type { AlertingConfig } from '../config/alerting-schema.ts';
import type { AlertChange } from '../model/alert.ts';
import type { Labels } from '../model/series.ts';
import type { Timer } from '../platform/clock.ts';
import type { PartState } from '../platform/stall-watch.ts';
import { Aggregation } from './aggregation.ts';
import { fingerprintOf } from './alert-identity.ts';
import type { AlertMoment } from './alert-view.ts';
import { forwardRecords } from './forwarding.ts';
import { HookState } from './hook-state.ts';
import type { HookRecord } from './hook-state.ts';
import { hookMetrics, receiverStatus } from './hook-status.ts';
import type { HookMetric, HookStatus } from './hook-status.ts';
import { Inhibitor } from './inhibitor.ts';
import { Journal } from './journal.ts';
import type { Lane } from './lane.ts';
import { LaneSet, type LaneSetOptions } from './lane-set.ts';
import { isResolved } from './notification.ts';
import type { StoredAlert } from './notification.ts';
import { mergedWith } from './posted-alerts.ts';
import { afterDowntime, orphaned, outdatedLog } from './recovery.ts';
import { allRoutes, routesOf } from './route-tree.ts';
import { Silences } from './silences.ts';
import { sendTest, type TestResult } from './test-notification.ts';

export interface HookDispatcherOptions extends Omit<LaneSetOptions, 'commit'> {
  readonly config: AlertingConfig;
  readonly stateDir: string;
}

const MAX_ALERTS = 20_000;
const HOUSEKEEPING_MS = 3_600_000;
/** Timers are at most this long, so that a step of the wall clock is noticed. */
const MAX_TIMER_MS = 60_000;
/** How long a change of configuration waits for what is under way. */
const RECONFIGURE_MS = 7_000;

/**
 * Takes alert changes and tells people, with Alertmanager's meaning of route, grouping, inhibition and silence.
 *
 * What is decided is applied to the state and appended to the journal in one step, and sent only once that step is
 * on disk; that it was sent is appended after. So a crash loses nothing that was accepted, and repeats at most the
 * one notification that each receiver had under way. When the disk fails, telling goes on from memory.
 */
export class HookDispatcher {
  readonly silences: Silences;
  readonly #options: HookDispatcherOptions;
  readonly #state = new HookState();
  readonly #journal: Journal;
  #config: AlertingConfig;
  #aggregation: Aggregation;
  readonly #lanes: LaneSet;
  readonly #pending = new Set<Promise<unknown>>();
  #refusedAlerts = 0;
  #timer: Timer | undefined;
  #housekeptAtMs = 0;
  #running = false;
  #reconfiguring: Promise<void> = Promise.resolve();

  constructor(options: HookDispatcherOptions) {
    this.#options = options;
    this.#config = options.config;
    this.#aggregation = new Aggregation(this.#state, routesOf(options.config));
    this.#journal = new Journal({
      dir: options.stateDir,
      clock: options.clock,
      log: options.log,
      snapshot: () => this.#state.records(),
    });
    this.#lanes = new LaneSet({
      ...options,
      commit: async (records) => {
        this.#apply(records);
        await this.#log(records);
      },
    });
    this.silences = new Silences(this.#state, options.clock, async (records) => this.#record(records));
  }

  /** Reads what was owed when we stopped or died, and goes on from there. */
  async start(): Promise<void> {
    const { clock, log } = this.#options;
    const lanes = this.#lanes.create(this.#config);
    for (const step of await this.#journal.load()) this.#state.apply(step as HookRecord);
    const nowMs = clock.now();
    this.#apply(afterDowntime(this.#state, nowMs));
    this.#useLanes(lanes);
    this.#apply(this.#aggregation.rebuild(nowMs));
    await this.#journal.start();
    this.#running = true;
    if (this.#state.queued.size > 0)
      log.info(
        { notifications: this.#state.queued.size },
        'notifications from before the start are delivered now',
      );
    this.#lanes.resume(this.#state.queued.values());
    this.#schedule();
  }

  /** Durable when it resolves. Rejects when the disk fails; the changes are taken and told all the same. */
  async accept(changes: readonly AlertChange[]): Promise<void> {
    const nowMs = this.#options.clock.now();
    const records: HookRecord[] = [];
    const heard: StoredAlert[] = [];
    for (const change of changes) {
      const alert: StoredAlert = {
        ...change,
        fingerprint: fingerprintOf(change.labels),
        receivedAtMs: nowMs,
      };
      heard.push(alert);
      if (this.#isNews(alert, nowMs)) records.push({ kind: 'alert', alert });
    }
    this.#apply(records);
    const placed = heard
      .filter(
        ({ fingerprint }) => this.#state.alerts.has(fingerprint) && !this.#aggregation.isMember(fingerprint),
      )
      .flatMap((alert) => this.#aggregation.place(alert, nowMs));
    this.#apply(placed);
    const admitted = this.#admit(this.#forward(heard, nowMs));
    this.#schedule();
    try {
      await this.#track(this.#journal.append([...records, ...placed, ...admitted.records]));
    } finally {
      admitted.release();
    }
  }

  /** As it is in force. */
  get config(): AlertingConfig {
    return this.#config;
  }

  /** As `accept`, for alerts that others send: what is sent again goes on, and does not begin anew. */
  async acceptPosted(alerts: readonly AlertChange[]): Promise<void> {
    return this.accept(
      alerts.map((alert) => mergedWith(this.#state.alerts.get(fingerprintOf(alert.labels)), alert)),
    );
  }

  /** Alerts, groups and what mutes them, at this moment. */
  moment(): AlertMoment {
    const nowMs = this.#options.clock.now();
    const inhibitor = this.#inhibitor(nowMs);
    return {
      nowMs,
      alerts: [...this.#state.alerts.values()],
      groups: this.#aggregation.groups(),
      receiversOf: (alert) => this.#aggregation.routesOf(alert).map((route) => route.receiver),
      silencedBy: this.silences.silencedBy(),
      inhibitedBy: (labels) =>
        [inhibitor.mutedBy(labels)].flatMap((by) => (by === undefined ? [] : [fingerprintOf(by)])),
    };
  }

  /** Undefined where no receiver has this name. */
  async test(receiver: string, signal: AbortSignal): Promise<readonly TestResult[] | undefined> {
    if (!this.#config.receivers.some(({ name }) => name === receiver)) return undefined;
    const nowMs = this.#options.clock.now();
    return Promise.all(this.#lanes.of(receiver).map(async ({ spec }) => sendTest(spec, nowMs, signal)));
  }

  status(): HookStatus {
    const nowMs = this.#options.clock.now();
    return {
      receivers: this.#lanes.all.map((lane) =>
        receiverStatus(lane, this.#state.fates.get(lane.spec.name) ?? []),
      ),
      activeAlerts: [...this.#state.alerts.values()].filter((alert) => !isResolved(alert, nowMs)).length,
      groups: this.#aggregation.groupCount,
      activeSilences: this.silences.list().filter(({ status }) => status.state === 'active').length,
      durable: this.#journal.healthy,
    };
  }

  metrics(): readonly HookMetric[] {
    return hookMetrics({
      lanes: this.#lanes.all,
      alerts: this.#state.alerts.size,
      maxAlerts: MAX_ALERTS,
      refusedAlerts: this.#refusedAlerts,
      durable: this.#journal.healthy,
    });
  }

  /** For those who watch that it goes on: what each receiver is owed. */
  parts(): readonly PartState[] {
    return this.#lanes.all.map((lane) => lane.state);
  }

  /**
   * Goes on with another configuration. Groups keep their times and receivers of the same name their queues. When
   * it throws (a TLS file that cannot be read), everything is as before.
   */
  async reconfigure(config: AlertingConfig): Promise<void> {
    const done = this.#reconfiguring.then(async () => this.#change(config));
    this.#reconfiguring = done.catch(() => {});
    return done;
  }

  /** Writes the journal anew: it was removed behind our back. */
  async renew(): Promise<void> {
    await this.#journal.renew();
  }

  /** What is under way has until the deadline; what is then not delivered is owed and kept. */
  async stop(deadlineMs: number): Promise<void> {
    this.#running = false;
    this.#timer?.cancel();
    await this.#reconfiguring;
    await this.#lanes.stop(deadlineMs);
    await this.#journal.close();
  }

  /** Resolves when nothing is under way that goes on without time passing. */
  async idle(): Promise<void> {
    let quiet = 0;
    while (quiet < 2) {
      await Promise.allSettled([...this.#pending, ...this.#lanes.all.map(async (lane) => lane.idle())]);
      await new Promise((resolve) => setImmediate(resolve));
      quiet = this.#pending.size === 0 && !this.#lanes.sending ? quiet + 1 : 0;
    }
  }

  /** A resolved alert that no group holds is old news; a new one must fit under the limit. */
  #isNews(alert: StoredAlert, nowMs: number): boolean {
    if (this.#aggregation.isMember(alert.fingerprint)) return true;
    if (isResolved(alert, nowMs)) return false;
    if (this.#state.alerts.size < MAX_ALERTS || this.#state.alerts.has(alert.fingerprint)) return true;
    if (this.#refusedAlerts++ === 0)
      this.#options.log.error({ limit: MAX_ALERTS }, 'there are too many alerts; further ones are not told');
    return false;
  }

  #tick(): void {
    if (!this.#running) return;
    const nowMs = this.#options.clock.now();
    const mutes = this.#muter(nowMs);
    const records: HookRecord[] = [];
    const releases: (() => void)[] = [];
    for (const id of this.#aggregation.due(nowMs)) {
      const flushed = this.#aggregation.flush(
        id,
        nowMs,
        (alert) => mutes(alert.labels),
        (receiver) => this.#lanes.grouped(receiver),
      );
      const admitted = this.#admit(flushed);
      records.push(...admitted.records);
      releases.push(admitted.release);
    }
    records.push(...this.#housekeep(nowMs));
    void this.#track(this.#log(records)).then(() => {
      for (const release of releases) release();
    });
    this.#schedule();
  }

  #schedule(): void {
    if (!this.#running) return;
    this.#timer?.cancel();
    const { clock } = this.#options;
    const waitMs = Math.max(0, (this.#aggregation.nextDueMs() ?? Infinity) - clock.now());
    this.#timer = clock.setTimeout(() => this.#tick(), Math.min(waitMs, MAX_TIMER_MS));
  }

  #forward(alerts: readonly StoredAlert[], nowMs: number): readonly HookRecord[] {
    return forwardRecords({
      alerts,
      lanes: this.#lanes.all.map(({ spec }) => spec),
      receiversOf: (alert) => this.#aggregation.routesOf(alert).map((route) => route.receiver),
      mutes: this.#muter(nowMs),
      nowMs,
    });
  }

  /** Hands new notifications to their lanes, and applies everything. What comes back is to be written, then released. */
  #admit(records: readonly HookRecord[]): ReturnType<LaneSet['admit']> {
    const admitted = this.#lanes.admit(records);
    this.#apply(admitted.records);
    return admitted;
  }

  #muter(nowMs: number): (labels: Labels) => boolean {
    const inhibitor = this.#inhibitor(nowMs);
    const silenced = this.silences.muter();
    return (labels) => silenced(labels) || inhibitor.mutes(labels);
  }

  #inhibitor(nowMs: number): Inhibitor {
    const firing = [...this.#state.alerts.values()].filter((alert) => !isResolved(alert, nowMs));
    return new Inhibitor(
      this.#config.inhibit_rules,
      firing.map((alert) => alert.labels),
    );
  }

  #housekeep(nowMs: number): readonly HookRecord[] {
    if (nowMs - this.#housekeptAtMs < HOUSEKEEPING_MS) return [];
    this.#housekeptAtMs = nowMs;
    const repeats = [...allRoutes(routesOf(this.#config))].map((route) => route.repeatIntervalMs);
    const records = [...this.silences.outdated(), ...outdatedLog(this.#state, nowMs, Math.max(...repeats))];
    this.#apply(records);
    return records;
  }

  async #change(config: AlertingConfig): Promise<void> {
    const lanes = this.#lanes.create(config);
    await this.#lanes.stop(RECONFIGURE_MS);
    this.#config = config;
    this.#aggregation = new Aggregation(this.#state, routesOf(config));
    const records = [...this.#useLanes(lanes), ...this.#aggregation.rebuild(this.#options.clock.now())];
    this.#apply(records);
    await this.#track(this.#log(records));
    this.#lanes.resume(this.#state.queued.values());
    this.#schedule();
  }

  /** What is owed to lanes that are gone is dropped, with a word in the log. */
  #useLanes(lanes: ReadonlyMap<string, Lane>): readonly HookRecord[] {
    this.#lanes.use(lanes);
    const records = orphaned(this.#state, this.#lanes.names, this.#options.clock.now());
    if (records.length > 0)
      this.#options.log.warn(
        { notifications: records.length },
        'notifications for receivers that are no longer configured are dropped',
      );
    this.#apply(records);
    return records;
  }

  #apply(records: readonly HookRecord[]): void {
    for (const record of records) this.#state.apply(record);
  }

  async #record(records: readonly HookRecord[]): Promise<void> {
    this.#apply(records);
    await this.#track(this.#journal.append(records));
  }

  /** Writes what is applied already. A failing disk is the journal's to report and to mend. */
  async #log(records: readonly HookRecord[]): Promise<void> {
    await this.#journal.append(records).catch(() => {});
  }

  async #track<T>(work: Promise<T>): Promise<T> {
    this.#pending.add(work);
    try {
      return await work;
    } finally {
      this.#pending.delete(work);
    }
  }
}
