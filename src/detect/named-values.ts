import type { Condition, Pack } from '../config/pack-schema.ts';

/** Values that a pack expects of its fields, by field: those of conditions, and of maps of severities and values. */
export function namedValues(pack: Pack): ReadonlyMap<string, ReadonlySet<string>> {
  const named = new Map<string, Set<string>>();
  const add = (field: string, values: Iterable<string>): void => {
    const set = named.get(field) ?? new Set();
    for (const value of values) set.add(value);
    named.set(field, set);
  };
  const addCondition = (condition: Condition | undefined): void => {
    for (const one of condition === undefined ? [] : [condition].flat()) {
      for (const [field, test] of Object.entries(one)) add(field, wanted(test));
    }
  };
  if (pack.severity?.map !== undefined) add(pack.severity.field, Object.keys(pack.severity.map));
  for (const step of pack.steps) {
    if ('map' in step && step.map.values !== undefined) add(step.map.field, Object.keys(step.map.values));
    if ('keep' in step) addCondition(step.keep.when);
    if ('drop' in step) addCondition(step.drop.when);
  }
  for (const { when, start, end } of pack.metrics) {
    addCondition(when);
    for (const moment of [start, end]) if (typeof moment === 'object') addCondition(moment);
  }
  return named;
}

function wanted(test: Extract<Condition, Record<string, unknown>>[string]): string[] {
  if (Array.isArray(test)) return test.map(String);
  if (typeof test !== 'object') return [String(test)];
  return [...(test.is === undefined ? [] : [test.is]), ...(test.in ?? [])].map(String);
}
