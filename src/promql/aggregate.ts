import type { Aggregate } from './ast.ts';
import { formatValue } from './format-value.ts';
import { isValidLabelName, quoteGoString } from './go-string.ts';
import { KahanMean, KahanSum } from './kahan.ts';
import { type Metric, Projection } from './metric.ts';
import { PromqlError } from './promql-error.ts';
import { quantile } from './quantile.ts';
import { add, emptyVector, type Vector } from './vector.ts';

/** What one group gathers; it has seen at least one value when `result` is asked for. */
export interface Accumulator {
  add(value: number): void;
  result(): number;
}

interface Group {
  metric: Metric;
  readonly accumulator: Accumulator;
}

/** What is looked at of the node of an aggregation. */
export type AggregateOperation = Pick<Aggregate, 'op' | 'without' | 'grouping' | 'position'>;

/** Which labels a group keeps. */
export function projectionOf(without: boolean, labels: readonly string[]): Projection {
  return without ? Projection.without(labels) : Projection.keeping(labels);
}

/** Every aggregation but topk and bottomk, which choose samples, and count_values, which makes labels. */
export function aggregate(node: AggregateOperation, vector: Vector, param: number): Vector {
  const projection = projectionOf(node.without, node.grouping);
  return gather(
    vector,
    () => accumulatorOf(node.op, param),
    (metric) => metric.project(projection),
  );
}

/** A group's name is to be dropped if it is in any of its members. */
function gather(
  vector: Vector,
  start: () => Accumulator,
  groupOf: (metric: Metric, index: number) => Metric,
): Vector {
  const groups = new Map<string, Group>();
  for (let i = 0; i < vector.metrics.length; i++) {
    const metric = vector.metrics[i]!;
    const projected = groupOf(metric, i);
    let group = groups.get(projected.key);
    if (group === undefined) {
      group = { metric: projected, accumulator: start() };
      groups.set(projected.key, group);
    }
    if (metric.pending) group.metric = group.metric.asPending();
    group.accumulator.add(vector.values[i]!);
  }
  const result = emptyVector();
  for (const { metric, accumulator } of groups.values()) add(result, metric, accumulator.result());
  return result;
}

/** Throws for what does not reduce a group to one value. */
export function accumulatorOf(op: Aggregate['op'], param: number): Accumulator {
  switch (op) {
    case 'sum':
      return new SumAccumulator();
    case 'avg':
      return new MeanAccumulator();
    case 'count':
      return new CountAccumulator();
    case 'group':
      return { add: () => undefined, result: () => 1 };
    case 'min':
      return new ExtremeAccumulator((value, best) => value < best);
    case 'max':
      return new ExtremeAccumulator((value, best) => value > best);
    case 'stdvar':
      return new VarianceAccumulator((variance) => variance);
    case 'stddev':
      return new VarianceAccumulator(Math.sqrt);
    case 'quantile':
      return new QuantileAccumulator(param);
    case 'topk':
    case 'bottomk':
    case 'count_values':
      throw new PromqlError('evaluation', `${op} does not reduce a group to one value`);
  }
}

class SumAccumulator implements Accumulator {
  readonly #sum = new KahanSum();
  add(value: number): void {
    this.#sum.add(value);
  }
  result(): number {
    return this.#sum.total;
  }
}

class MeanAccumulator implements Accumulator {
  readonly #mean = new KahanMean();
  add(value: number): void {
    this.#mean.add(value);
  }
  result(): number {
    return this.#mean.mean;
  }
}

class CountAccumulator implements Accumulator {
  #count = 0;
  add(): void {
    this.#count++;
  }
  result(): number {
    return this.#count;
  }
}

/** NaN only where every value is NaN. */
class ExtremeAccumulator implements Accumulator {
  readonly #better: (value: number, best: number) => boolean;
  #best = Number.NaN;
  constructor(better: (value: number, best: number) => boolean) {
    this.#better = better;
  }
  add(value: number): void {
    if (Number.isNaN(this.#best) || this.#better(value, this.#best)) this.#best = value;
  }
  result(): number {
    return this.#best;
  }
}

/** Welford's method. */
class VarianceAccumulator implements Accumulator {
  readonly #finish: (variance: number) => number;
  #count = 0;
  #mean = 0;
  #squares = 0;
  constructor(finish: (variance: number) => number) {
    this.#finish = finish;
  }
  add(value: number): void {
    this.#count++;
    const delta = value - this.#mean;
    this.#mean += delta / this.#count;
    this.#squares += delta * (value - this.#mean);
  }
  result(): number {
    return this.#finish(this.#squares / this.#count);
  }
}

class QuantileAccumulator implements Accumulator {
  readonly #q: number;
  readonly #values: number[] = [];
  constructor(q: number) {
    this.#q = q;
  }
  add(value: number): void {
    this.#values.push(value);
  }
  result(): number {
    return quantile(this.#q, this.#values);
  }
}

/** topk and bottomk: the k best samples of each group, best first, with all their labels. NaN is the worst of all. */
export function chooseBest(node: AggregateOperation, vector: Vector, param: number): Vector {
  const result = emptyVector();
  if (Number.isNaN(param)) throw new PromqlError('evaluation', 'Parameter value is NaN', node.position);
  if (Math.abs(param) >= 2 ** 63) {
    throw new PromqlError('evaluation', `Scalar value ${formatValue(param)} overflows int64`, node.position);
  }
  const k = Math.trunc(param);
  if (k < 1) return result;
  const projection = projectionOf(node.without, node.grouping);
  const groups = new Map<string, number[]>();
  for (const [i, metric] of vector.metrics.entries()) {
    const { key } = metric.project(projection);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [i]);
    else group.push(i);
  }
  const order = byValue(vector, node.op === 'topk');
  for (const group of groups.values()) {
    group.sort(order);
    for (const i of group.slice(0, k)) add(result, vector.metrics[i]!, vector.values[i]!);
  }
  return result;
}

/** Compares indexes of a vector by their values, NaN last in either direction. */
export function byValue({ values }: Vector, descending: boolean): (a: number, b: number) => number {
  return (a, b) => {
    const left = values[a]!;
    const right = values[b]!;
    if (Number.isNaN(left) || Number.isNaN(right))
      return Number(Number.isNaN(left)) - Number(Number.isNaN(right));
    if (left === right) return 0;
    return left < right === descending ? 1 : -1;
  };
}

/** One group for each value, which becomes the label named. */
export function countValues(node: Aggregate, vector: Vector, label: string): Vector {
  if (!isValidLabelName(label)) {
    throw new PromqlError('evaluation', `invalid label name ${quoteGoString(label)}`, node.position);
  }
  const labels = node.without ? node.grouping.filter((name) => name !== label) : [...node.grouping, label];
  const projection = projectionOf(node.without, labels);
  return gather(
    vector,
    () => new CountAccumulator(),
    (metric, i) => metric.with({ [label]: formatValue(vector.values[i]!) }).project(projection),
  );
}
