import type { Pack, PackStep } from '../../config/pack-schema.ts';
import { compileCondition } from '../condition.ts';
import type { Condition } from '../../config/pack-schema.ts';
import type { FieldTable, Row } from '../row.ts';
import { convertStep, mapStep, removeStep, renameStep, templateStep } from './field-steps.ts';
import { extractStep } from './extract-step.ts';
import { hashStep } from './hash-step.ts';
import { compileMask } from './mask-step.ts';
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
  const steps = pack.steps.map((step) => compileStep(step, fields));
  const masks = pack.steps.flatMap((step) => ('mask' in step ? [compileMask(step.mask)] : []));
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

function compileStep(step: PackStep, fields: FieldTable): Step {
  if ('keep' in step) {
    const test = compileCondition(step.keep.when, fields);
    return (row) => (test(row) ? undefined : step.keep.name);
  }
  if ('drop' in step) {
    const test = compileCondition(step.drop.when, fields);
    return (row) => (test(row) ? step.drop.name : undefined);
  }
  const change = compileChange(step, fields);
  return (row) => {
    change(row);
    return undefined;
  };
}

function compileChange(
  step: Exclude<PackStep, { keep: unknown } | { drop: unknown }>,
  fields: FieldTable,
): Change {
  if ('convert' in step) return guarded(step.convert.when, fields, convertStep(step.convert, fields));
  if ('rename' in step) return renameStep(step.rename, fields);
  if ('map' in step) return guarded(step.map.when, fields, mapStep(step.map, fields));
  if ('template' in step) return guarded(step.template.when, fields, templateStep(step.template, fields));
  if ('extract' in step) return guarded(step.extract.when, fields, extractStep(step.extract, fields));
  if ('route' in step) return guarded(step.route.when, fields, routeStep(step.route, fields));
  if ('hash' in step) return hashStep(step.hash, fields);
  if ('remove' in step) return removeStep(step.remove, fields);
  return maskFields(step.mask, fields);
}

function guarded(when: Condition | undefined, fields: FieldTable, change: Change): Change {
  if (when === undefined) return change;
  const test = compileCondition(when, fields);
  return (row) => {
    if (test(row)) change(row);
  };
}

/** Masks one field or all of them, and the line. */
function maskFields(step: Extract<PackStep, { mask: unknown }>['mask'], fields: FieldTable): Change {
  const mask = compileMask(step);
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
