import { describe, expect, it } from 'vitest';
import { fc } from '../../fuzz.ts';
import { JsonParser } from '../../../src/parse/format/json-parser.ts';
import { FieldTable, Row } from '../../../src/parse/row.ts';

const scalar = fc.oneof(
  fc.constantFrom<unknown>(
    '',
    'x',
    'a b',
    'q"uote',
    'back\\slash',
    'é',
    '\u2028',
    'line\n',
    0,
    -0,
    1,
    -1.5,
    1e21,
    12_345_678_901_234_568,
    true,
    false,
    null,
  ),
  fc.array(fc.integer(), { maxLength: 2 }),
);
const object = fc
  .record(
    { a: scalar, b: fc.oneof(scalar, fc.record({ c: scalar, d: scalar })), 'b.c': scalar, e: scalar },
    { requiredKeys: [] },
  )
  .chain((value) =>
    fc.constantFrom(
      JSON.stringify(value),
      JSON.stringify(value, null, 1).replaceAll(/\n */g, ' '),
      pythonStyle(value),
      ` ${JSON.stringify(value)}`,
    ),
  );
const broken = fc.constantFrom(
  '{"a":01}',
  '{"a":1,}',
  '{"a":"\t"}',
  '{"a":tru}',
  '{"a":1}}',
  '{"a":1}{',
  '{"a":.5}',
  '{"a":1,"a":2}',
  '{"a":"x"',
  '[]',
  '',
);

function pythonStyle(value: unknown): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([key, one]) => `${JSON.stringify(key)}: ${pythonStyle(one)}`)
    .join(', ')}}`;
}

/** Every field that is wanted, line by line, with a parser that has seen the lines before or one that never learns. */
function parse(lines: readonly string[], open: boolean, fresh: boolean): unknown[] {
  const make = () => {
    const fields = new FieldTable(open);
    for (const name of ['a', 'b.c', 'e']) fields.declare(name);
    return { fields, parser: new JsonParser(fields, undefined) };
  };
  let { fields, parser } = make();
  return lines.map((line) => {
    if (fresh) ({ fields, parser } = make());
    const row = new Row();
    const outcome = parser.parse(line, row);
    const values = row.touched.map((slot) => [fields.names[slot], row.values[slot]]);
    return [outcome, outcome < 0 ? [] : values.toSorted(([a], [b]) => (a! < b! ? -1 : 1))];
  });
}

describe('shapes of JSON lines', () => {
  it('give what parsing each line gives', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof({ weight: 6, arbitrary: object }, { weight: 1, arbitrary: broken }), {
          minLength: 1,
          maxLength: 12,
        }),
        fc.boolean(),
        (lines, open) => {
          const twice = [...lines, ...lines];
          expect(parse(twice, open, false)).toEqual(parse(twice, open, true));
        },
      ),
      { numRuns: 500 },
    );
  });
});
