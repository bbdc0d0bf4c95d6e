import type { AlertChange } from '../../src/model/alert.ts';
import type { Labels } from '../../src/model/series.ts';
import { Engine } from '../../src/promql/engine.ts';
import { loadRuleFile } from '../../src/rules/load-rule-file.ts';
import { MemoryStore } from '../../src/rules/memory-store.ts';
import type { PersistedRuleState } from '../../src/rules/persisted-rule-state.ts';
import type { RuleGroup } from '../../src/rules/rule.ts';
import { formatProblem } from '../../src/rules/rule.ts';
import { RuleManager } from '../../src/rules/rule-manager.ts';
import type { AlertStatus, AlertingRuleStatus, RuleGroupStatus } from '../../src/rules/rule-status.ts';
import { parseMetric } from '../../src/rules/series-notation.ts';

export const MINUTE = 60_000;
/** A whole number of hours, so that groups without a slot offset are due at it. */
export const START = 1_700_000_400_000 - (1_700_000_400_000 % 3_600_000);

export function groupsOf(text: string): readonly RuleGroup[] {
  const { groups, problems } = loadRuleFile(text, { file: 'rules.yaml' });
  if (problems.length > 0) throw new Error(problems.map(formatProblem).join('\n'));
  return groups;
}

/** A manager over a store in memory, on a clock that only moves when told to. */
export class RuleHarness {
  readonly store: MemoryStore;
  readonly sent: { readonly atMs: number; readonly changes: readonly AlertChange[] }[] = [];
  readonly engine = new Engine();
  readonly manager: RuleManager;
  notifyFails = false;
  /** How often the manager let others run. */
  turns = 0;
  nowMs: number;

  constructor(
    rules: string,
    options: {
      readonly restored?: PersistedRuleState;
      readonly store?: MemoryStore;
      readonly startMs?: number;
      readonly externalLabels?: Labels;
      readonly externalUrl?: string;
      readonly resendDelayMs?: number;
    } = {},
  ) {
    const { store, startMs, ...rest } = options;
    this.store = store ?? new MemoryStore();
    this.nowMs = startMs ?? START;
    this.manager = new RuleManager({
      ...rest,
      groups: groupsOf(rules),
      queryable: this.store,
      append: this.store.append.bind(this.store),
      engine: this.engine,
      notify: (changes, atMs) => {
        if (this.notifyFails) throw new Error('the queue is gone');
        this.sent.push({ atMs, changes });
      },
      startMs: this.nowMs,
      slotOffsetMs: () => 0,
      yieldTurn: () => {
        this.turns++;
        return Promise.resolve();
      },
    });
  }

  /** Samples at the present time, `metric{…}` to value. */
  set(samples: Readonly<Record<string, number>>): void {
    for (const [series, value] of Object.entries(samples)) {
      this.store.append(this.nowMs, [{ labels: parseMetric(series), value, stale: Number.isNaN(value) }]);
    }
  }

  /** Sets, evaluates what is due, then lets a minute (or `ms`) pass. Gives what was sent meanwhile. */
  async step(samples: Readonly<Record<string, number>> = {}, ms = MINUTE): Promise<readonly AlertChange[]> {
    this.set(samples);
    const before = this.sent.length;
    await this.manager.evaluateDue(this.nowMs);
    this.nowMs += ms;
    return this.sent.slice(before).flatMap(({ changes }) => changes);
  }

  async query(expression: string, atMs = this.nowMs): Promise<readonly { labels: Labels; value: number }[]> {
    const { value } = await this.engine.instant(this.store, expression, atMs);
    if (value.kind !== 'vector') throw new Error('not a vector');
    return value.samples.map(({ labels, value: number }) => ({ labels, value: number }));
  }

  group(at = 0): RuleGroupStatus {
    return this.manager.status()[at]!;
  }

  rule(at = 0, group = 0): AlertingRuleStatus {
    const status = this.group(group).rules[at];
    if (status?.kind !== 'alerting') throw new Error('not an alerting rule');
    return status;
  }

  alerts(at = 0): readonly AlertStatus[] {
    return this.rule(at).alerts;
  }
}
