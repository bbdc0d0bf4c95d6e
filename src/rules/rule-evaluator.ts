import type { AlertChange } from '../model/alert.ts';
import type { Labels, Queryable } from '../model/series.ts';
import { labelsKey } from '../promql/metric.ts';
import { parseExpr } from '../promql/parse-expr.ts';
import { expandAlertTemplate } from './alert-template.ts';
import type { QuerySample } from './alert-template.ts';
import { AlertTracker } from './alert-tracker.ts';
import type { ProducedAlert, TrackedAlert } from './alert-tracker.ts';
import { formatGoFloat } from '../template/go-float.ts';
import type { AlertingRule, Rule, RuleGroup } from './rule.ts';
import type {
  AppendSamples,
  InstantEngine,
  InstantResult,
  InstantSample,
  LinesEngine,
  RuleSample,
} from './rule-storage.ts';
import { resultSamples } from './rule-storage.ts';
import type { RuleStatus } from './rule-status.ts';
import { queryEscape } from '../template/template-builtins.ts';
import type { Template } from '../template/template-nodes.ts';

/** Called after an evaluation with the alerts that are firing or resolved and due. Where it fails they stay due. */
export type NotifyAlerts = (changes: readonly AlertChange[], nowMs: number) => void | Promise<void>;

/** What all rules of a manager share. */
export interface RuleSurroundings {
  readonly queryable: Queryable;
  readonly append: AppendSamples;
  readonly engine: InstantEngine;
  /** Where there are lines to ask about. */
  readonly lines?: LinesEngine;
  readonly notify: NotifyAlerts;
  readonly externalLabels: Labels;
  readonly externalUrl: string;
  readonly resendDelayMs: number;
  /** For measuring how long an evaluation took, ms. */
  readonly monotonic: () => number;
  /** Lets others run: between two rules, and between pieces of a large one. */
  readonly yieldTurn: () => Promise<void>;
}

/** How many alerts are expanded before others get their turn: a few milliseconds of templates. */
const ALERTS_PER_TURN = 50;

/** One rule with what it carries from one evaluation to the next. It never throws: what fails is in its status. */
export class RuleEvaluator {
  readonly rule: Rule;
  readonly tracker: AlertTracker | undefined;
  readonly #around: RuleSurroundings;
  /** The series of the last evaluation, by key: those missing from the next one end. */
  #series = new Map<string, Labels>();
  #health: 'ok' | 'err' | 'unknown' = 'unknown';
  #lastError = '';
  #lastEvaluationMs: number | undefined;
  #evaluationTimeMs = 0;

  constructor(rule: Rule, around: RuleSurroundings) {
    this.rule = rule;
    this.#around = around;
    this.tracker = rule.kind === 'alerting' ? new AlertTracker(rule) : undefined;
  }

  /** On reload: goes on where the same rule of the former file stood. */
  takeOver(from: RuleEvaluator): void {
    this.#series = from.#series;
    this.#health = from.#health;
    this.#lastError = from.#lastError;
    this.#lastEvaluationMs = from.#lastEvaluationMs;
    this.#evaluationTimeMs = from.#evaluationTimeMs;
    if (from.tracker !== undefined) this.tracker?.takeOver(from.tracker);
  }

  /** The series that it wrote last. */
  series(): readonly Labels[] {
    return [...this.#series.values()];
  }

  async evaluate(group: RuleGroup, atMs: number): Promise<void> {
    const started = this.#around.monotonic();
    try {
      const samples = await this.#samples(group, atMs);
      await this.#write(samples, atMs - group.queryOffsetMs);
      this.#health = 'ok';
      this.#lastError = '';
    } catch (error) {
      this.#health = 'err';
      this.#lastError = error instanceof Error && error.message !== '' ? error.message : String(error);
    }
    this.#lastEvaluationMs = atMs;
    this.#evaluationTimeMs = this.#around.monotonic() - started;
  }

  status(): RuleStatus {
    const base = {
      health: this.#health,
      lastError: this.#lastError,
      lastEvaluationMs: this.#lastEvaluationMs,
      evaluationTimeMs: this.#evaluationTimeMs,
    };
    if (this.rule.kind === 'recording') return { kind: 'recording', rule: this.rule, ...base };
    const alerts = (this.tracker?.active() ?? []).map((alert) => ({
      labels: alert.labels,
      annotations: alert.annotations,
      state: alert.state === 'firing' ? ('firing' as const) : ('pending' as const),
      activeAtMs: alert.activeAtMs,
      value: alert.value,
      ...(alert.keepFiringSinceMs === undefined ? {} : { keepFiringSinceMs: alert.keepFiringSinceMs }),
    }));
    return { kind: 'alerting', rule: this.rule, state: this.tracker?.state() ?? 'inactive', alerts, ...base };
  }

  /** Tells receivers that its firing alerts are over, because the rule itself is gone. */
  endings(nowMs: number): readonly AlertChange[] {
    const firing = this.tracker?.active().filter((alert) => alert.state === 'firing') ?? [];
    return firing.map((alert) => this.#change({ ...alert, state: 'inactive', resolvedAtMs: nowMs }, nowMs));
  }

  async #samples(group: RuleGroup, atMs: number): Promise<readonly RuleSample[]> {
    const result = await this.#ask(atMs - group.queryOffsetMs);
    const produced = resultSamples(result);
    if (this.rule.kind === 'recording')
      return recorded(this.rule.name, this.rule.labels, produced, group.limit);
    return this.#alert(this.rule, produced, group, atMs);
  }

  #ask(atMs: number): Promise<InstantResult> {
    const { expr, query } = this.rule;
    if (expr.kind !== 'lines') return this.#around.engine.instant(this.#around.queryable, expr, atMs);
    if (this.#around.lines === undefined) throw new Error('there are no lines here to ask about');
    return this.#around.lines(query, atMs);
  }

  async #alert(
    rule: AlertingRule,
    produced: readonly InstantSample[],
    group: RuleGroup,
    atMs: number,
  ): Promise<readonly RuleSample[]> {
    const tracker = this.tracker;
    if (tracker === undefined) return [];
    const alerts: ProducedAlert[] = [];
    for (const sample of produced) {
      alerts.push(await this.#produced(rule, sample, atMs));
      if (alerts.length % ALERTS_PER_TURN === 0) await this.#around.yieldTurn();
    }
    tracker.evaluate(alerts, atMs, group.limit);
    await this.#send(tracker, group, atMs);
    return tracker.active().flatMap((alert) => alertSamples(alert));
  }

  async #produced(rule: AlertingRule, sample: InstantSample, atMs: number): Promise<ProducedAlert> {
    const expand = (template: Template): Promise<string> =>
      expandAlertTemplate(
        template,
        {
          labels: sample.labels,
          value: sample.value,
          externalLabels: this.#around.externalLabels,
          externalUrl: this.#around.externalUrl,
          nowMs: atMs,
        },
        (expression) => this.#query(expression, atMs),
      );
    const labels: Record<string, string> = { ...sample.labels };
    delete labels['__name__'];
    for (const [name, template] of rule.labelTemplates) setLabel(labels, name, await expand(template));
    labels['alertname'] = rule.name;
    const annotations: Record<string, string> = {};
    for (const [name, template] of rule.annotationTemplates) annotations[name] = await expand(template);
    return { labels, annotations, value: sample.value };
  }

