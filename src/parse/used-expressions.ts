import type { Condition, Pack, PackStep } from '../config/pack-schema.ts';
import type { PatternInput } from './pattern/parse-pattern.ts';
import { readingOf } from './pattern/safe-regex.ts';
import type { Reading } from './pattern/safe-regex.ts';

type Path = readonly (string | number)[];

export interface UsedExpression {
  readonly input: PatternInput;
  readonly path: Path;
}

/** Every regular expression of a pack but those that read lines. */
export function* usedExpressions(pack: Pack): Generator<UsedExpression> {
  const reading = readingOf(pack);
  for (const key of ['start', 'continuation'] as const) {
    const source = pack.multiline?.[key];
    // Each is held against one line.
    if (source !== undefined) yield test(source, { dialect: pack.dialect }, ['multiline', key]);
  }
  for (const [i, step] of pack.steps.entries()) yield* ofStep(step, reading, ['steps', i]);
  for (const [i, metric] of pack.metrics.entries()) {
    for (const key of ['when', 'start', 'end'] as const) {
      const condition = metric[key];
      if (typeof condition === 'object') yield* ofCondition(condition, reading, ['metrics', i, key]);
    }
  }
}

function test(pattern: string, reading: Reading, path: Path): UsedExpression {
  return { input: { name: 'expression', pattern, use: 'test', ...reading }, path };
}

function* ofStep(step: PackStep, reading: Reading, path: Path): Generator<UsedExpression> {
  for (const [name, body] of Object.entries(step)) {
    const { when } = body as { when?: Condition };
    if (when !== undefined && name !== 'rename') yield* ofCondition(when, reading, [...path, name, 'when']);
  }
  if ('extract' in step) {
    const { pattern, flags } = step.extract;
    yield {
      input: { name: 'extract', pattern, flags, use: 'capture', ...reading },
      path: [...path, 'extract', 'pattern'],
    };
  } else if ('mask' in step && step.mask.pattern !== undefined) {
    yield {
      input: { name: 'expression', pattern: step.mask.pattern, use: 'mask', ...reading },
      path: [...path, 'mask', 'pattern'],
    };
  } else if ('map' in step) {
    for (const [n, { matches }] of (step.map.patterns ?? []).entries())
      yield test(matches, reading, [...path, 'map', 'patterns', n, 'matches']);
  }
}

function* ofCondition(condition: Condition, reading: Reading, path: Path): Generator<UsedExpression> {
  const all = Array.isArray(condition)
    ? condition.map((one, i) => [[...path, i], one] as const)
    : [[path, condition] as const];
  for (const [at, one] of all) {
    for (const [field, check] of Object.entries(one)) {
      if (typeof check !== 'object' || Array.isArray(check)) continue;
      for (const key of ['matches', 'not_matches'] as const) {
        const source = check[key];
        if (source !== undefined) yield test(source, reading, [...at, field, key]);
      }
    }
  }
}
