import type { PackStep } from '../../config/pack-schema.ts';
import { compileMatcher } from '../pattern/pattern-matcher.ts';
import { parsePattern } from '../pattern/parse-pattern.ts';
import type { Reading } from '../pattern/safe-regex.ts';
import type { FieldTable, Row } from '../row.ts';

/** Named groups of a pattern on one field become fields, where it matches. */
export function extractStep(
  { field, pattern, flags }: Extract<PackStep, { extract: unknown }>['extract'],
  fields: FieldTable,
  reading: Reading,
): (row: Row) => void {
  const from = fields.declare(field);
  const matcher = compileMatcher(parsePattern({ name: 'extract', pattern, flags, ...reading }, {}));
  const targets = matcher.pattern.captures.map(
    (capture) => [capture.group, fields.declare(capture.field)] as const,
  );
  return (row) => {
    const value = row.values[from];
    if (value === undefined) return;
    const match = matcher.match(String(value));
    if (match === null) return;
    for (const [group, slot] of targets) {
      const text = match[group];
      if (text !== undefined) row.set(slot, text);
    }
  };
}