  async #query(expression: string, atMs: number): Promise<readonly QuerySample[]> {
    return resultSamples(
      await this.#around.engine.instant(this.#around.queryable, parseExpr(expression), atMs),
    );
  }

  async #send(tracker: AlertTracker, group: RuleGroup, atMs: number): Promise<void> {
    const due = tracker.due(atMs, this.#around.resendDelayMs);
    if (due.length === 0) return;
    const validUntilMs = atMs + 4 * Math.max(group.intervalMs, this.#around.resendDelayMs);
    await this.#around.notify(
      due.map((alert) => this.#change(alert, validUntilMs)),
      atMs,
    );
    for (const alert of due) alert.lastSentAtMs = atMs;
  }

  #change(alert: TrackedAlert, validUntilMs: number): AlertChange {
    const { externalUrl, externalLabels } = this.#around;
    return {
      labels: { ...externalLabels, ...alert.labels },
      annotations: alert.annotations,
      startsAtMs: alert.firedAtMs ?? alert.activeAtMs,
      endsAtMs: alert.resolvedAtMs ?? validUntilMs,
      status: alert.state === 'inactive' ? 'resolved' : 'firing',
      generatorUrl:
        externalUrl === ''
          ? ''
          : `${externalUrl.replace(/\/$/, '')}/graph?g0.expr=${queryEscape(this.rule.query)}&g0.tab=1`,
      value: formatGoFloat(alert.value),
    };
  }

  async #write(samples: readonly RuleSample[], timeMs: number): Promise<void> {
    const now = new Map(samples.map((sample) => [labelsKey(sample.labels), sample.labels]));
    const ended: RuleSample[] = [];
    for (const [key, labels] of this.#series)
      if (!now.has(key)) ended.push({ labels, value: Number.NaN, stale: true });
    if (samples.length + ended.length > 0) await this.#around.append(timeMs, [...samples, ...ended]);
    this.#series = now;
  }
}

function recorded(
  name: string,
  ruleLabels: Labels,
  produced: readonly InstantSample[],
  limit: number,
): readonly RuleSample[] {
  const keys = new Set<string>();
  const samples = produced.map((sample): RuleSample => {
    const labels: Record<string, string> = { ...sample.labels, __name__: name };
    for (const [label, value] of Object.entries(ruleLabels)) setLabel(labels, label, value);
    keys.add(labelsKey(labels));
    return { labels, value: sample.value, stale: false };
  });
  if (keys.size < samples.length)
    throw new Error('vector contains metrics with the same labelset after applying rule labels');
  if (limit > 0 && samples.length > limit)
    throw new Error(`exceeded limit of ${limit} with ${samples.length} series`);
  return samples;
}

function alertSamples(alert: TrackedAlert): readonly RuleSample[] {
  return [
    { labels: { ...alert.labels, __name__: 'ALERTS', alertstate: alert.state }, value: 1, stale: false },
    {
      labels: { ...alert.labels, __name__: 'ALERTS_FOR_STATE' },
      value: Math.floor(alert.activeAtMs / 1000),
      stale: false,
    },
  ];
}

/** An empty value takes the label away. */
function setLabel(labels: Record<string, string>, name: string, value: string): void {
  if (value === '') delete labels[name];
  else labels[name] = value;
}
