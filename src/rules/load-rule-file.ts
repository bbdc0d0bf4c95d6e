import type { Node } from 'yaml';
import { isMap, isScalar } from 'yaml';
import type { Labels } from '../model/series.ts';
import type { Expr } from '../promql/ast.ts';
import { isPlainLabelName, isPlainMetricName } from '../promql/go-string.ts';
import { parseExpr } from '../promql/parse-expr.ts';
import { formatPromqlDuration, parsePromqlDuration } from '../promql/promql-duration.ts';
import { PromqlError } from '../promql/promql-error.ts';
import { requiredHistoryMs } from '../promql/required-history.ts';
import { parseAlertTemplate } from './alert-template.ts';
import { scalarOffset } from './scalar-offset.ts';
import { readLinesExpr, showExpr } from './lines-expr.ts';
import type { AlertingRule, Rule, RuleExpr, RuleGroup, RuleProblem } from './rule.ts';
import type { Template } from '../template/template-nodes.ts';
import { TemplateError } from '../template/template-value.ts';
import { yamlNumber } from './yaml-number.ts';
import { YamlReader } from './yaml-reader.ts';

export interface LoadRuleOptions {
  /** How messages name the file. */
  readonly file: string;
  /** For groups that set no `interval`; 1 minute by default. */
  readonly defaultIntervalMs?: number;
  /** How far back samples are kept; a rule that needs more is refused. Without it nothing is. */
  readonly history?: { readonly keptMs: number; readonly lookbackMs: number };
  /** In what expressions are written; PromQL where left out. */
  readonly language?: 'promql' | 'logql';
  /** Accepts keys that it does not know. */
  readonly ignoreUnknownKeys?: boolean;
}

export interface LoadedRules {
  /** Groups without any mistake in them. */
  readonly groups: readonly RuleGroup[];
  readonly problems: readonly RuleProblem[];
}

const GROUP_KEYS = ['name', 'interval', 'query_offset', 'limit', 'labels', 'rules'];
const RULE_KEYS = ['record', 'alert', 'expr', 'for', 'keep_firing_for', 'labels', 'annotations'];
/** Lines come a little late; a rule on lines looks so far back where its group says nothing. */
const LINES_OFFSET_MS = 15_000;
const DURATION_FORM = 'a duration such as 30s, 5m or 1h30m';

/** Reads a Prometheus rule file. Every mistake is reported with its place; nothing is guessed. */
export function loadRuleFile(text: string, options: LoadRuleOptions): LoadedRules {
  return new RuleFileLoader(text, options).load();
}

class RuleFileLoader {
  readonly #text: string;
  readonly #options: LoadRuleOptions;
  readonly #yaml: YamlReader;

  constructor(text: string, options: LoadRuleOptions) {
    this.#text = text;
    this.#options = options;
    this.#yaml = new YamlReader(text, options.file);
  }

