import type { Condition, LineFormatInput, Pack, PackStep } from '../config/pack-schema.ts';
import { didYouMean } from '../model/did-you-mean.ts';
import { severityOf, timestampOf } from './format-defaults.ts';
import { layerPatterns } from './line-parsers.ts';
import { parsePattern } from './pattern/parse-pattern.ts';
import { readingOf } from './pattern/safe-regex.ts';

type Path = readonly (string | number)[];
export interface FieldUse {
  readonly field: string;
  readonly path: Path;
}

const FORMAT_FIELDS: Readonly<Record<string, readonly string[]>> = {
  cri: ['time', 'stream', 'message'],
  raw: [],
};

/** Every field that a line can have, or undefined where the lines themselves name them (JSON, logfmt, headers). */
export function knownFields(pack: Pack): ReadonlySet<string> | undefined {
  const known = new Set(['@pattern', '@file', '@path', '@line']);
  let prefix = '';
  for (
    let layer: (LineFormatInput & { then?: Pack['then'] }) | undefined = pack;
    layer !== undefined;
    layer = layer.then
  ) {
    if ('prefix' in layer) prefix += (layer.prefix as string | undefined) ?? '';
    const fields = fieldsOfLayer(layer, pack);
    if (fields === undefined) return undefined;
    for (const field of fields) known.add(prefix + field);
  }
  for (const step of pack.steps) for (const field of fieldsOfStep(step, pack)) known.add(field);
  return known;
}

function fieldsOfLayer(layer: LineFormatInput, pack: Pack): readonly string[] | undefined {
  if (layer.format === undefined)
    return layerPatterns(layer, pack).flatMap(({ captures }) => captures.map(({ field }) => field));
  if ((layer.format === 'csv' || layer.format === 'tsv') && layer.columns !== undefined) return layer.columns;
  return FORMAT_FIELDS[layer.format];
}

function fieldsOfStep(step: PackStep, pack: Pack): readonly string[] {
  if ('rename' in step) return Object.values(step.rename);
  if ('map' in step) return [step.map.to ?? step.map.field];
  if ('template' in step) return [step.template.field];
  if ('route' in step) return [step.route.to];
  if ('extract' in step)
    return parsePattern({ ...readingOf(pack), ...step.extract, name: 'extract' }, {}).captures.map(
      ({ field }) => field,
    );
  return [];
}

/** Every field that a pack speaks of, with the place where it does. */
export function* usedFields(pack: Pack): Generator<FieldUse> {
  const timestamp = timestampOf(pack);
  if (timestamp !== undefined) yield { field: timestamp.field, path: ['timestamp', 'field'] };
  const severity = severityOf(pack);
  if (severity !== undefined) yield { field: severity.field, path: ['severity', 'field'] };
  for (const field of Object.keys(pack.fields)) yield { field, path: ['fields', field] };
  for (const [i, step] of pack.steps.entries()) yield* usedByStep(step, ['steps', i]);
  for (const [i, metric] of pack.metrics.entries()) {
    const at: Path = ['metrics', i];
    for (const key of ['value', 'key', 'name_from'] as const) {
      const field = metric[key];
      if (field !== undefined) yield { field, path: [...at, key] };
    }
    const labels = Array.isArray(metric.labels)
      ? metric.labels.map((one, n) => [n, one] as const)
      : Object.entries(metric.labels);
    for (const [label, source] of labels) {
      if (typeof source === 'string') yield { field: source, path: [...at, 'labels', label] };
    }
    for (const key of ['when', 'start', 'end'] as const) {
      const condition = metric[key];
      if (typeof condition === 'object') yield* usedByCondition(condition, [...at, key]);
    }
  }
}

/** Fields that are labels of metrics. */
export function labelFields(pack: Pack): ReadonlySet<string> {
  const labels = [...usedFields(pack)].filter(({ path }) => path[0] === 'metrics' && path[2] === 'labels');
  return new Set(labels.map(({ field }) => field));
}

export function conditionFields(condition: Condition): string[] {
  return [...usedByCondition(condition, [])].map(({ field }) => field);
}

function* usedByStep(step: PackStep, at: Path): Generator<FieldUse> {
  for (const [name, body] of Object.entries(step)) {
    const path = [...at, name];
    if (name === 'rename') {
      for (const field of Object.keys(body as object)) yield { field, path: [...path, field] };
    } else if (name === 'remove') {
      for (const [n, field] of (body as string[]).entries()) yield { field, path: [...path, n] };
    } else {
      const { field, when, text } = body as { field?: string; when?: Condition; text?: string };
      if (name === 'template') {
        for (const [, used] of text!.matchAll(/\$\{([^}]*)\}/g))
          yield { field: used!, path: [...path, 'text'] };
      } else if (field !== undefined) yield { field, path: [...path, 'field'] };
      if (when !== undefined) yield* usedByCondition(when, [...path, 'when']);
    }
  }
}

function* usedByCondition(condition: Condition, path: Path): Generator<FieldUse> {
  const all = Array.isArray(condition)
    ? condition.map((one, i) => [[...path, i], one] as const)
    : [[path, condition] as const];
  for (const [at, one] of all) for (const field of Object.keys(one)) yield { field, path: [...at, field] };
}

/** Fields that a pack speaks of and no line can have. */
export function unknownFields(pack: Pack): { path: Path; message: string }[] {
  const known = knownFields(pack);
  if (known === undefined) return [];
  const names = [...known].filter((name) => !name.startsWith('@'));
  return [...usedFields(pack)]
    .filter(({ field }) => !known.has(field))
    .map(({ field, path }) => {
      const meant = didYouMean(field, known);
      const hint =
        meant === undefined ? `; there are: ${names.join(', ') || 'none'}` : `; did you mean ${meant}?`;
      return { path, message: `no line has a field ${field}${hint}` };
    });
}
