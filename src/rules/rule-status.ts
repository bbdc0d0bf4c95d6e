import type { AlertState } from '../model/alert.ts';
import type { Labels } from '../model/series.ts';
import type { AlertingRule, RecordingRule } from './rule.ts';

/** What /api/v1/rules and /api/v1/alerts show. */
export interface RuleGroupStatus {
  readonly name: string;
  readonly file: string;
  readonly intervalMs: number;
  readonly limit: number;
  readonly queryOffsetMs: number;
  readonly lastEvaluationMs: number | undefined;
  readonly evaluationTimeMs: number;
  /** Ticks that passed without an evaluation. */
  readonly missed: number;
  readonly rules: readonly RuleStatus[];
}

interface RuleStatusBase {
  readonly health: 'ok' | 'err' | 'unknown';
  /** Empty where health is ok or unknown. */
  readonly lastError: string;
  readonly lastEvaluationMs: number | undefined;
  readonly evaluationTimeMs: number;
}

export interface RecordingRuleStatus extends RuleStatusBase {
  readonly kind: 'recording';
  readonly rule: RecordingRule;
}

export interface AlertingRuleStatus extends RuleStatusBase {
  readonly kind: 'alerting';
  readonly rule: AlertingRule;
  readonly state: AlertState;
  readonly alerts: readonly AlertStatus[];
}

export type RuleStatus = RecordingRuleStatus | AlertingRuleStatus;

export interface AlertStatus {
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly state: 'pending' | 'firing';
  readonly activeAtMs: number;
  readonly keepFiringSinceMs?: number;
  readonly value: number;
}
