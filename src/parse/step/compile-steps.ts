import type { Pack } from '../../config/pack-schema.ts';
import type { FieldTable, Row } from '../row.ts';
import { compileCondition } from '../condition.ts';

/** The steps of a pack, in order. */
export interface Steps {
  /** The name of the step that dropped the event, or undefined where it goes on. */
  run(row: Row): string | undefined;
  /** A line that no pattern matched, with what must not be seen masked. */
  maskText(text: string): string;
}

type Step = (row: Row) => string | undefined;

export function compileSteps(pack: Pack, fields: FieldTable): Steps {
  const steps: Step[] = pack.steps.flatMap((step) => {
    if ('keep' in step) {
      const test = compileCondition(step.keep.when, fields);
      return [(row: Row) => (test(row) ? undefined : step.keep.name)];
    }
    if ('drop' in step) {
      const test = compileCondition(step.drop.when, fields);
      return [(row: Row) => (test(row) ? step.drop.name : undefined)];
    }
    return [];
  });
  return {
    run(row) {
      for (const step of steps) {
        const dropped = step(row);
        if (dropped !== undefined) return dropped;
      }
      return undefined;
    },
    maskText: (text) => text,
  };
}
