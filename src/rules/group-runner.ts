import type { AlertChange } from '../model/alert.ts';
import type { Labels } from '../model/series.ts';
import type { PersistedGroup } from './persisted-rule-state.ts';
import { RuleEvaluator } from './rule-evaluator.ts';
import type { RuleSurroundings } from './rule-evaluator.ts';
import type { RuleGroup } from './rule.ts';
import { ruleIdentity } from './rule.ts';
import type { RuleGroupStatus } from './rule-status.ts';

/** A group on its grid of evaluation times: whole intervals since 1970, shifted by its slot. */
export class GroupRunner {
  readonly key: string;
  readonly #group: RuleGroup;
  readonly #around: RuleSurroundings;
  readonly #slotOffsetMs: number;
  #evaluators: RuleEvaluator[];
  #nextDueMs: number;
  #lastEvaluationMs: number | undefined;
  #evaluationTimeMs = 0;
  #missed = 0;

  constructor(
    group: RuleGroup,
    around: RuleSurroundings,
    when: { readonly startMs: number; readonly slotOffsetMs: number },
  ) {
    this.key = groupKey(group.file, group.name);
    this.#group = group;
    this.#around = around;
    this.#slotOffsetMs = when.slotOffsetMs;
    this.#evaluators = group.rules.map((rule) => new RuleEvaluator(rule, around));
    const before = this.#slotAtOrBefore(when.startMs);
    this.#nextDueMs = before === when.startMs ? before : before + group.intervalMs;
  }

  get nextDueMs(): number {
    return this.#nextDueMs;
  }

  /** Goes on by a clock that was set back. */
  clockSetBack(nowMs: number): void {
    this.#nextDueMs = this.#slotAtOrBefore(nowMs) + this.#group.intervalMs;
    for (const { tracker } of this.#evaluators) tracker?.clockSetBack(nowMs);
  }

  async evaluateDue(nowMs: number): Promise<void> {
    const atMs = this.#slotAtOrBefore(nowMs);
    this.#missed += Math.round((atMs - this.#nextDueMs) / this.#group.intervalMs);
    this.#nextDueMs = atMs + this.#group.intervalMs;
    await this.evaluate(atMs);
  }

  /** One pass over the rules, in order; each sees what those before it wrote. */
  async evaluate(atMs: number): Promise<void> {
    const started = this.#around.monotonic();
    for (const evaluator of this.#evaluators) {
      await evaluator.evaluate(this.#group, atMs);
      await this.#around.yieldTurn();
    }
    this.#lastEvaluationMs = atMs;
    this.#evaluationTimeMs = this.#around.monotonic() - started;
  }

  /** Gives back those of the former group's rules that this one no longer has. */
  takeOver(from: GroupRunner): readonly RuleEvaluator[] {
    const former = byIdentity(from.#evaluators);
    for (const evaluator of this.#evaluators) {
      const before = former.get(ruleIdentity(evaluator.rule))?.shift();
      if (before !== undefined) evaluator.takeOver(before);
    }
    this.#lastEvaluationMs = from.#lastEvaluationMs;
    this.#evaluationTimeMs = from.#evaluationTimeMs;
    this.#missed = from.#missed;
    if (from.#group.intervalMs === this.#group.intervalMs) this.#nextDueMs = from.#nextDueMs;
    return [...former.values()].flat();
  }

  /** The same group reduced to some of its rules. */
  onlyWith(evaluators: readonly RuleEvaluator[]): GroupRunner {
    const reduced = new GroupRunner({ ...this.#group, rules: [] }, this.#around, {
      startMs: this.#nextDueMs,
      slotOffsetMs: this.#slotOffsetMs,
    });
    reduced.#evaluators = [...evaluators];
    return reduced;
  }

  restore(saved: PersistedGroup): void {
    const evaluators = byIdentity(this.#evaluators);
    for (const rule of saved.rules) {
      evaluators.get(rule.identity)?.shift()?.tracker?.restore(rule.alerts, saved.lastEvaluationMs);
    }
    this.#lastEvaluationMs = saved.lastEvaluationMs;
  }

  persisted(): PersistedGroup | undefined {
    if (this.#lastEvaluationMs === undefined) return undefined;
    const rules = this.#evaluators.flatMap(({ rule, tracker }) => {
      const alerts = tracker?.persisted() ?? [];
      return alerts.length === 0 ? [] : [{ identity: ruleIdentity(rule), alerts }];
    });
    return {
      file: this.#group.file,
      name: this.#group.name,
      lastEvaluationMs: this.#lastEvaluationMs,
      rules,
    };
  }

  series(): readonly Labels[] {
    return this.#evaluators.flatMap((evaluator) => evaluator.series());
  }

  endings(nowMs: number): readonly AlertChange[] {
    return this.#evaluators.flatMap((evaluator) => evaluator.endings(nowMs));
  }

  status(): RuleGroupStatus {
    const { name, file, intervalMs, limit, queryOffsetMs } = this.#group;
    return {
      name,
      file,
      intervalMs,
      limit,
      queryOffsetMs,
      lastEvaluationMs: this.#lastEvaluationMs,
      evaluationTimeMs: this.#evaluationTimeMs,
      missed: this.#missed,
      rules: this.#evaluators.map((evaluator) => evaluator.status()),
    };
  }

  #slotAtOrBefore(nowMs: number): number {
    const { intervalMs } = this.#group;
    return Math.floor((nowMs - this.#slotOffsetMs) / intervalMs) * intervalMs + this.#slotOffsetMs;
  }
}

export function groupKey(file: string, name: string): string {
  return JSON.stringify([file, name]);
}

function byIdentity(evaluators: readonly RuleEvaluator[]): Map<string, RuleEvaluator[]> {
  const map = new Map<string, RuleEvaluator[]>();
  for (const evaluator of evaluators) {
    const identity = ruleIdentity(evaluator.rule);
    map.set(identity, [...(map.get(identity) ?? []), evaluator]);
  }
  return map;
}
