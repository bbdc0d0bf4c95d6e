import { describe, expect, it } from 'vitest';
import { fc } from '../../fuzz.ts';
import { LOGFMT, PairParser } from '../../../src/parse/format/pair-parser.ts';
import { FieldTable, Row } from '../../../src/parse/row.ts';

const value = fc.constantFrom(
  '',
  'x',
  '12',
  'a=b',
  'a"b',
  '"q"',
  '"two words"',
  '""',
  '"esc\\"aped"',
  "'single'",
  '"open',
  'é',
  '"a\\\\"',
  '"q"x',
);
const key = fc.constantFrom('a', 'b', 'c.d', 'e-f', 'x');
const pair = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(key, value).map(([k, v]) => `${k}=${v}`) },
  { weight: 1, arbitrary: fc.constantFrom('bare', '=x', '"', 'a =b') },
);
const line = fc
  .tuple(fc.array(pair, { maxLength: 5 }), fc.constantFrom(' ', ' ', ' ', '  ', '\t'))
  .map(([pairs, space]) => pairs.join(space));

function parse(lines: readonly string[], open: boolean, fresh: boolean): unknown[] {
  const make = () => {
    const fields = new FieldTable(open);
    for (const name of ['a', 'c.d']) fields.declare(name);
    return { fields, parser: new PairParser(fields, LOGFMT) };
  };
  let { fields, parser } = make();
  return lines.map((text) => {
    if (fresh) ({ fields, parser } = make());
    const row = new Row();
    const outcome = parser.parse(text, row);
    return [
      outcome,
      outcome < 0
        ? []
        : row.touched
            .map((slot) => [fields.names[slot], row.values[slot]])
            .toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
    ];
  });
}

describe('shapes of logfmt lines', () => {
  it('give what parsing each line gives', () => {
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 10 }), fc.boolean(), (lines, open) => {
        const twice = [...lines, ...lines];
        expect(parse(twice, open, false)).toEqual(parse(twice, open, true));
      }),
      { numRuns: 1000 },
    );
  });
});
