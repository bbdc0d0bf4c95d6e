import { CLOCK_TOLERANCE_MS } from '../model/clock-tolerance.ts';
import type { AlertChange } from '../model/alert.ts';
import type { Labels, Queryable } from '../model/series.ts';
import type { PersistedRuleState } from './persisted-rule-state.ts';
import { GroupRunner, groupKey } from './group-runner.ts';
import type { NotifyAlerts, RuleSurroundings } from './rule-evaluator.ts';
import type { RuleGroup } from './rule.ts';
import type { RuleGroupStatus } from './rule-status.ts';
import type { AppendSamples, InstantEngine, LinesEngine } from './rule-storage.ts';

export interface RuleManagerOptions {
  readonly groups: readonly RuleGroup[];
  readonly queryable: Queryable;
  readonly append: AppendSamples;
  readonly engine: InstantEngine;
  /** For rules on lines. */
  readonly lines?: LinesEngine;
  readonly notify: NotifyAlerts;
  /** The time from which evaluations are due. */
  readonly startMs: number;
  readonly externalLabels?: Labels;
  /** For links in alerts, and templates; '' for none. */
  readonly externalUrl?: string;
  /** How long until a firing or resolved alert is sent again; 1 minute by default. */
  readonly resendDelayMs?: number;
  readonly restored?: PersistedRuleState;
  readonly monotonic?: () => number;
  /** Lets others run between two rules; `setImmediate` by default. */
  readonly yieldTurn?: () => Promise<void>;
  /** Where in its interval a group is evaluated; by default groups are spread by their name. */
  readonly slotOffsetMs?: (group: RuleGroup) => number;
}

/** Evaluates rule groups when they are due. It has no clock: the caller says what time it is, and calls again at `nextDueMs`. */
export class RuleManager {
  readonly #around: RuleSurroundings;
  readonly #slotOffsetMs: (group: RuleGroup) => number;
  #runners: GroupRunner[];
  #startMs: number;
  /** The name of the group that is being evaluated. */
  #evaluating: string | undefined;
  /** Of the last evaluation. */
  #latestMs = -Infinity;
  /** Series whose rule is gone since the last evaluation; they end with the next. */
  #endedSeries: Labels[] = [];
  #endedRunners: GroupRunner[] = [];
  /** Evaluations never overlap: a second call waits for the first. */
  #running: Promise<void> = Promise.resolve();

  constructor(options: RuleManagerOptions) {
    this.#around = {
      queryable: options.queryable,
      append: options.append,
      engine: options.engine,
      ...(options.lines === undefined ? {} : { lines: options.lines }),
      notify: options.notify,
      externalLabels: options.externalLabels ?? {},
      externalUrl: options.externalUrl ?? '',
      resendDelayMs: options.resendDelayMs ?? 60_000,
      monotonic: options.monotonic ?? (() => 0),
      yieldTurn: options.yieldTurn ?? (() => new Promise((resolve) => setImmediate(resolve))),
    };
    this.#slotOffsetMs = options.slotOffsetMs ?? spreadByName;
    this.#startMs = options.startMs;
    this.#runners = options.groups.map((group) => this.#runner(group, options.startMs));
    for (const saved of options.restored?.groups ?? []) {
      this.#runners.find((runner) => runner.key === groupKey(saved.file, saved.name))?.restore(saved);
    }
  }

  /** Evaluates each group that is due at `nowMs`, once, at its own latest tick; ticks before it count as missed. */
  evaluateDue(nowMs: number): Promise<void> {
    return this.#exclusively(() => this.#evaluateDue(nowMs));
  }

  /** When a group is next due; Infinity without groups. */
  nextDueMs(): number {
    const pending = this.#endedSeries.length + this.#endedRunners.length > 0;
    return Math.min(...this.#runners.map((runner) => runner.nextDueMs), pending ? this.#startMs : Infinity);
  }

  /**
   * Takes new groups at a reload. A rule with the same name and labels in a group of the same file and name keeps
   * its alerts; what rules that are gone wrote gets stale markers, and their firing alerts are sent as resolved.
   */
  replaceGroups(groups: readonly RuleGroup[], nowMs: number): Promise<void> {
    return this.#exclusively(() => this.#replaceGroups(groups, nowMs));
  }

  /** Plain data for a restart; `encodeRuleState` makes text of it. */
  state(): PersistedRuleState {
    return {
      version: 1,
      groups: this.#runners.map((runner) => runner.persisted()).filter((group) => group !== undefined),
    };
  }

  /** The name of the group that is evaluated, or was last. */
  get evaluating(): string | undefined {
    return this.#evaluating;
  }

  status(): readonly RuleGroupStatus[] {
    return this.#runners.map((runner) => runner.status());
  }

  #exclusively(action: () => void | Promise<void>): Promise<void> {
    const next = this.#running.then(action);
    this.#running = next.catch(() => undefined);
    return next;
  }

  async #evaluateDue(nowMs: number): Promise<void> {
    if (nowMs < this.#latestMs - CLOCK_TOLERANCE_MS)
      for (const runner of this.#runners) runner.clockSetBack(nowMs);
    this.#latestMs = nowMs;
    await this.#endWhatIsGone(nowMs);
    this.#evaluating = undefined;
    for (const runner of [...this.#runners].sort((a, b) => a.nextDueMs - b.nextDueMs)) {
      if (runner.nextDueMs > nowMs) continue;
      this.#evaluating = runner.status().name;
      await runner.evaluateDue(nowMs);
    }
  }

  #replaceGroups(groups: readonly RuleGroup[], nowMs: number): void {
    const former = new Map(this.#runners.map((runner) => [runner.key, runner]));
    this.#startMs = nowMs;
    this.#runners = groups.map((group) => {
      const runner = this.#runner(group, nowMs);
      const before = former.get(runner.key);
      former.delete(runner.key);
      if (before !== undefined) {
        const gone = runner.takeOver(before);
        this.#endedSeries.push(...gone.flatMap((evaluator) => evaluator.series()));
        this.#endedRunners.push(before.onlyWith(gone));
      }
      return runner;
    });
    for (const runner of former.values()) {
      this.#endedSeries.push(...runner.series());
      this.#endedRunners.push(runner);
    }
  }

  async #endWhatIsGone(nowMs: number): Promise<void> {
    const changes: AlertChange[] = this.#endedRunners.flatMap((runner) => runner.endings(nowMs));
    const series = this.#endedSeries;
    this.#endedRunners = [];
    this.#endedSeries = [];
    if (series.length > 0) {
      await this.#around.append(
        nowMs,
        series.map((labels) => ({ labels, value: Number.NaN, stale: true })),
      );
    }
    if (changes.length > 0) await this.#around.notify(changes, nowMs);
  }

  #runner(group: RuleGroup, nowMs: number): GroupRunner {
    return new GroupRunner(group, this.#around, { startMs: nowMs, slotOffsetMs: this.#slotOffsetMs(group) });
  }
}

/** FNV-1a over file and name, so that the groups of a host do not all run in the same instant. */
function spreadByName(group: RuleGroup): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(`${group.file};${group.name}`))
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash % group.intervalMs;
}
