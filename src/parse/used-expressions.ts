import type { Condition, Pack, PackStep } from '../config/pack-schema.ts';

type Path = readonly (string | number)[];

export interface UsedExpression {
  readonly source: string;
  readonly flags: string;
  readonly path: Path;
}

/** Every regular expression of a pack but those that read lines. */
export function* usedExpressions(pack: Pack): Generator<UsedExpression> {
  for (const key of ['start', 'continuation'] as const) {
    const source = pack.multiline?.[key];
    if (source !== undefined) yield { source, flags: '', path: ['multiline', key] };
  }
  for (const [i, step] of pack.steps.entries()) yield* ofStep(step, ['steps', i]);
  for (const [i, metric] of pack.metrics.entries()) {
    for (const key of ['when', 'start', 'end'] as const) {
      const condition = metric[key];
      if (typeof condition === 'object') yield* ofCondition(condition, ['metrics', i, key]);
    }
  }
}

function* ofStep(step: PackStep, path: Path): Generator<UsedExpression> {
  for (const [name, body] of Object.entries(step)) {
    const { when } = body as { when?: Condition };
    if (when !== undefined && name !== 'rename') yield* ofCondition(when, [...path, name, 'when']);
  }
  if ('extract' in step) {
    yield {
      source: step.extract.pattern,
      flags: step.extract.flags ?? '',
      path: [...path, 'extract', 'pattern'],
    };
  } else if ('mask' in step && step.mask.pattern !== undefined) {
    yield { source: step.mask.pattern, flags: '', path: [...path, 'mask', 'pattern'] };
  } else if ('map' in step) {
    for (const [n, { matches }] of (step.map.patterns ?? []).entries()) {
      yield { source: matches, flags: '', path: [...path, 'map', 'patterns', n, 'matches'] };
    }
  }
}

function* ofCondition(condition: Condition, path: Path): Generator<UsedExpression> {
  const all = Array.isArray(condition)
    ? condition.map((one, i) => [[...path, i], one] as const)
    : [[path, condition] as const];
  for (const [at, one] of all) {
    for (const [field, test] of Object.entries(one)) {
      if (typeof test !== 'object' || Array.isArray(test)) continue;
      for (const key of ['matches', 'not_matches'] as const) {
        const source = test[key];
        if (source !== undefined) yield { source, flags: '', path: [...at, field, key] };
      }
    }
  }
}
