import type { Labels } from '../model/series.ts';
import type { MetricExpr } from '../logql/ast.ts';
import type { Expr } from '../promql/ast.ts';
import type { Template } from '../template/template-nodes.ts';

/** A group of a Prometheus rule file, checked and with its defaults filled in. */
export interface RuleGroup {
  readonly file: string;
  readonly name: string;
  readonly intervalMs: number;
  /** How far before the evaluation its queries look, for data that arrives late. */
  readonly queryOffsetMs: number;
  /** Most alerts or series that one of its rules may give; 0 is no limit. */
  readonly limit: number;
  readonly rules: readonly Rule[];
}

export type Rule = RecordingRule | AlertingRule;

/** An expression of LogQL: what it is about is lines. */
export interface LinesExpr {
  readonly kind: 'lines';
  readonly expr: MetricExpr;
}

export type RuleExpr = Expr | LinesExpr;

interface RuleBase {
  /** The metric that is recorded, or the name of the alert. */
  readonly name: string;
  readonly expr: RuleExpr;
  /** The expression in its canonical form, as the API shows it. */
  readonly query: string;
  /** The group's and the rule's labels, as written. */
  readonly labels: Labels;
  readonly line: number;
}

export interface RecordingRule extends RuleBase {
  readonly kind: 'recording';
}

export interface AlertingRule extends RuleBase {
  readonly kind: 'alerting';
  readonly forMs: number;
  readonly keepFiringForMs: number;
  readonly annotations: Labels;
  readonly labelTemplates: ReadonlyMap<string, Template>;
  readonly annotationTemplates: ReadonlyMap<string, Template>;
}

/** A mistake in a file that a user wrote: where it is, what is there, what would be accepted. */
export interface RuleProblem {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
  /** `groups[0].rules[2].expr`. */
  readonly key: string;
  readonly value?: string;
  readonly message: string;
  readonly accepted?: string;
}

/** `rules.yaml:3:5: groups[0].rules[0].for: "5x" is not a duration; accepted: …`. */
export function formatProblem(problem: RuleProblem): string {
  const { file, line, column, key, message, accepted } = problem;
  const where = `${file}:${line}:${column}: ${key === '' ? '' : `${key}: `}`;
  return `${where}${message}${accepted === undefined ? '' : `; accepted: ${accepted}`}`;
}

/** The PromQL expression of a rule; none where it is about lines. */
export function promqlOf({ expr }: Rule): readonly Expr[] {
  return expr.kind === 'lines' ? [] : [expr];
}

/** What identifies a rule from one load of its file to the next: as Prometheus, its name and labels. */
export function ruleIdentity(rule: Rule): string {
  return JSON.stringify([
    rule.kind,
    rule.name,
    Object.entries(rule.labels).toSorted(([a], [b]) => (a < b ? -1 : 1)),
  ]);
}
