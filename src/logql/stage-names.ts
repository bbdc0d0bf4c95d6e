import type { LabelFilter, RangeAggregation, Stage } from './ast.ts';

/** Names of labels that conditions ask for. */
export function namesInFilter(filter: LabelFilter): readonly string[] {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return [...namesInFilter(filter.left), ...namesInFilter(filter.right)];
    case 'text':
      return [filter.matcher.name];
    case 'ip':
    case 'number':
    case 'duration':
    case 'bytes':
      return [filter.name];
  }
}

/** Names that stages say: of conditions, of label_format, of keep. They may split series though they are metadata. */
export function namedLabels(stages: readonly Stage[]): ReadonlySet<string> {
  const names = stages.flatMap((stage): readonly string[] => {
    switch (stage.kind) {
      case 'filter':
        return namesInFilter(stage.filter);
      case 'label_format':
        return stage.assignments.flatMap((assignment) =>
          'from' in assignment ? [assignment.name, assignment.from] : [assignment.name],
        );
      case 'keep':
        return stage.labels.map(({ name }) => name);
      case 'line':
      case 'json':
      case 'logfmt':
      case 'regexp':
      case 'pattern':
      case 'unpack':
      case 'line_format':
      case 'decolorize':
      case 'drop':
        return [];
    }
  });
  return new Set(names);
}

/**
 * Which labels the parsers of a range must find when its series are grouped by these names. Undefined: nobody can say, so
 * all of them (a template may name any). An empty set: no parser need run.
 */
export function wantedNames(
  { log, unwrap }: Pick<RangeAggregation, 'log' | 'unwrap'>,
  groupedBy: readonly string[],
): ReadonlySet<string> | undefined {
  const names = new Set(groupedBy);
  if (unwrap !== undefined) {
    names.add(unwrap.label);
    for (const filter of unwrap.filters) for (const name of namesInFilter(filter)) names.add(name);
  }
  for (const stage of log.stages) {
    if (stage.kind === 'filter') for (const name of namesInFilter(stage.filter)) names.add(name);
    else if (stage.kind === 'label_format' || stage.kind === 'line_format' || stage.kind === 'unpack')
      return undefined;
  }
  return names.has('__error__') || names.has('__error_details__') ? undefined : names;
}

/** The stages without those that no sample depends on: parsers of which nothing is wanted, and formats that nobody reads. */
export function neededStages(
  stages: readonly Stage[],
  wanted: ReadonlySet<string> | undefined,
  countsBytes: boolean,
): readonly Stage[] {
  const nothing = wanted?.size === 0;
  const kept: Stage[] = [];
  let lineIsRead = countsBytes;
  for (const stage of stages.toReversed()) {
    if (stage.kind === 'line_format' && !lineIsRead) continue;
    if (
      nothing &&
      (stage.kind === 'json' ||
        stage.kind === 'logfmt' ||
        stage.kind === 'regexp' ||
        stage.kind === 'pattern')
    )
      continue;
    if (stage.kind === 'line' || stage.kind === 'json' || stage.kind === 'logfmt') lineIsRead = true;
    if (stage.kind === 'regexp' || stage.kind === 'pattern' || stage.kind === 'unpack') lineIsRead = true;
    if (
      stage.kind === 'label_format' &&
      stage.assignments.some((one) => 'template' in one && one.template.includes('__line__'))
    )
      lineIsRead = true;
    kept.push(stage);
  }
  return kept.reverse();
}