  load(): LoadedRules {
    const { root } = this.#yaml;
    const groups: RuleGroup[] = [];
    if (root === undefined) return { groups, problems: this.#yaml.problems };
    const fields = this.#yaml.fields(root, '', ['groups'], this.#options.ignoreUnknownKeys);
    const names = new Set<string>();
    for (const [at, node] of this.#yaml.list(fields?.get('groups'), 'groups').entries()) {
      const group = this.#group(node, `groups[${at}]`, names);
      if (group !== undefined) groups.push(group);
    }
    return { groups, problems: this.#yaml.problems };
  }

  #group(node: Node, key: string, names: Set<string>): RuleGroup | undefined {
    const before = this.#yaml.problems.length;
    const fields = this.#yaml.fields(node, key, GROUP_KEYS, this.#options.ignoreUnknownKeys);
    if (fields === undefined) return undefined;
    const name = this.#groupName(node, fields.get('name'), `${key}.name`, names);
    const interval = this.#duration(fields.get('interval'), `${key}.interval`);
    const late = this.#options.language === 'logql' && fields.get('query_offset') === undefined;
    const queryOffsetMs = late
      ? LINES_OFFSET_MS
      : this.#duration(fields.get('query_offset'), `${key}.query_offset`);
    const limit = this.#limit(fields.get('limit'), `${key}.limit`);
    const labels = this.#labels(fields.get('labels'), `${key}.labels`);
    const intervalMs = interval > 0 ? interval : (this.#options.defaultIntervalMs ?? 60_000);
    const rules: Rule[] = [];
    for (const [at, ruleNode] of this.#yaml.list(fields.get('rules'), `${key}.rules`).entries()) {
      const rule = this.#rule(ruleNode, `${key}.rules[${at}]`, labels, { intervalMs, queryOffsetMs });
      if (rule !== undefined) rules.push(rule);
    }
    if (this.#yaml.problems.length > before) return undefined;
    return { file: this.#options.file, name, intervalMs, queryOffsetMs, limit, rules };
  }

  #groupName(group: Node, node: Node | undefined, key: string, names: Set<string>): string {
    const name = node === undefined ? '' : (this.#yaml.text(node, key) ?? '');
    if (name === '') this.#yaml.problem(node ?? group, key, 'a group must have a name');
    else if (names.has(name))
      this.#yaml.problem(node, key, `group name ${JSON.stringify(name)} is repeated in the same file`);
    names.add(name);
    return name;
  }

  #rule(
    node: Node,
    key: string,
    groupLabels: Labels,
    group: { readonly intervalMs: number; readonly queryOffsetMs: number },
  ): Rule | undefined {
    const fields = this.#yaml.fields(node, key, RULE_KEYS, this.#options.ignoreUnknownKeys);
    if (fields === undefined) return undefined;
    const kind = this.#kind(node, fields, key);
    const expr = this.#expr(node, fields.get('expr'), `${key}.expr`, group);
    const labels = { ...groupLabels, ...this.#labels(fields.get('labels'), `${key}.labels`) };
    if (kind === undefined) return undefined;
    const line = this.#yaml.line(node);
    if (kind === 'recording') {
      const name = this.#recordName(fields.get('record'), `${key}.record`);
      this.#refuseAlertKeys(fields, key);
      return expr === undefined ? undefined : { kind, name, expr, query: showExpr(expr), labels, line };
    }
    return this.#alert(fields, key, labels, line, expr);
  }

  /** Nothing said is no fault: Prometheus takes `annotations: {}` and `for: 0s` in a recording rule. */
  #refuseAlertKeys(fields: Map<string, Node>, key: string): void {
    for (const name of ['for', 'keep_firing_for', 'annotations']) {
      const node = fields.get(name);
      if (node === undefined || (isMap(node) && node.items.length === 0)) continue;
      if (isScalar(node) && parsePromqlDuration(String(node.value)) === 0) continue;
      this.#yaml.problem(node, `${key}.${name}`, `a recording rule has no ${name}`);
    }
  }

  #alert(
    fields: Map<string, Node>,
    key: string,
    labels: Labels,
    line: number,
    expr: RuleExpr | undefined,
  ): AlertingRule | undefined {
    const name = this.#yaml.text(fields.get('alert'), `${key}.alert`) ?? '';
    const forMs = this.#duration(fields.get('for'), `${key}.for`);
    const keepFiringForMs = this.#duration(fields.get('keep_firing_for'), `${key}.keep_firing_for`);
    const annotations = this.#annotations(fields.get('annotations'), `${key}.annotations`);
    const labelTemplates = this.#templates(
      labels,
      fields.get('labels') ?? fields.get('alert'),
      `${key}.labels`,
      name,
    );
    const annotationTemplates = this.#templates(
      annotations,
      fields.get('annotations'),
      `${key}.annotations`,
      name,
    );
    if (expr === undefined) return undefined;
    return {
      kind: 'alerting',
      name,
      expr,
      query: showExpr(expr),
      labels,
      line,
      forMs,
      keepFiringForMs,
      annotations,
      labelTemplates,
      annotationTemplates,
    };
  }

  #kind(node: Node, fields: Map<string, Node>, key: string): Rule['kind'] | undefined {
    const record = fields.get('record');
    const alert = fields.get('alert');
    if (record !== undefined && alert !== undefined) {
      this.#yaml.problem(record, key, "only one of 'record' and 'alert' may be set");
      return undefined;
    }
    if (record === undefined && (alert === undefined || this.#yaml.text(alert, `${key}.alert`) === '')) {
      this.#yaml.problem(alert ?? node, key, "one of 'record' or 'alert' must be set");
      return undefined;
    }
    return record === undefined ? 'alerting' : 'recording';
  }

