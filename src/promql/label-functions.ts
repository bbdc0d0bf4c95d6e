import type { Call, Expr } from './ast.ts';
import { GoRegex } from './go-regex.ts';
import { isValidLabelName } from './go-string.ts';
import { labelValue } from './label-access.ts';
import type { Metric } from './metric.ts';
import { PromqlError } from './promql-error.ts';
import { add, emptyVector, type Vector } from './vector.ts';

/** Label functions inside one another could else double a value until no memory is left. */
const MAX_JOINED_LENGTH = 65_536;

/** label_replace and label_join: the only functions that can give a metric a name, or keep one from being dropped. */
export function labelFunction(node: Call, vector: Vector): Vector {
  const texts = node.args.slice(1).map(textOf);
  const [destination] = texts as [string];
  if (!isValidLabelName(destination)) {
    throw new PromqlError(
      'evaluation',
      `invalid destination label name in ${node.name}(): ${destination}`,
      node.args[1]!.position,
    );
  }
  const newValue = node.name === 'label_replace' ? replacer(texts) : joiner(node, texts);
  const result = emptyVector();
  for (let i = 0; i < vector.metrics.length; i++) {
    const metric = vector.metrics[i]!;
    const value = newValue(metric);
    add(result, value === undefined ? metric : relabelled(metric, destination, value), vector.values[i]!);
  }
  refuseDuplicates(result);
  return result;
}

function relabelled(metric: Metric, destination: string, value: string): Metric {
  const changed = metric.with({ [destination]: value });
  return metric.pending && destination !== '__name__' ? changed.asPending() : changed;
}

function replacer(texts: readonly string[]): (metric: Metric) => string | undefined {
  const [, replacement, source, pattern] = texts as [string, string, string, string];
  const regex = GoRegex.compile(pattern);
  return (metric) => regex.expand(labelValue(metric.labels, source), replacement);
}

function joiner(node: Call, texts: readonly string[]): (metric: Metric) => string {
  const [, separator, ...sources] = texts as [string, string, ...string[]];
  const invalid = sources.findIndex((source) => !isValidLabelName(source));
  if (invalid >= 0) {
    throw new PromqlError(
      'evaluation',
      `invalid source label name in label_join(): ${sources[invalid]}`,
      node.args[invalid + 3]!.position,
    );
  }
  return (metric) => {
    const values = sources.map((source) => labelValue(metric.labels, source));
    const length = values.reduce((sum, value) => sum + value.length + separator.length, 0);
    if (length > MAX_JOINED_LENGTH) {
      throw new PromqlError(
        'limit',
        `label_join gives more than ${MAX_JOINED_LENGTH} characters`,
        node.position,
      );
    }
    return values.join(separator);
  };
}

function textOf(expr: Expr): string {
  if (expr.kind === 'paren') return textOf(expr.expr);
  if (expr.kind === 'string') return expr.value;
  throw new PromqlError('evaluation', 'expected a string', expr.position);
}

/** Throws when two series have the same labels. */
export function refuseDuplicates({ metrics }: Vector): void {
  const keys = new Set<string>();
  for (const metric of metrics) keys.add(metric.key);
  if (keys.size < metrics.length) throw duplicateLabels();
}

export function duplicateLabels(): PromqlError {
  return new PromqlError('evaluation', 'vector cannot contain metrics with the same labelset');
}
