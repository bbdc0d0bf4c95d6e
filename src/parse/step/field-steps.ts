import type { PackStep } from '../../config/pack-schema.ts';
import { compileSafeRegex } from '../pattern/safe-regex.ts';
import type { Reading } from '../pattern/safe-regex.ts';
import { converter } from '../field-type.ts';
import type { FieldTable, FieldValue, Row } from '../row.ts';
import { toBaseUnit } from '../unit-conversion.ts';

type Change = (row: Row) => void;
type Of<K extends string> = Extract<PackStep, Record<K, unknown>> extends Record<K, infer S> ? S : never;

/** To a base unit, then to a type. What cannot be converted stays as it is. */
export function convertStep({ field, to, unit }: Of<'convert'>, fields: FieldTable): Change {
  const slot = fields.declare(field);
  const toUnit = unit === undefined ? undefined : toBaseUnit(unit);
  const toType = to === undefined ? undefined : converter(to);
  return (row) => {
    let value = row.values[slot];
    if (value === undefined) return;
    if (toUnit !== undefined) {
      const number = toUnit(value);
      if (!Number.isNaN(number)) value = number;
    }
    row.set(slot, toType?.(value) ?? value);
  };
}

export function renameStep(names: Of<'rename'>, fields: FieldTable): Change {
  const moves = Object.entries(names).map(
    ([from, to]) => [fields.declare(from), fields.declare(to)] as const,
  );
  return (row) => {
    for (const [from, to] of moves) {
      const value = row.values[from];
      if (value === undefined) continue;
      row.set(from, undefined);
      row.set(to, value);
    }
  };
}

export function removeStep(names: Of<'remove'>, fields: FieldTable): Change {
  const slots = names.map((name) => fields.declare(name));
  return (row) => {
    for (const slot of slots) row.set(slot, undefined);
  };
}

/** By the whole text, then by patterns, then the default; else the text stays. */
export function mapStep(step: Of<'map'>, fields: FieldTable, reading: Reading): Change {
  const from = fields.declare(step.field);
  const to = step.to === undefined ? from : fields.declare(step.to);
  const values = new Map<string, FieldValue>(Object.entries(step.values ?? {}));
  const patterns = (step.patterns ?? []).map(({ matches, value }) => ({
    regex: compileSafeRegex(matches, reading),
    value,
  }));
  return (row) => {
    const value = row.values[from];
    if (value === undefined) {
      if (step.default !== undefined) row.set(to, step.default);
      return;
    }
    const text = String(value);
    const mapped = values.get(text) ?? patterns.find(({ regex }) => regex.test(text))?.value ?? step.default;
    row.set(to, mapped ?? value);
  };
}

/** `${field}` in text. */
export function templateStep({ field, text }: Of<'template'>, fields: FieldTable): Change {
  const to = fields.declare(field);
  const parts = text.split(/\$\{([^}]*)\}/).map((part, i) => (i % 2 === 1 ? fields.declare(part) : part));
  return (row) => {
    let made = '';
    for (const part of parts) made += typeof part === 'string' ? part : String(row.values[part] ?? '');
    row.set(to, made === '' ? undefined : made);
  };
}
