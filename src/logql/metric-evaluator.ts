import type { Labels } from '../model/series.ts';
import { aggregate, byValue, chooseBest } from '../promql/aggregate.ts';
import { isComparison, isSetOperator, type BinaryOp } from '../promql/ast.ts';
import { arithmeticOf, comparisonOf } from '../promql/binary-arithmetic.ts';
import { GoRegex } from '../promql/go-regex.ts';
import { refuseDuplicates } from '../promql/label-functions.ts';
import { Metric, NO_LABELS } from '../promql/metric.ts';
import { add, emptyVector, type Vector } from '../promql/vector.ts';
import { matchVectors, type NameRules, setOperation, withScalar } from '../promql/vector-matching.ts';
import type {
  AggregateOp,
  Aggregation,
  BinaryExpr,
  Grouping,
  LabelReplace,
  MetricExpr,
  RangeAggregation,
  RangeFunction,
} from './ast.ts';
import { newLabels } from './line.ts';
import { RangeValues } from './range-functions.ts';
import { RangeCollector, type RangeLimits, type Steps } from './range-series.ts';
import type { MetadataInSeries } from './sample-extractor.ts';

export interface MetricOptions {
  readonly metadataInSeries: MetadataInSeries;
  readonly limits: RangeLimits;
}

export type MetricValue = Vector | { readonly kind: 'scalar'; readonly value: number };

/** Division by 0 gives NaN whatever is divided, unlike in PromQL. */
const RULES: NameRules = { delayed: false, arithmeticOf: arithmeticOfLines };
const NOWHERE = { start: 0, end: 0 };

function arithmeticOfLines(op: BinaryOp): (a: number, b: number) => number {
  const plain = arithmeticOf(op);
  return op === '/' || op === '%' ? (a, b) => (b === 0 ? Number.NaN : plain(a, b)) : plain;
}

/** Evaluates an expression for samples, instant by instant, once its collectors have been given all lines. */
export class MetricEvaluator {
  readonly collectors: readonly RangeCollector[];
  readonly #byRange = new Map<MetricExpr, RangeCollector>();
  readonly #values = new Map<RangeCollector, RangeValues>();
  readonly #steps: Steps;
  readonly #options: MetricOptions;

  constructor(expr: MetricExpr, steps: Steps, options: MetricOptions) {
    this.#steps = steps;
    this.#options = options;
    this.#prepare(expr);
    this.collectors = [...this.#byRange.values()];
  }

  #prepare(expr: MetricExpr): void {
    switch (expr.kind) {
      case 'range':
        this.#collect(expr, expr, expr.grouping);
        break;
      case 'aggregate': {
        const inner = groupedAtOnce(expr);
        if (inner === undefined) this.#prepare(expr.expr);
        else this.#collect(expr, inner, expr.grouping ?? { without: false, labels: [] });
        break;
      }
      case 'label_replace':
        this.#prepare(expr.expr);
        break;
      case 'binary':
        this.#prepare(expr.left);
        this.#prepare(expr.right);
        break;
      case 'number':
      case 'vector':
        break;
    }
  }

  #collect(expr: MetricExpr, range: RangeAggregation, grouping: Grouping | undefined): void {
    const { metadataInSeries, limits } = this.#options;
    const options = { metadataInSeries, limits, ...(grouping !== undefined && { grouping }) };
    this.#byRange.set(expr, new RangeCollector(range, this.#steps, options));
  }

  /** At the instant with this number, whose time is `atMs`. */
  evaluate(expr: MetricExpr, step: number, atMs: number): MetricValue {
    const collector = this.#byRange.get(expr);
    if (collector !== undefined) return this.#rangeAt(collector, step, atMs);
    switch (expr.kind) {
      case 'number':
        return { kind: 'scalar', value: expr.value };
      case 'vector':
        return { kind: 'vector', metrics: [NO_LABELS], values: [expr.value] };
      case 'binary':
        return binary(expr, this.evaluate(expr.left, step, atMs), this.evaluate(expr.right, step, atMs));
      case 'aggregate':
        return aggregated(expr, this.#vector(expr.expr, step, atMs));
      case 'label_replace':
        return replaced(expr, this.#vector(expr.expr, step, atMs));
      case 'range':
        throw new Error('a range without its lines');
    }
  }

  #rangeAt(collector: RangeCollector, step: number, atMs: number): Vector {
    let values = this.#values.get(collector);
    if (values === undefined) {
      values = new RangeValues(collector.range, collector.series);
      this.#values.set(collector, values);
    }
    const vector = values.at(step, atMs);
    if (collector.range.fn !== 'absent_over_time') return vector;
    if (vector.metrics.length > 0) return emptyVector();
    return { kind: 'vector', metrics: [Metric.of(absentLabels(collector.range))], values: [1] };
  }

  #vector(expr: MetricExpr, step: number, atMs: number): Vector {
    const value = this.evaluate(expr, step, atMs);
    return value.kind === 'vector' ? value : { kind: 'vector', metrics: [NO_LABELS], values: [value.value] };
  }
}

