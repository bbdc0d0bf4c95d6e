import type { Node } from 'yaml';
import { isScalar } from 'yaml';
import type { Labels } from '../model/series.ts';
import { parsePromqlDuration } from '../promql/promql-duration.ts';
import type { RuleProblem } from './rule.ts';
import { yamlNumber } from './yaml-number.ts';
import { YamlReader } from './yaml-reader.ts';

/** A promtool unit-test file, checked. Times are relative to the start of each test. */
export interface RuleTestFile {
  readonly file: string;
  readonly ruleFiles: readonly string[];
  readonly evaluationIntervalMs: number;
  readonly groupEvalOrder: readonly string[];
  readonly fuzzyCompare: boolean;
  readonly tests: readonly RuleTest[];
}

export interface RuleTest {
  readonly name: string;
  readonly line: number;
  readonly intervalMs: number;
  readonly startMs: number;
  readonly inputSeries: readonly { readonly series: string; readonly values: string }[];
  /** Lines for rules on lines, by their streams. */
  readonly inputLines: readonly InputLines[];
  readonly alertTests: readonly AlertTest[];
  readonly exprTests: readonly ExprTest[];
  readonly externalLabels: Labels;
  readonly externalUrl: string;
}

export interface InputLines {
  /** A selector of equalities: `{source="web"}`. */
  readonly stream: string;
  readonly lines: readonly { readonly atMs: number; readonly line: string; readonly metadata: Labels }[];
}

export interface AlertTest {
  readonly evalTimeMs: number;
  readonly evalTime: string;
  readonly alertname: string;
  readonly expected: readonly { readonly labels: Labels; readonly annotations: Labels }[];
}

export interface ExprTest {
  readonly evalTimeMs: number;
  readonly evalTime: string;
  readonly expr: string;
  readonly expected: readonly { readonly labels: string; readonly value: number }[];
}

const FILE_KEYS = ['rule_files', 'evaluation_interval', 'group_eval_order', 'fuzzy_compare', 'tests'];
const TEST_KEYS = [
  'name',
  'interval',
  'start_timestamp',
  'input_series',
  'input_lines',
  'alert_rule_test',
  'promql_expr_test',
  'external_labels',
  'external_url',
];

export interface ReadRuleTestOptions {
  readonly file: string;
  readonly ignoreUnknownFields?: boolean;
}

/** Reads a unit-test file; unknown fields are mistakes, unless they are to be ignored. */
export function readRuleTestFile(
  text: string,
  options: ReadRuleTestOptions,
): { readonly testFile: RuleTestFile | undefined; readonly problems: readonly RuleProblem[] } {
  const reader = new TestFileReader(text, options);
  const testFile = reader.read();
  return { testFile: reader.problems.length > 0 ? undefined : testFile, problems: reader.problems };
}

class TestFileReader {
  readonly #yaml: YamlReader;
  readonly #ignoreUnknown: boolean;

  constructor(text: string, options: ReadRuleTestOptions) {
    this.#yaml = new YamlReader(text, options.file);
    this.#ignoreUnknown = options.ignoreUnknownFields ?? false;
  }

  get problems(): readonly RuleProblem[] {
    return this.#yaml.problems;
  }

  read(): RuleTestFile | undefined {
    const fields =
      this.#yaml.root === undefined ? new Map<string, Node>() : this.#fields(this.#yaml.root, '', FILE_KEYS);
    if (fields === undefined) return undefined;
    const interval = this.#duration(fields.get('evaluation_interval'), 'evaluation_interval').ms;
    const evaluationIntervalMs = interval > 0 ? interval : 60_000;
    return {
      file: this.#yaml.file,
      ruleFiles: this.#texts(fields.get('rule_files'), 'rule_files'),
      evaluationIntervalMs,
      groupEvalOrder: this.#groupOrder(fields.get('group_eval_order')),
      fuzzyCompare: this.#boolean(fields.get('fuzzy_compare'), 'fuzzy_compare'),
      tests: this.#yaml
        .list(fields.get('tests'), 'tests')
        .map((node, at) => this.#test(node, `tests[${at}]`, evaluationIntervalMs))
        .filter((test) => test !== undefined),
    };
  }

  #groupOrder(node: Node | undefined): readonly string[] {
    const names = this.#texts(node, 'group_eval_order');
    for (const [at, name] of names.entries()) {
      if (names.indexOf(name) < at)
        this.#yaml.problem(node, 'group_eval_order', `group name repeated in evaluation order: ${name}`);
    }
    return names;
  }

