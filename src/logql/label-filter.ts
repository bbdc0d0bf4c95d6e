import { compileMatcher } from '../promql/matcher.ts';
import type { CompareOp, LabelFilter } from './ast.ts';
import { addressesIn, parseIpPattern } from './ip-pattern.ts';
import { ERROR, type LineLabels } from './line-labels.ts';
import { parseBytes, parseGoDuration, parseGoFloat } from './literals.ts';
import { LineRegex } from './line-regex.ts';

/** Whether a line with these labels goes on. A value that cannot be converted lets it go on, with an error. */
export type LabelTest = (labels: LineLabels) => boolean;

/** `stage` is one object for all conditions of a stage. */
export function compileLabelFilter(filter: LabelFilter, stage: object = {}): LabelTest {
  switch (filter.kind) {
    case 'and': {
      const left = compileLabelFilter(filter.left, stage);
      const right = compileLabelFilter(filter.right, stage);
      // Both are asked, so that each can say what it cannot convert.
      return (labels) => {
        const passes = left(labels);
        return right(labels) && passes;
      };
    }
    case 'or': {
      const left = compileLabelFilter(filter.left, stage);
      const right = compileLabelFilter(filter.right, stage);
      return (labels) => left(labels) || right(labels);
    }
    case 'text':
      return textTest(filter);
    case 'ip':
      return ipTest(filter);
    case 'number':
      return valueTest(filter, parseGoFloat, stage);
    case 'duration':
      return valueTest(filter, parseGoDuration, stage);
    case 'bytes':
      return valueTest(filter, parseBytes, stage);
  }
}

function textTest({ matcher }: Extract<LabelFilter, { kind: 'text' }>): LabelTest {
  const { name, kind, value } = matcher;
  if (kind === '=') return (labels) => (labels.get(name) ?? '') === value;
  if (kind === '!=') return (labels) => (labels.get(name) ?? '') !== value;
  const matches = anchored(value);
  if (kind === '=~') return (labels) => matches(labels.get(name) ?? '');
  return (labels) => !matches(labels.get(name) ?? '');
}

/** A pattern that must match a whole value; unlike in a selector its dot does not match a newline. */
export function anchored(pattern: string): (value: string) => boolean {
  const compiled = compileMatcher({ name: '', kind: '=~', value: pattern });
  const isPrefix = /^[\w /:-]+\.[*+]$/.test(pattern);
  let strict: LineRegex | undefined;
  return (value) => {
    if (isPrefix || !value.includes('\n')) return compiled.matches(value);
    strict ??= LineRegex.compile(`^(?:${pattern})$`);
    return strict.test(value);
  };
}

function ipTest({ name, negated, text }: Extract<LabelFilter, { kind: 'ip' }>): LabelTest {
  const pattern = parseIpPattern(text)!;
  return (labels) => {
    const value = labels.get(name);
    return value !== undefined && hasAddress(value, pattern) !== negated;
  };
}

export function hasAddress(text: string, pattern: (address: string) => boolean): boolean {
  for (const address of addressesIn(text)) if (pattern(address)) return true;
  return false;
}

function valueTest(
  { name, op, value: wanted }: { readonly name: string; readonly op: CompareOp; readonly value: number },
  parse: (text: string) => number | string,
  stage: object,
): LabelTest {
  const holds = comparison(op, wanted);
  return (labels) => {
    if (name === ERROR) return false;
    const text = labels.get(name);
    if (text === undefined) return false;
    if (labels.error !== '' && labels.error !== 'LabelFilterErr') return true;
    const value = parse(text);
    if (typeof value === 'number') return holds(value);
    labels.failFilter(stage, name, value);
    return true;
  };
}

function comparison(op: CompareOp, wanted: number): (value: number) => boolean {
  switch (op) {
    case '=':
      return (value) => value === wanted;
    case '!=':
      return (value) => value !== wanted;
    case '>':
      return (value) => value > wanted;
    case '>=':
      return (value) => value >= wanted;
    case '<':
      return (value) => value < wanted;
    case '<=':
      return (value) => value <= wanted;
  }
}
