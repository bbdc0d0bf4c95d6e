import { type Accumulator, type AggregateOperation, accumulatorOf, projectionOf } from './aggregate.ts';
import { type Aggregate, type Call, type RangeSelector, unwrap, type VectorSelector } from './ast.ts';
import type { FetchedSeries, InputSeries } from './fetch-series.ts';
import type { Metric } from './metric.ts';
import { NAME_KEEPING_RANGE_FUNCTIONS, RANGE_FUNCTIONS } from './range-functions.ts';
import { referenceTime, type Scope } from './scope.ts';
import { add, emptyVector, type Vector } from './vector.ts';
import { countUpTo, Window } from './window.ts';

/** Series between two chances to give way. */
const SERIES_PER_SLICE = 500;
/** Others choose samples, make labels, or want a parameter that may change from step to step. */
const OPERATORS: ReadonlySet<Aggregate['op']> = new Set([
  'sum',
  'avg',
  'count',
  'group',
  'min',
  'max',
  'stddev',
  'stdvar',
]);

/** What an aggregation is over: a selector, or a function of a range of one. */
type Inner =
  | { readonly kind: 'instant'; readonly selector: VectorSelector }
  | { readonly kind: 'range'; readonly call: Call; readonly range: RangeSelector };

/** The groups that an aggregation makes of the series of a selector, which are the same at each step. */
interface Groups {
  readonly inner: Inner;
  readonly series: readonly InputSeries[];
  /** The number of each series' group. */
  readonly of: Uint32Array;
  readonly metrics: readonly Metric[];
}

/**
 * Aggregations right over a selector, or over a function of its ranges: the groups are found once, and at each step a
 * value goes to its group by number, without a vector, labels or keys in between. The values are those of the long way,
 * added in the same order.
 */
export class AggregatedSeries {
  readonly #fetched: FetchedSeries;
  readonly #lookbackMs: number;
  readonly #onCounter: (metric: Metric, call: Call) => void;
  readonly #groups = new Map<Aggregate, Groups | undefined>();

  /** `onCounter` is told of a metric that a function for counters is used on. */
  constructor(fetched: FetchedSeries, lookbackMs: number, onCounter: (metric: Metric, call: Call) => void) {
    this.#fetched = fetched;
    this.#lookbackMs = lookbackMs;
    this.#onCounter = onCounter;
  }

  /** Undefined where the aggregation must go the long way. */
  *evaluate(node: Aggregate, timeMs: number, scope: Scope): Generator<void, Vector | undefined> {
    const groups = this.#groupsOf(node);
    if (groups === undefined) return undefined;
    const gathering = new Gathering(node, groups);
    if (groups.inner.kind === 'range')
      yield* this.#ranges(groups, groups.inner, { timeMs, scope, gathering });
    else yield* this.#instants(groups, groups.inner.selector, { timeMs, scope, gathering });
    return gathering.result();
  }

  *#instants(
    { series }: Groups,
    selector: VectorSelector,
    { timeMs, scope, gathering }: Step,
  ): Generator<void> {
    const at = referenceTime(selector, timeMs, scope);
    const oldest = at - this.#lookbackMs;
    for (let n = 0; n < series.length; n++) {
      if (n % SERIES_PER_SLICE === SERIES_PER_SLICE - 1) yield;
      const { times, values, stale } = series[n]!;
      const i = countUpTo(times, at) - 1;
      if (i >= 0 && times[i]! > oldest && stale?.[i] !== 1) gathering.add(n, values[i]!);
    }
  }

  *#ranges(
    { series }: Groups,
    { call, range }: Inner & { kind: 'range' },
    { timeMs, scope, gathering }: Step,
  ): Generator<void> {
    const compute = RANGE_FUNCTIONS[call.name]!;
    const window = new Window();
    window.endMs = referenceTime(range.selector, timeMs, scope);
    window.startMs = window.endMs - range.rangeMs;
    for (let n = 0; n < series.length; n++) {
      if (n % SERIES_PER_SLICE === SERIES_PER_SLICE - 1) yield;
      const { times, values } = series[n]!;
      window.moveTo(times, values);
      if (window.count === 0) continue;
      const value = compute(window, Number.NaN, timeMs);
      if (value !== undefined) gathering.add(n, value);
    }
    const isForCounters = call.name === 'rate' || call.name === 'increase';
    if (isForCounters && gathering.hasAny) this.#onCounter(series[0]!.metric, call);
  }

  #groupsOf(node: Aggregate): Groups | undefined {
    if (this.#groups.has(node)) return this.#groups.get(node);
    const groups = this.#findGroups(node);
    this.#groups.set(node, groups);
    return groups;
  }

  #findGroups(node: Aggregate): Groups | undefined {
    const inner = OPERATORS.has(node.op) ? innerOf(node) : undefined;
    if (inner === undefined) return undefined;
    const series = this.#fetched.get(inner.kind === 'instant' ? inner.selector : inner.range.selector)!;
    const projection = projectionOf(node.without, node.grouping);
    // A function of a range drops the name: where it is asked for, or where series differ in it, that shows.
    const name = series[0]?.metric.name;
    if (
      inner.kind === 'range' &&
      (projection.keeps('__name__') || series.some(({ metric }) => metric.name !== name))
    )
      return undefined;
    const of = new Uint32Array(series.length);
    const metrics: Metric[] = [];
    const numbers = new Map<string, number>();
    for (const [n, { metric }] of series.entries()) {
      const projected = metric.project(projection);
      let number = numbers.get(projected.key);
      if (number === undefined) {
        numbers.set(projected.key, (number = metrics.length));
        metrics.push(projected);
      }
      of[n] = number;
    }
    return { inner, series, of, metrics };
  }
}

interface Step {
  readonly timeMs: number;
  readonly scope: Scope;
  readonly gathering: Gathering;
}

function innerOf(node: Aggregate): Inner | undefined {
  const expr = unwrap(node.expr);
  if (expr.kind === 'selector') return { kind: 'instant', selector: expr };
  if (expr.kind !== 'call' || expr.args.length !== 1) return undefined;
  if (!Object.hasOwn(RANGE_FUNCTIONS, expr.name) || NAME_KEEPING_RANGE_FUNCTIONS.has(expr.name))
    return undefined;
  const range = unwrap(expr.args[0]!);
  return range.kind === 'range' ? { kind: 'range', call: expr, range } : undefined;
}

/** What the groups gather at one step, in the order in which they come. */
class Gathering {
  readonly #node: AggregateOperation;
  readonly #groups: Groups;
  readonly #accumulators: (Accumulator | undefined)[];
  readonly #order: number[] = [];

  constructor(node: AggregateOperation, groups: Groups) {
    this.#node = node;
    this.#groups = groups;
    this.#accumulators = Array.from({ length: groups.metrics.length }, () => undefined);
  }

  get hasAny(): boolean {
    return this.#order.length > 0;
  }

  add(series: number, value: number): void {
    const group = this.#groups.of[series]!;
    let accumulator = this.#accumulators[group];
    if (accumulator === undefined) {
      this.#accumulators[group] = accumulator = accumulatorOf(this.#node.op, Number.NaN);
      this.#order.push(group);
    }
    accumulator.add(value);
  }

  result(): Vector {
    const vector = emptyVector();
    for (const group of this.#order)
      add(vector, this.#groups.metrics[group]!, this.#accumulators[group]!.result());
    return vector;
  }
}
