import { aggregate, byValue, chooseBest, countValues } from './aggregate.ts';
import { AggregatedSeries } from './aggregated-series.ts';
import type { Annotations } from './annotations.ts';
import { absentLabels } from './absent-labels.ts';
import {
  type Aggregate,
  type Binary,
  type Call,
  type Expr,
  isComparison,
  isSetOperator,
  type RangeSelector,
  type Subquery,
  unwrap,
  type VectorSelector,
} from './ast.ts';
import { arithmeticOf, comparisonOf } from './binary-arithmetic.ts';
import type { FetchedSeries, InputSeries } from './fetch-series.ts';
import { histogramFraction, histogramQuantile } from './histogram-functions.ts';
import { labelFunction, refuseDuplicates } from './label-functions.ts';
import { DATE_FUNCTIONS, MATH_FUNCTIONS, roundTo } from './math-functions.ts';
import { Metric, NO_LABELS } from './metric.ts';
import { NAME_KEEPING_RANGE_FUNCTIONS, RANGE_FUNCTIONS } from './range-functions.ts';
import { referenceTime, type Scope, subqueryScope } from './scope.ts';
import { SeriesCollector } from './series-collector.ts';
import { add, emptyVector, type Value, type Vector } from './vector.ts';
import { dropName, matchVectors, type NameRules, setOperation, withScalar } from './vector-matching.ts';
import { countUpTo, Window } from './window.ts';

export interface EvaluatorOptions {
  readonly lookbackMs: number;
  readonly subqueryStepMs: number;
  readonly delayedNameRemoval: boolean;
  /** A range query's vectors have no order of their own. */
  readonly inRangeQuery: boolean;
  /** Told of every sample that is kept for later. */
  readonly count: (samples: number) => void;
}

/** Evaluation gives way at each `yield`; whoever drives it decides whether to pause, go on or give up. */
export type Evaluation<T> = Generator<void, T>;

/** Series between two chances to give way: well under a millisecond of work. */
const SERIES_PER_SLICE = 500;

/**
 * Evaluates one expression, instant by instant, over series that were fetched before. A node is only ever evaluated
 * within one scope and at rising instants, so what a subquery computed once serves every later instant.
 */
export class Evaluator {
  readonly #fetched: FetchedSeries;
  readonly #annotations: Annotations;
  readonly #options: EvaluatorOptions;
  readonly #rules: NameRules;
  readonly #aggregated: AggregatedSeries;
  readonly #subqueries = new Map<Subquery, readonly InputSeries[]>();

