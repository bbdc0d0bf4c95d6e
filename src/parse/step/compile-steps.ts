import type { Pack, PackStep } from '../../config/pack-schema.ts';
import { compileCondition } from '../condition.ts';
import type { Condition } from '../../config/pack-schema.ts';
import type { FieldTable, Row } from '../row.ts';
import { convertStep, mapStep, removeStep, renameStep, templateStep } from './field-steps.ts';
import { extractStep } from './extract-step.ts';
import { hashStep } from './hash-step.ts';
import { compileMask } from './mask-step.ts';
import { readingOf } from '../pattern/safe-regex.ts';
import type { Reading } from '../pattern/safe-regex.ts';
import { routeStep } from './route-step.ts';

/** The steps of a pack, in order. */
export interface Steps {
  readonly none: boolean;
  /** The name of the step that dropped the event, or undefined where it goes on. */
  run(row: Row): string | undefined;
  /** A line that was not read, with what must not be seen masked. */
  maskText(text: string): string;
}

/** Changes the row; a name means: drop the event. */
type Step = (row: Row) => string | undefined;
type Change = (row: Row) => void;

export function compileSteps(pack: Pack, fields: FieldTable): Steps {
  const reading = readingOf(pack);
  const steps = pack.steps.map((step) => compileStep(step, fields, reading));
  const masks = pack.steps.flatMap((step) => ('mask' in step ? [compileMask(step.mask, reading)] : []));
  return {
    none: steps.length === 0,
    run(row) {
      for (const step of steps) {
        const dropped = step(row);
        if (dropped !== undefined) return dropped;
      }
      return undefined;
    },
    maskText: (text) => masks.reduce((masked, mask) => mask(masked), text),
  };
}

function compileStep(step: PackStep, fields: FieldTable, reading: Reading): Step {
  if ('keep' in step) {
    const test = compileCondition(step.keep.when, fields, reading);
    return (row) => (test(row) ? undefined : step.keep.name);
  }
  if ('drop' in step) {
    const test = compileCondition(step.drop.when, fields, reading);
    return (row) => (test(row) ? step.drop.name : undefined);
  }
  const change = compileChange(step, fields, reading);
  return (row) => {
    change(row);
    return undefined;
  };
}

function compileChange(
  step: Exclude<PackStep, { keep: unknown } | { drop: unknown }>,
  fields: FieldTable,
  reading: Reading,
): Change {
  const guarded = (when: Condition | undefined, change: Change): Change =>
    onlyWhen(when, change, fields, reading);
  if ('convert' in step) return guarded(step.convert.when, convertStep(step.convert, fields));
  if ('rename' in step) return renameStep(step.rename, fields);
  if ('map' in step) return guarded(step.map.when, mapStep(step.map, fields, reading));
  if ('template' in step) return guarded(step.template.when, templateStep(step.template, fields));
  if ('extract' in step) return guarded(step.extract.when, extractStep(step.extract, fields, reading));
  if ('route' in step) return guarded(step.route.when, routeStep(step.route, fields));
  if ('hash' in step) return hashStep(step.hash, fields);
  if ('remove' in step) return removeStep(step.remove, fields);
  return maskFields(step.mask, fields, reading);
}

function onlyWhen(when: Condition | undefined, change: Change, fields: FieldTable, reading: Reading): Change {
  if (when === undefined) return change;
  const test = compileCondition(when, fields, reading);
  return (row) => {
    if (test(row)) change(row);
  };
}

/** Masks one field or all of them, and the line. */
function maskFields(
  step: Extract<PackStep, { mask: unknown }>['mask'],
  fields: FieldTable,
  reading: Reading,
): Change {
  const mask = compileMask(step, reading);
  if (step.field !== undefined) {
    const slot = fields.declare(step.field);
    return (row) => {
      const value = row.values[slot];
      if (typeof value === 'string') row.set(slot, mask(value));
      row.text = mask(row.text);
    };
  }
  return (row) => {
    for (const slot of row.touched) {
      const value = row.values[slot];
      if (typeof value === 'string') row.values[slot] = mask(value);
    }
    row.text = mask(row.text);
  };
}
