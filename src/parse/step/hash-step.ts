import { createHash } from 'node:crypto';
import type { PackStep } from '../../config/pack-schema.ts';
import { flat } from '../row.ts';
import type { FieldTable, Row } from '../row.ts';

const REMEMBERED_MAX = 10_000;

/** A field's value as a short SHA-256, in the field and wherever the value stands in the line. */
export function hashStep(
  { field, salt, length }: Extract<PackStep, { hash: unknown }>['hash'],
  fields: FieldTable,
): (row: Row) => void {
  const slot = fields.declare(field);
  const known = new Map<string, string>();
  return (row) => {
    const value = row.values[slot];
    if (value === undefined || value === '') return;
    const text = String(value);
    let hash = known.get(text);
    if (hash === undefined) {
      hash = createHash('sha256')
        .update(salt ?? '')
        .update(text)
        .digest('hex')
        .slice(0, length);
      if (known.size < REMEMBERED_MAX) known.set(flat(text), hash);
    }
    row.set(slot, hash);
    row.text = row.text.replaceAll(text, hash);
  };
}