  #test(node: Node, key: string, evaluationIntervalMs: number): RuleTest | undefined {
    const fields = this.#fields(node, key, TEST_KEYS);
    if (fields === undefined) return undefined;
    const intervalMs = this.#duration(fields.get('interval'), `${key}.interval`).ms;
    const name = this.#text(fields.get('name'), `${key}.name`);
    return {
      name,
      line: this.#yaml.line(node),
      intervalMs: intervalMs > 0 ? intervalMs : evaluationIntervalMs,
      startMs: this.#startTime(fields.get('start_timestamp'), `${key}.start_timestamp`),
      inputSeries: this.#list(
        fields.get('input_series'),
        `${key}.input_series`,
        ['series', 'values'],
        (series, at) => ({
          series: this.#text(series.get('series'), `${at}.series`),
          values: this.#text(series.get('values'), `${at}.values`),
        }),
      ),
      inputLines: this.#list(
        fields.get('input_lines'),
        `${key}.input_lines`,
        ['stream', 'lines'],
        (stream, at) => ({
          stream: this.#text(stream.get('stream'), `${at}.stream`),
          lines: this.#list(
            stream.get('lines'),
            `${at}.lines`,
            ['at', 'line', 'metadata'],
            (line, place) => ({
              atMs: this.#duration(line.get('at'), `${place}.at`).ms,
              line: this.#text(line.get('line'), `${place}.line`),
              metadata: this.#labels(line.get('metadata'), `${place}.metadata`),
            }),
          ),
        }),
      ),
      alertTests: this.#list(
        fields.get('alert_rule_test'),
        `${key}.alert_rule_test`,
        ['eval_time', 'alertname', 'exp_alerts'],
        (test, at, whole) => this.#alertTest(test, at, whole),
      ),
      exprTests: this.#list(
        fields.get('promql_expr_test'),
        `${key}.promql_expr_test`,
        ['expr', 'eval_time', 'exp_samples'],
        (test, at) => this.#exprTest(test, at),
      ),
      externalLabels: this.#labels(fields.get('external_labels'), `${key}.external_labels`),
      externalUrl: this.#text(fields.get('external_url'), `${key}.external_url`),
    };
  }

  #alertTest(fields: Map<string, Node>, key: string, whole: Node): AlertTest {
    const time = this.#duration(fields.get('eval_time'), `${key}.eval_time`);
    const alertname = this.#text(fields.get('alertname'), `${key}.alertname`);
    if (alertname === '')
      this.#yaml.problem(whole, key, 'an item under alert_rule_test misses required attribute alertname');
    return {
      evalTimeMs: time.ms,
      evalTime: time.text,
      alertname,
      expected: this.#list(
        fields.get('exp_alerts'),
        `${key}.exp_alerts`,
        ['exp_labels', 'exp_annotations'],
        (alert, at) => ({
          labels: this.#labels(alert.get('exp_labels'), `${at}.exp_labels`),
          annotations: this.#labels(alert.get('exp_annotations'), `${at}.exp_annotations`),
        }),
      ),
    };
  }

  #exprTest(fields: Map<string, Node>, key: string): ExprTest {
    const time = this.#duration(fields.get('eval_time'), `${key}.eval_time`);
    return {
      evalTimeMs: time.ms,
      evalTime: time.text,
      expr: this.#text(fields.get('expr'), `${key}.expr`),
      expected: this.#list(
        fields.get('exp_samples'),
        `${key}.exp_samples`,
        ['labels', 'value', 'histogram'],
        (sample, at) => {
          const histogram = sample.get('histogram');
          if (histogram !== undefined)
            this.#yaml.problem(histogram, `${at}.histogram`, 'native histograms are not supported');
          return {
            labels: this.#text(sample.get('labels'), `${at}.labels`),
            value: this.#number(sample.get('value'), `${at}.value`),
          };
        },
      ),
    };
  }

  #fields(node: Node, key: string, accepted: readonly string[]): Map<string, Node> | undefined {
    return this.#yaml.fields(node, key, accepted, this.#ignoreUnknown);
  }

  #list<T>(
    node: Node | undefined,
    key: string,
    accepted: readonly string[],
    read: (fields: Map<string, Node>, key: string, node: Node) => T,
  ): readonly T[] {
    const items: T[] = [];
    for (const [at, item] of this.#yaml.list(node, key).entries()) {
      const fields = this.#fields(item, `${key}[${at}]`, accepted);
      if (fields !== undefined) items.push(read(fields, `${key}[${at}]`, item));
    }
    return items;
  }

  #texts(node: Node | undefined, key: string): readonly string[] {
    return this.#yaml.list(node, key).map((item, at) => this.#text(item, `${key}[${at}]`));
  }

  #text(node: Node | undefined, key: string): string {
    return node === undefined ? '' : (this.#yaml.text(node, key) ?? '');
  }

  #labels(node: Node | undefined, key: string): Labels {
    return Object.fromEntries([...this.#yaml.texts(node, key)].map(([name, { text }]) => [name, text]));
  }

  #duration(node: Node | undefined, key: string): { readonly ms: number; readonly text: string } {
    const text = this.#text(node, key);
    if (text === '') return { ms: 0, text: '0s' };
    const ms = parsePromqlDuration(text);
    if (ms === undefined)
      this.#yaml.problem(
        node,
        key,
        `${JSON.stringify(text)} is not a duration`,
        'a duration such as 30s, 5m or 1h30m',
      );
    return { ms: ms ?? 0, text };
  }

  #boolean(node: Node | undefined, key: string): boolean {
    const text = this.#text(node, key);
    if (text !== '' && text !== 'true' && text !== 'false')
      this.#yaml.problem(node, key, `${JSON.stringify(text)} is neither true nor false`);
    return text === 'true';
  }

  #number(node: Node | undefined, key: string): number {
    if (node === undefined) return 0;
    const plain = isScalar(node) && (node.type === 'PLAIN' || node.tag !== undefined);
    const value = plain ? yamlNumber(node.source ?? '') : undefined;
    if (value !== undefined) return value;
    this.#yaml.problem(
      node,
      key,
      `${JSON.stringify(this.#text(node, key))} is not a number`,
      '12, 1.5e3, .inf, .nan',
    );
    return 0;
  }

  /** RFC 3339, or seconds since 1970. */
  #startTime(node: Node | undefined, key: string): number {
    const text = this.#text(node, key);
    if (text === '') return 0;
    const ms = /^-?\d+(?:\.\d+)?$/.test(text)
      ? Number(text) * 1000
      : /^\d{4}-\d\d-\d\d[Tt ]/.test(text)
        ? Date.parse(text)
        : Number.NaN;
    if (Number.isFinite(ms)) return Math.round(ms);
    this.#yaml.problem(
      node,
      key,
      `${JSON.stringify(text)} is not a time`,
      'RFC 3339 (2026-01-02T03:04:05Z) or seconds since 1970',
    );
    return 0;
  }
}