  constructor(fetched: FetchedSeries, annotations: Annotations, options: EvaluatorOptions) {
    this.#fetched = fetched;
    this.#annotations = annotations;
    this.#options = options;
    this.#rules = { delayed: options.delayedNameRemoval };
    this.#aggregated = new AggregatedSeries(fetched, options.lookbackMs, (metric, call) =>
      this.#checkCounter(metric, call.args[0]!),
    );
  }

  *evaluate(node: Expr, timeMs: number, scope: Scope): Evaluation<Value> {
    switch (node.kind) {
      case 'number':
        return { kind: 'scalar', value: node.value };
      case 'string':
        return { kind: 'string', value: node.value };
      case 'paren':
        return yield* this.evaluate(node.expr, timeMs, scope);
      case 'selector':
        return this.#instant(node, timeMs, scope, (series, i) => series.values[i]!);
      case 'unary':
        return this.#negated(node.op, yield* this.evaluate(node.expr, timeMs, scope));
      case 'binary':
        return yield* this.#binary(node, timeMs, scope);
      case 'aggregate':
        return yield* this.#aggregate(node, timeMs, scope);
      case 'call':
        return yield* this.#call(node, timeMs, scope);
      case 'range':
      case 'subquery':
        throw new Error('a range was evaluated outside of a function');
    }
  }

  /** The series of a range expression, each with its samples in the range that ends at the instant. */
  *windows(node: RangeSelector | Subquery, timeMs: number, scope: Scope): Evaluation<RangeOfSeries> {
    const target = node.kind === 'range' ? node.selector : node;
    const endMs = referenceTime(target, timeMs, scope);
    const series =
      node.kind === 'range' ? this.#fetched.get(node.selector)! : yield* this.#subquery(node, scope);
    return { series, startMs: endMs - node.rangeMs, endMs };
  }

  #instant(
    node: VectorSelector,
    timeMs: number,
    scope: Scope,
    valueOf: (series: InputSeries, index: number) => number,
  ): Vector {
    const at = referenceTime(node, timeMs, scope);
    const oldest = at - this.#options.lookbackMs;
    const result = emptyVector();
    for (const series of this.#fetched.get(node)!) {
      const i = countUpTo(series.times, at) - 1;
      if (i < 0 || series.times[i]! <= oldest || series.stale?.[i] === 1) continue;
      add(result, series.metric, valueOf(series, i));
    }
    return result;
  }

  *#subquery(node: Subquery, scope: Scope): Evaluation<readonly InputSeries[]> {
    const known = this.#subqueries.get(node);
    if (known !== undefined) return known;
    const inner = subqueryScope(node, scope, this.#options.subqueryStepMs);
    const collector = new SeriesCollector();
    for (let at = inner.startMs; at <= inner.endMs; at += inner.stepMs) {
      yield;
      const vector = yield* this.#vector(node.expr, at, inner);
      this.#options.count(Math.max(1, vector.values.length));
      collector.add(vector, at);
    }
    const series = collector.series.map(({ metric, times, values }) => ({
      metric,
      times: Float64Array.from(times),
      values: Float64Array.from(values),
    }));
    this.#subqueries.set(node, series);
    return series;
  }

  *#vector(node: Expr, timeMs: number, scope: Scope): Evaluation<Vector> {
    const value = yield* this.evaluate(node, timeMs, scope);
    if (value.kind !== 'vector') throw new Error(`expected a vector, got a ${value.kind}`);
    return value;
  }

  *#scalar(node: Expr, timeMs: number, scope: Scope): Evaluation<number> {
    const value = yield* this.evaluate(node, timeMs, scope);
    if (value.kind !== 'scalar') throw new Error(`expected a scalar, got a ${value.kind}`);
    return value.value;
  }

  #negated(op: '+' | '-', operand: Value): Value {
    if (op === '+') return operand;
    if (operand.kind === 'scalar') return { kind: 'scalar', value: -operand.value };
    if (operand.kind === 'vector') return this.#mapped(operand, (value) => -value);
    return operand;
  }

  *#binary(node: Binary, timeMs: number, scope: Scope): Evaluation<Value> {
    const left = yield* this.evaluate(node.left, timeMs, scope);
    const right = yield* this.evaluate(node.right, timeMs, scope);
    if (left.kind === 'scalar' && right.kind === 'scalar') return scalarBinary(node, left.value, right.value);
    if (left.kind === 'vector' && right.kind === 'scalar') {
      return this.#unique(left, withScalar(node, left, right.value, false, this.#rules));
    }
    if (left.kind === 'scalar' && right.kind === 'vector') {
      return this.#unique(right, withScalar(node, right, left.value, true, this.#rules));
    }
    if (left.kind !== 'vector' || right.kind !== 'vector')
      throw new Error(`${node.op} of ${left.kind} and ${right.kind}`);
    const { op } = node;
    return isSetOperator(op)
      ? setOperation({ ...node, op }, left, right)
      : matchVectors(node, left, right, this.#rules);
  }

  *#aggregate(node: Aggregate, timeMs: number, scope: Scope): Evaluation<Vector> {
    const direct = this.#rules.delayed ? undefined : yield* this.#aggregated.evaluate(node, timeMs, scope);
    if (direct !== undefined) return direct;
    const param = node.param === undefined ? undefined : yield* this.evaluate(node.param, timeMs, scope);
    const vector = yield* this.#vector(node.expr, timeMs, scope);
    yield;
    if (param?.kind === 'string') return countValues(node, vector, param.value);
    const number = param?.kind === 'scalar' ? param.value : Number.NaN;
    if (node.op === 'topk' || node.op === 'bottomk') return chooseBest(node, vector, number);
    if (node.op === 'quantile') this.#checkQuantile(number, node.param!);
    return aggregate(node, vector, number);
  }

  *#call(node: Call, timeMs: number, scope: Scope): Evaluation<Value> {
    const { name, args } = node;
    if (name === 'time') return { kind: 'scalar', value: timeMs / 1000 };
    if (name === 'pi') return { kind: 'scalar', value: Math.PI };
    if (name === 'vector') return oneSample(NO_LABELS, yield* this.#scalar(args[0]!, timeMs, scope));
    if (name === 'absent_over_time') return yield* this.#absentOverTime(args[0]!, timeMs, scope);
    if (name === 'timestamp') return yield* this.#timestamp(args[0]!, timeMs, scope);
    if (Object.hasOwn(RANGE_FUNCTIONS, name)) return yield* this.#rangeFunction(node, timeMs, scope);
    if (name === 'histogram_quantile' || name === 'histogram_fraction')
      return yield* this.#histogram(node, timeMs, scope);
    if (DATE_FUNCTIONS.has(name) && args.length === 0)
      return oneSample(NO_LABELS, MATH_FUNCTIONS[name]!(timeMs / 1000));
    const vector = yield* this.#vector(args[0]!, timeMs, scope);
    const math = MATH_FUNCTIONS[name];
    if (math !== undefined) return this.#mapped(vector, math);
    if (name === 'label_replace' || name === 'label_join') return labelFunction(node, vector);
    const scalars: number[] = [];
    for (const arg of args.slice(1)) scalars.push(yield* this.#scalar(arg, timeMs, scope));
    return this.#vectorFunction(node, vector, scalars);
  }

  #vectorFunction(node: Call, vector: Vector, [first = 1, second = 1]: readonly number[]): Value {
    switch (node.name) {
      case 'scalar':
        return { kind: 'scalar', value: vector.values.length === 1 ? vector.values[0]! : Number.NaN };
      case 'absent':
        return vector.values.length > 0
          ? emptyVector()
          : oneSample(Metric.of(absentLabels(node.args[0]!)), 1);
      case 'round':
        return this.#mapped(vector, (value) => roundTo(value, first));
      case 'clamp_min':
        return this.#mapped(vector, (value) => Math.max(value, first));
      case 'clamp_max':
        return this.#mapped(vector, (value) => Math.min(value, first));
      case 'clamp':
        return first > second
          ? emptyVector()
          : this.#mapped(vector, (value) => Math.max(first, Math.min(second, value)));
      case 'sort':
      case 'sort_desc':
        return this.#sorted(node, vector);
      default:
        throw new Error(`no function ${node.name}`);
    }
  }

  #sorted(node: Call, vector: Vector): Vector {
    if (this.#options.inRangeQuery) {
      this.#annotations.sortInRangeQuery(node.position);
      return vector;
    }
    const order = vector.values.map((_, index) => index).sort(byValue(vector, node.name === 'sort_desc'));
    const result = emptyVector();
    for (const i of order) add(result, vector.metrics[i]!, vector.values[i]!);
    return result;
  }

  *#rangeFunction(node: Call, timeMs: number, scope: Scope): Evaluation<Vector> {
    const { name } = node;
    const scalarFirst = name === 'quantile_over_time';
    const range = unwrap(node.args[scalarFirst ? 1 : 0]!) as RangeSelector | Subquery;
    const scalarArg = node.args[scalarFirst ? 0 : 1];
    const scalar = scalarArg === undefined ? Number.NaN : yield* this.#scalar(scalarArg, timeMs, scope);
    if (scalarFirst) this.#checkQuantile(scalar, scalarArg!);
    const { series, startMs, endMs } = yield* this.windows(range, timeMs, scope);
    const compute = RANGE_FUNCTIONS[name]!;
    const keepsName = NAME_KEEPING_RANGE_FUNCTIONS.has(name);
    const wantsCounter = name === 'rate' || name === 'increase';
    const window = new Window();
    window.startMs = startMs;
    window.endMs = endMs;
    const before = emptyVector();
    const result = emptyVector();
    let sinceYield = 0;
    for (const { metric, times, values } of series) {
      if (++sinceYield % SERIES_PER_SLICE === 0) yield;
      window.moveTo(times, values);
      if (window.count === 0) continue;
      const value = compute(window, scalar, timeMs);
      if (value === undefined) continue;
      if (wantsCounter) this.#checkCounter(metric, node.args[0]!);
      before.metrics.push(metric);
      add(result, keepsName ? metric : dropName(metric, this.#rules), value);
    }
    return keepsName ? result : this.#unique(before, result);
  }

  *#absentOverTime(arg: Expr, timeMs: number, scope: Scope): Evaluation<Vector> {
    const range = unwrap(arg) as RangeSelector | Subquery;
    const { series, startMs, endMs } = yield* this.windows(range, timeMs, scope);
    const present = series.some(({ times }) => countUpTo(times, endMs) > countUpTo(times, startMs));
    return present ? emptyVector() : oneSample(Metric.of(absentLabels(arg)), 1);
  }

  /** Of a plain selector the time of its samples; of anything else the time of evaluation. */
  *#timestamp(arg: Expr, timeMs: number, scope: Scope): Evaluation<Vector> {
    const inner = unwrap(arg);
    if (inner.kind !== 'selector')
      return this.#mapped(yield* this.#vector(arg, timeMs, scope), () => timeMs / 1000);
    const stamped = this.#instant(inner, timeMs, scope, (series, i) => series.times[i]! / 1000);
    return this.#mapped(stamped, (seconds) => seconds);
  }

  *#histogram(node: Call, timeMs: number, scope: Scope): Evaluation<Vector> {
    const vectorArg = node.args.at(-1)!;
    const scalars: number[] = [];
    for (const arg of node.args.slice(0, -1)) scalars.push(yield* this.#scalar(arg, timeMs, scope));
    const vector = yield* this.#vector(vectorArg, timeMs, scope);
    const call = { vector, position: vectorArg.position, annotations: this.#annotations, rules: this.#rules };
    if (node.name === 'histogram_fraction') {
      return this.#unique(vector, histogramFraction(scalars[0]!, scalars[1]!, call));
    }
    this.#checkQuantile(scalars[0]!, node.args[0]!);
    return this.#unique(vector, histogramQuantile(scalars[0]!, call));
  }

  #mapped(vector: Vector, change: (value: number) => number): Vector {
    const result = emptyVector();
    for (let i = 0; i < vector.values.length; i++) {
      add(result, dropName(vector.metrics[i]!, this.#rules), change(vector.values[i]!));
    }
    return this.#unique(vector, result);
  }

  /** Dropping names at once can make series equal, but only where there were several names. */
  #unique(before: Vector, after: Vector): Vector {
    if (this.#rules.delayed) return after;
    const name = before.metrics[0]?.name;
    if (before.metrics.some((metric) => metric.name !== name)) refuseDuplicates(after);
    return after;
  }

  #checkQuantile(q: number, arg: Expr): void {
    if (!(q >= 0 && q <= 1)) this.#annotations.invalidQuantile(q, arg.position);
  }

  #checkCounter({ name }: Metric, arg: Expr): void {
    if (name === '' || /_(?:total|sum|count|bucket)$/.test(name)) return;
    this.#annotations.possibleNonCounter(name, arg.position);
  }
}

export interface RangeOfSeries {
  readonly series: readonly InputSeries[];
  /** Exclusive. */
  readonly startMs: number;
  readonly endMs: number;
}

function oneSample(metric: Metric, value: number): Vector {
  return { kind: 'vector', metrics: [metric], values: [value] };
}

function scalarBinary(node: Binary, left: number, right: number): Value {
  const { op } = node;
  const value = isComparison(op) ? Number(comparisonOf(op)(left, right)) : arithmeticOf(op)(left, right);
  return { kind: 'scalar', value };
}
