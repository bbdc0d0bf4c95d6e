import type { Labels } from '../model/series.ts';
import { Engine } from '../promql/engine.ts';
import { labelsKey } from '../promql/metric.ts';
import { formatPromqlDuration } from '../promql/promql-duration.ts';
import { formatGoFloat } from '../template/go-float.ts';
import { quote } from '../template/go-printf.ts';
import { GroupRunner } from './group-runner.ts';
import { MemoryStore } from './memory-store.ts';
import type { RuleGroup } from './rule.ts';
import { resultSamples } from './rule-storage.ts';
import type { AlertTest, ExprTest, RuleTest, RuleTestFile } from './rule-test-file.ts';
import type { RuleTestFailure } from './rule-test-result.ts';
import { TestLines } from './test-lines.ts';
import { parseMetric, parseSeriesValues } from './series-notation.ts';
import type { NotedValue } from './series-notation.ts';

/** Most steps of one test: a week of seconds. */
const STEPS_MAX = 700_000;

interface InputSeries {
  readonly labels: Labels;
  /** One for each interval of the test, worked out as they are asked for. */
  readonly values: Iterator<NotedValue>;
}

/**
 * One test: samples come in step by step, so that rules cannot see the future; all groups are evaluated at each
 * step, in order, whatever their own interval; alerts are compared at the step at or before their time; expressions
 * last.
 */
export class RuleTestRun {
  readonly #test: RuleTest;
  readonly #file: RuleTestFile;
  readonly #store = new MemoryStore();
  readonly #engine: Engine;
  readonly #lines: TestLines;
  readonly #groups: readonly GroupRunner[];
  readonly #failures: RuleTestFailure[] = [];
  #input: readonly InputSeries[] = [];
  #loaded = 0;

  constructor(test: RuleTest, file: RuleTestFile, groups: readonly RuleGroup[]) {
    this.#test = test;
    this.#file = file;
    this.#lines = new TestLines(test.inputLines, test.startMs);
    this.#engine = new Engine({ subqueryStepMs: file.evaluationIntervalMs });
    const around = {
      queryable: this.#store,
      append: this.#store.append.bind(this.#store),
      engine: this.#engine,
      lines: (query: string, atMs: number) => this.#lines.instant(query, atMs),
      notify: () => undefined,
      externalLabels: test.externalLabels,
      externalUrl: test.externalUrl,
      resendDelayMs: 60_000,
      monotonic: () => 0,
      yieldTurn: () => Promise.resolve(),
    };
    this.#groups = groups.map(
      (group) => new GroupRunner(group, around, { startMs: test.startMs, slotOffsetMs: 0 }),
    );
  }

  async run(): Promise<readonly RuleTestFailure[]> {
    if (!this.#readInput() || !(await this.#evaluateSteps())) return this.#failures;
    for (const exprTest of this.#test.exprTests) await this.#checkExpr(exprTest);
    return this.#failures;
  }

  #readInput(): boolean {
    const input: InputSeries[] = [];
    for (const { series, values } of this.#test.inputSeries) {
      try {
        input.push({ labels: parseMetric(series), values: parseSeriesValues(values)[Symbol.iterator]() });
      } catch (error) {
        this.#fail('input', series, '', messageOf(error));
      }
    }
    this.#input = input;
    for (const problem of this.#lines.problems) this.#fail('input', problem.stream, '', problem.message);
    return this.#failures.length === 0;
  }

  async #evaluateSteps(): Promise<boolean> {
    const { evaluationIntervalMs } = this.#file;
    const times = [...this.#test.alertTests, ...this.#test.exprTests].map(({ evalTimeMs }) => evalTimeMs);
    const lastMs = Math.max(0, ...times);
    if (lastMs / evaluationIntervalMs > STEPS_MAX) {
      this.#fail(
        'input',
        '',
        '',
        `the last eval_time is more than ${STEPS_MAX} evaluation intervals after the start`,
      );
      return false;
    }
    for (let atMs = 0; atMs <= lastMs; atMs += evaluationIntervalMs) {
      this.#loadUntil(atMs);
      for (const group of this.#groups) await group.evaluate(this.#test.startMs + atMs);
      if (this.#collectErrors(atMs)) return false;
      for (const alertTest of this.#test.alertTests) {
        if (atMs <= alertTest.evalTimeMs && alertTest.evalTimeMs < atMs + evaluationIntervalMs)
          this.#checkAlert(alertTest);
      }
    }
    return true;
  }

  #loadUntil(atMs: number): void {
    const { intervalMs, startMs } = this.#test;
    for (; this.#loaded * intervalMs <= atMs; this.#loaded++) {
      const samples = this.#input.flatMap(({ labels, values }) => {
        const next = values.next();
        return next.done === true || next.value === undefined ? [] : [{ labels, ...next.value }];
      });
      this.#store.append(startMs + this.#loaded * intervalMs, samples);
    }
  }

  #collectErrors(atMs: number): boolean {
    const before = this.#failures.length;
    for (const { rules } of this.#groups.map((group) => group.status())) {
      for (const { rule, lastError } of rules) {
        if (lastError !== '')
          this.#fail('evaluation', `rule ${rule.name}`, formatPromqlDuration(atMs), lastError);
      }
    }
    return this.#failures.length > before;
  }

  #checkAlert({ alertname, evalTime, expected }: AlertTest): void {
    const found = this.#groups
      .flatMap((group) => group.status().rules)
      .flatMap((rule) => (rule.kind === 'alerting' && rule.rule.name === alertname ? rule.alerts : []))
      .filter((alert) => alert.state === 'firing')
      .map(({ labels, annotations }) => ({ labels, annotations }));
    const wanted = expected.map(({ labels, annotations }) => ({
      labels: withoutEmpty({ ...labels, alertname }),
      annotations,
    }));
    const difference = compare(wanted.map(showAlert), found.map(showAlert));
    if (difference !== undefined) this.#fail('alert', alertname, evalTime, difference);
  }

  async #checkExpr({ expr, evalTimeMs, evalTime, expected }: ExprTest): Promise<void> {
    try {
      const result = await this.#engine.instant(this.#store, expr, this.#test.startMs + evalTimeMs);
      const found = resultSamples(result).map(({ labels, value }) => ({ labels, value }));
      const wanted = expected.map(({ labels, value }) => ({ labels: parseMetric(labels), value }));
      if (this.#sameSamples(wanted, found)) return;
      const difference = compare(wanted.map(showSample), found.map(showSample));
      this.#fail(
        'expr',
        expr,
        evalTime,
        difference ?? 'the values differ, though they print alike (NaN equals nothing)',
      );
    } catch (error) {
      this.#fail('expr', expr, evalTime, messageOf(error));
    }
  }

  #sameSamples(wanted: readonly Sample[], found: readonly Sample[]): boolean {
    if (wanted.length !== found.length) return false;
    const byLabels = (samples: readonly Sample[]): readonly Sample[] =>
      samples.toSorted((a, b) => (labelsKey(a.labels) < labelsKey(b.labels) ? -1 : 1));
    const others = byLabels(found);
    return byLabels(wanted).every((sample, at) => {
      const other = others[at];
      return (
        other !== undefined &&
        labelsKey(sample.labels) === labelsKey(other.labels) &&
        this.#equal(sample.value, other.value)
      );
    });
  }

  #equal(a: number, b: number): boolean {
    return a === b || (this.#file.fuzzyCompare && (neighbour(a, 1n) === b || neighbour(a, -1n) === b));
  }

  #fail(kind: RuleTestFailure['kind'], subject: string, evalTime: string, message: string): void {
    this.#failures.push({ kind, subject, evalTime, message });
  }
}

interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

/** The next float in the direction of the step; what two ways of adding up may differ by. */
function neighbour(value: number, step: bigint): number {
  if (!Number.isFinite(value)) return value;
  if (value === 0) return Number(step) * Number.MIN_VALUE;
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  view.setBigInt64(0, view.getBigInt64(0) + (value > 0 ? step : -step));
  return view.getFloat64(0);
}

/** Expected lines that are missing and found lines that were not expected; undefined where they are the same. */
function compare(expected: readonly string[], found: readonly string[]): string | undefined {
  const missing = without(expected, found).map((line) => prefixed('- ', line));
  const extra = without(found, expected).map((line) => prefixed('+ ', line));
  if (missing.length + extra.length === 0) return undefined;
  return [...missing.toSorted(), ...extra.toSorted()].join('\n');
}

function without(lines: readonly string[], others: readonly string[]): readonly string[] {
  const rest = [...others];
  return lines.filter((line) => {
    const at = rest.indexOf(line);
    if (at >= 0) rest.splice(at, 1);
    return at < 0;
  });
}

function prefixed(prefix: string, text: string): string {
  return text.replace(/^/gm, prefix);
}

function showAlert({
  labels,
  annotations,
}: {
  readonly labels: Labels;
  readonly annotations: Labels;
}): string {
  return `labels ${showLabels(labels)} annotations ${showLabels(annotations)}`;
}

function showSample({ labels, value }: Sample): string {
  const { __name__: name = '', ...others } = labels;
  const bare = name !== '' && Object.keys(others).length === 0;
  return `${name}${bare ? '' : showLabels(others)} ${formatGoFloat(value)}`;
}

function showLabels(labels: Labels): string {
  const pairs = Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${pairs.map(([name, value]) => `${name}=${quote(value)}`).join(', ')}}`;
}

function withoutEmpty(labels: Labels): Labels {
  return Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== ''));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