  #recordName(node: Node | undefined, key: string): string {
    const name = this.#yaml.text(node, key) ?? '';
    if (!isPlainMetricName(name)) {
      this.#yaml.problem(
        node,
        key,
        `${JSON.stringify(name)} is not a metric name`,
        'letters, digits, _ and :, not beginning with a digit',
      );
    }
    return name;
  }

  #expr(
    rule: Node,
    node: Node | undefined,
    key: string,
    group: { readonly intervalMs: number; readonly queryOffsetMs: number },
  ): RuleExpr | undefined {
    const text = node === undefined ? '' : this.#yaml.text(node, key);
    if (text === undefined) return undefined;
    if (text.trim() === '') {
      this.#yaml.problem(node ?? rule, key, 'a rule must have an expression');
      return undefined;
    }
    if (this.#options.language === 'logql') {
      const read = readLinesExpr(text);
      if (read.expr === undefined) {
        const offset = isScalar(node) ? scalarOffset(this.#text, node, read.offset) : 0;
        this.#yaml.problemAt(offset, key, read.message, undefined, text);
      }
      return read.expr;
    }
    try {
      const expr = parseExpr(text);
      this.#checkHistory(expr, node, key, group);
      return expr;
    } catch (error) {
      if (!(error instanceof PromqlError)) throw error;
      const offset = isScalar(node) ? scalarOffset(this.#text, node, error.position.start) : 0;
      this.#yaml.problemAt(offset, key, error.message, undefined, text);
      return undefined;
    }
  }

  #checkHistory(
    expr: Expr,
    node: Node | undefined,
    key: string,
    group: { readonly intervalMs: number; readonly queryOffsetMs: number },
  ): void {
    const { history } = this.#options;
    if (history === undefined) return;
    const selected = requiredHistoryMs(expr, history.lookbackMs);
    const offset = group.queryOffsetMs > 0 ? group.queryOffsetMs + group.intervalMs : 0;
    if (selected !== 'unbounded' && selected + offset <= history.keptMs) return;
    const needs = selected === 'unbounded' ? 'all history' : formatPromqlDuration(selected + offset);
    this.#yaml.problem(
      node,
      key,
      `the expression needs ${needs}, ${formatPromqlDuration(history.keptMs)} is kept`,
    );
  }

  #duration(node: Node | undefined, key: string): number {
    if (node === undefined) return 0;
    const text = this.#yaml.text(node, key);
    if (text === undefined) return 0;
    const ms = parsePromqlDuration(text);
    if (ms === undefined)
      this.#yaml.problem(node, key, `${JSON.stringify(text)} is not a duration`, DURATION_FORM);
    return ms ?? 0;
  }

  #limit(node: Node | undefined, key: string): number {
    if (node === undefined) return 0;
    const text = this.#yaml.text(node, key) ?? '';
    const limit = isScalar(node) && node.type === 'PLAIN' ? yamlNumber(text) : undefined;
    if (limit !== undefined && Number.isFinite(limit)) return Math.max(0, Math.trunc(limit));
    this.#yaml.problem(node, key, `${JSON.stringify(text)} is not a limit`, 'a whole number; 0 is no limit');
    return 0;
  }

  #labels(node: Node | undefined, key: string): Labels {
    return this.#pairs(node, key, 'label');
  }

  #annotations(node: Node | undefined, key: string): Labels {
    return this.#pairs(node, key, 'annotation');
  }

  #pairs(node: Node | undefined, key: string, what: 'label' | 'annotation'): Labels {
    const pairs: [string, string][] = [];
    for (const [name, { text, keyNode }] of this.#yaml.texts(node, key)) {
      if (!isPlainLabelName(name) || (what === 'label' && name === '__name__')) {
        this.#yaml.problem(
          keyNode,
          `${key}.${name}`,
          `${JSON.stringify(name)} is not a name for ${what}s`,
          'letters, digits and _, not beginning with a digit',
        );
      }
      pairs.push([name, text]);
    }
    return Object.fromEntries(pairs);
  }

  #templates(
    texts: Labels,
    node: Node | undefined,
    key: string,
    alertName: string,
  ): ReadonlyMap<string, Template> {
    const templates = new Map<string, Template>();
    const nodes = isMap(node) ? this.#yaml.texts(node, key) : undefined;
    for (const [name, text] of Object.entries(texts)) {
      try {
        templates.set(name, parseAlertTemplate(text, alertName));
      } catch (error) {
        if (!(error instanceof TemplateError)) throw error;
        this.#yaml.problem(nodes?.get(name)?.node ?? node, `${key}.${name}`, error.message);
      }
    }
    return templates;
  }
}