/** A sum of sums, a least of leasts, a greatest of greatests: the lines can be grouped as the aggregation wants it. */
function groupedAtOnce({ op, expr }: Aggregation): RangeAggregation | undefined {
  if (expr.kind !== 'range' || expr.grouping !== undefined) return undefined;
  return SAME_AGAIN[expr.fn] === op ? expr : undefined;
}

/** The aggregation that gives the same over groups as the function does over lines. */
const SAME_AGAIN: Readonly<Partial<Record<RangeFunction, AggregateOp>>> = {
  count_over_time: 'sum',
  rate: 'sum',
  bytes_over_time: 'sum',
  bytes_rate: 'sum',
  sum_over_time: 'sum',
  min_over_time: 'min',
  max_over_time: 'max',
};

/** Of the matchers that say what a label is; a name with two of them is left out. */
function absentLabels({ log: { matchers } }: RangeAggregation): Labels {
  const labels = newLabels();
  for (const { name, kind, value } of matchers) {
    if (kind === '=' && value !== '' && matchers.filter((other) => other.name === name).length === 1)
      labels[name] = value;
  }
  return labels;
}

function binary(node: BinaryExpr, left: MetricValue, right: MetricValue): MetricValue {
  const { op } = node;
  if (left.kind === 'scalar' && right.kind === 'scalar') {
    const value = isComparison(op)
      ? Number(comparisonOf(op)(left.value, right.value))
      : arithmeticOfLines(op)(left.value, right.value);
    return { kind: 'scalar', value };
  }
  if (left.kind === 'scalar') return withScalar(node, vectorOf(right), left.value, true, RULES);
  if (right.kind === 'scalar') return withScalar(node, left, right.value, false, RULES);
  return isSetOperator(op)
    ? setOperation({ ...node, op }, left, right)
    : matchVectors(node, left, right, RULES);
}

function vectorOf(value: MetricValue): Vector {
  return value.kind === 'vector' ? value : emptyVector();
}

function aggregated(node: Aggregation, vector: Vector): Vector {
  const { op, param = 0, grouping = { without: false, labels: [] } } = node;
  const operation = { without: grouping.without, grouping: grouping.labels, position: NOWHERE };
  switch (op) {
    case 'sort':
    case 'sort_desc':
      return sorted(vector, op === 'sort_desc');
    case 'topk':
    case 'bottomk':
      return chooseBest({ ...operation, op }, vector, param);
    case 'approx_topk':
      return chooseBest({ ...operation, op: 'topk' }, vector, param);
    case 'sum':
    case 'avg':
    case 'min':
    case 'max':
    case 'count':
    case 'stddev':
    case 'stdvar':
      return aggregate({ ...operation, op }, vector, 0);
  }
}

function sorted(vector: Vector, descending: boolean): Vector {
  const result = emptyVector();
  const order = [...vector.values.keys()].sort(byValue(vector, descending));
  for (const i of order) add(result, vector.metrics[i]!, vector.values[i]!);
  return result;
}

function replaced({ destination, replacement, source, pattern }: LabelReplace, vector: Vector): Vector {
  const regex = GoRegex.compile(pattern);
  const result = emptyVector();
  for (const [i, metric] of vector.metrics.entries()) {
    const value = regex.expand(metric.labels[source] ?? '', replacement);
    add(result, value === undefined ? metric : metric.with({ [destination]: value }), vector.values[i]!);
  }
  refuseDuplicates(result);
  return result;
}
