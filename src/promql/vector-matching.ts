import { type Binary, isComparison, type SetOp } from './ast.ts';
import { arithmeticOf, comparisonOf } from './binary-arithmetic.ts';
import { quoteGoString } from './go-string.ts';
import { labelValue } from './label-access.ts';
import { Metric, Projection } from './metric.ts';
import { PromqlError } from './promql-error.ts';
import { add, emptyVector, type Vector } from './vector.ts';

/** What is looked at of the node of a binary operation. */
export type BinaryOperation = Pick<Binary, 'op' | 'bool' | 'matching'>;

/** In what languages differ. */
export interface NameRules {
  /** Whether metric names are dropped at the end of the query; see Metric on pending names. */
  readonly delayed: boolean;
  /** What an operator does with two numbers, where that is not what PromQL does. */
  readonly arithmeticOf?: typeof arithmeticOf;
}

function signatureOf({ matching }: BinaryOperation): Projection {
  return matching.on ? Projection.keeping(matching.labels) : Projection.without(matching.labels);
}

/** and, or, unless: whole samples pass or do not. */
export function setOperation(
  node: BinaryOperation & { readonly op: SetOp },
  left: Vector,
  right: Vector,
): Vector {
  const signature = signatureOf(node);
  const keys = (vector: Vector): ReadonlySet<string> =>
    new Set(vector.metrics.map((metric) => metric.project(signature).key));
  const result = emptyVector();
  const pass = (from: Vector, passes: (key: string) => boolean): void => {
    for (let i = 0; i < from.metrics.length; i++) {
      const metric = from.metrics[i]!;
      if (passes(metric.project(signature).key)) add(result, metric, from.values[i]!);
    }
  };
  switch (node.op) {
    case 'and': {
      const others = keys(right);
      pass(left, (key) => others.has(key));
      break;
    }
    case 'unless': {
      const others = keys(right);
      pass(left, (key) => !others.has(key));
      break;
    }
    case 'or': {
      const others = keys(left);
      pass(left, () => true);
      pass(right, (key) => !others.has(key));
      break;
    }
  }
  return result;
}

/** Arithmetic and comparison between vectors: each sample of the "many" side meets the one that matches it. */
export function matchVectors(node: BinaryOperation, left: Vector, right: Vector, rules: NameRules): Vector {
  const result = emptyVector();
  if (left.metrics.length === 0 || right.metrics.length === 0) return result;
  const swapped = node.matching.cardinality === 'one-to-many';
  const [many, one] = swapped ? [right, left] : [left, right];
  const signature = signatureOf(node);
  const ones = indexOnes(one, signature, swapped ? 'left' : 'right');
  const combine = combiner(node, rules);
  const resultMetric = metricMaker(node, rules);
  const oneToOne = node.matching.cardinality === 'one-to-one';
  const seen = new Set<string>();
  for (let i = 0; i < many.metrics.length; i++) {
    const metric = many.metrics[i]!;
    const key = metric.project(signature).key;
    const match = ones.get(key);
    if (match === undefined) continue;
    if (oneToOne) refuseRepeat(seen, key, 'many-to-one matching must be explicit (group_left/group_right)');
    const a = many.values[i]!;
    const b = one.values[match]!;
    const value = swapped ? combine(b, a) : combine(a, b);
    if (value === undefined) continue;
    const made = resultMetric(metric, one.metrics[match]!);
    if (!oneToOne) refuseRepeat(seen, made.key, 'grouping labels must ensure unique matches');
    add(result, made, value);
  }
  return result;
}

function refuseRepeat(seen: Set<string>, key: string, advice: string): void {
  if (seen.has(key)) throw new PromqlError('evaluation', `multiple matches for labels: ${advice}`);
  seen.add(key);
}

function indexOnes(one: Vector, signature: Projection, side: 'left' | 'right'): ReadonlyMap<string, number> {
  const index = new Map<string, number>();
  for (const [i, metric] of one.metrics.entries()) {
    const group = metric.project(signature);
    const other = index.get(group.key);
    if (other !== undefined) {
      const pair = `${showLabels(one.metrics[other]!)}, ${showLabels(metric)}`;
      throw new PromqlError(
        'evaluation',
        `found duplicate series for the match group ${showLabels(group)} on the ${side} hand-side of the operation: ` +
          `[${pair}];many-to-many matching not allowed: matching labels must be unique on one side`,
      );
    }
    index.set(group.key, i);
  }
  return index;
}

function showLabels(metric: Metric): string {
  const names = Object.keys(metric.labels).sort();
  return `{${names.map((name) => `${name}=${quoteGoString(metric.labels[name]!)}`).join(', ')}}`;
}

/** The value of a pair; undefined where a comparison filters it out. */
function combiner(
  { op, bool }: BinaryOperation,
  rules: NameRules,
): (left: number, right: number) => number | undefined {
  if (!isComparison(op)) return (rules.arithmeticOf ?? arithmeticOf)(op);
  const holds = comparisonOf(op);
  if (bool) return (left, right) => (holds(left, right) ? 1 : 0);
  return (left, right) => (holds(left, right) ? left : undefined);
}

function metricMaker(node: BinaryOperation, rules: NameRules): (many: Metric, one: Metric) => Metric {
  const { matching, op, bool } = node;
  const dropsName = bool || !isComparison(op);
  const oneToOne = matching.cardinality === 'one-to-one';
  const kept = oneToOne
    ? matching.on
      ? Projection.keeping(matching.labels)
      : Projection.dropping(matching.labels)
    : undefined;
  return (many, one) => {
    const pending = many.pending || (dropsName && rules.delayed);
    let metric = kept === undefined ? many.plain : many.project(kept);
    if (dropsName && !rules.delayed) metric = metric.withoutName();
    if (matching.include.length > 0) {
      metric = metric.with(
        Object.fromEntries(matching.include.map((name) => [name, labelValue(one.labels, name)])),
      );
    }
    return pending ? metric.asPending() : metric;
  };
}

/** Between a vector and a number, which may stand on either side. A comparison keeps the vector's value. */
export function withScalar(
  node: BinaryOperation,
  vector: Vector,
  scalar: number,
  scalarLeft: boolean,
  rules: NameRules,
): Vector {
  const { op, bool } = node;
  const result = emptyVector();
  if (isComparison(op) && !bool) {
    const holds = comparisonOf(op);
    for (let i = 0; i < vector.values.length; i++) {
      const value = vector.values[i]!;
      if (scalarLeft ? holds(scalar, value) : holds(value, scalar)) add(result, vector.metrics[i]!, value);
    }
    return result;
  }
  const combine = combiner(node, rules);
  for (let i = 0; i < vector.values.length; i++) {
    const value = vector.values[i]!;
    const combined = scalarLeft ? combine(scalar, value) : combine(value, scalar);
    add(result, dropName(vector.metrics[i]!, rules), combined!);
  }
  return result;
}

export function dropName(metric: Metric, { delayed }: NameRules): Metric {
  return delayed ? metric.asPending() : metric.withoutName();
}
