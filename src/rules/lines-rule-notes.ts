import { rangesOf, type MetricExpr, type RangeAggregation, type Stage } from '../logql/ast.ts';
import { namesInFilter } from '../logql/stage-names.ts';
import { formatPromqlDuration } from '../promql/promql-duration.ts';
import type { Rule, RuleGroup } from './rule.ts';

/** A rule on lines that is well and will not do what its author thinks. */
export interface LinesRuleNote {
  readonly rule: Rule;
  readonly message: string;
}

/** The traps of rules on lines, of which nothing tells when they are fallen into. */
export function linesRuleNotes({ rules, intervalMs }: RuleGroup): readonly LinesRuleNote[] {
  return rules.flatMap((rule) => {
    if (rule.expr.kind !== 'lines') return [];
    return notesOf(rule.expr.expr, intervalMs).map((message) => ({ rule, message }));
  });
}

function notesOf(expr: MetricExpr, intervalMs: number): string[] {
  const notes: string[] = [];
  const ranges = rangesOf(expr);
  if (comparesWithNothing(expr)) {
    notes.push(
      'where no line fits there is no sample, and a comparison with nothing never holds; write absent_over_time(…), or or vector(0) before the comparison',
    );
  }
  if (ranges.some(isStoppedByOneLine)) {
    notes.push('one line that a parser cannot read stops the rule; put | __error__="" behind the stages');
  }
  if (splitsByLabels(expr)) {
    notes.push(
      'without an aggregation each set of labels is a series, and an alert of its own; write sum by (…) (…)',
    );
  }
  const short = ranges.find(({ rangeMs }) => rangeMs < intervalMs);
  if (short !== undefined) {
    const [range, interval] = [short.rangeMs, intervalMs].map(formatPromqlDuration);
    notes.push(
      `the range of ${range} is shorter than the interval of ${interval}; lines between two evaluations are not looked at`,
    );
  }
  return notes;
}

/** `== 0`, `< 5`, `<= 0` over counts that are not there when there are no lines. */
function comparesWithNothing(expr: MetricExpr): boolean {
  if (expr.kind === 'aggregate' || expr.kind === 'label_replace') return comparesWithNothing(expr.expr);
  if (expr.kind !== 'binary') return false;
  const { op, left, right } = expr;
  const meansFew =
    (right.kind === 'number' && ((op === '==' && right.value === 0) || op === '<' || op === '<=')) ||
    (left.kind === 'number' && ((op === '==' && left.value === 0) || op === '>' || op === '>='));
  if (!meansFew) return comparesWithNothing(left) || comparesWithNothing(right);
  const counted = right.kind === 'number' ? left : right;
  return rangesOf(counted).some(({ fn }) => COUNTS.has(fn)) && !hasDefault(counted);
}

const COUNTS: ReadonlySet<string> = new Set([
  'count_over_time',
  'rate',
  'bytes_over_time',
  'bytes_rate',
  'sum_over_time',
]);

function hasDefault(expr: MetricExpr): boolean {
  switch (expr.kind) {
    case 'vector':
      return true;
    case 'aggregate':
    case 'label_replace':
      return hasDefault(expr.expr);
    case 'binary':
      return expr.op === 'or' && (hasDefault(expr.left) || hasDefault(expr.right));
    case 'range':
    case 'number':
      return false;
  }
}

const PARSERS: ReadonlySet<Stage['kind']> = new Set(['json', 'unpack']);

function isStoppedByOneLine({ log, unwrap }: RangeAggregation): boolean {
  const fails = log.stages.some(
    (stage) => PARSERS.has(stage.kind) || (stage.kind === 'logfmt' && stage.strict),
  );
  const filtersBehind = (unwrap?.filters ?? []).some((filter) => namesInFilter(filter).includes('__error__'));
  if (unwrap !== undefined) return !filtersBehind;
  const minds = log.stages.some(
    (stage) =>
      (stage.kind === 'filter' && namesInFilter(stage.filter).includes('__error__')) ||
      (stage.kind === 'drop' && stage.labels.some(({ name }) => name === '__error__')),
  );
  return fails && !minds;
}

/** A range whose samples nothing puts together. */
function splitsByLabels(expr: MetricExpr): boolean {
  switch (expr.kind) {
    case 'range':
      return expr.grouping === undefined && expr.fn !== 'absent_over_time';
    case 'label_replace':
      return splitsByLabels(expr.expr);
    case 'binary':
      return splitsByLabels(expr.left) || splitsByLabels(expr.right);
    case 'aggregate':
    case 'number':
    case 'vector':
      return false;
  }
}
