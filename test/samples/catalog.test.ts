import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Matcher } from '../../src/model/series.ts';
import { compileMatcher } from '../../src/promql/matcher.ts';
import { Catalog } from '../../src/samples/catalog.ts';
import { HeadColumns, HeadView } from '../../src/samples/head-columns.ts';
import { SeriesTable } from '../../src/samples/series-table.ts';
import { SharedBytes } from '../../src/samples/arena.ts';

function testOf(one: Matcher): (value: string) => boolean {
  const test = compileMatcher(one);
  return (text) => test.matches(text);
}

function newTable(max = 1000): { table: SeriesTable; catalog: () => Catalog } {
  const buffers = HeadColumns.make(max);
  const table = new SeriesTable(new HeadColumns(buffers), max);
  const { symbols, labelIds, additions } = table;
  const view = new HeadView({
    ...buffers,
    chunks: SharedBytes.make(1024).buffer,
    symbols: symbols.texts.buffer,
    symbolStarts: symbols.starts.buffer,
    labelIds: labelIds.buffer,
    additions: additions.buffer,
  });
  return { table, catalog: () => new Catalog(view, testOf) };
}

const value = fc.constantFrom('a', 'b', 'ab', 'é', '__proto__');
const labelSet = fc
  .dictionary(fc.constantFrom('__name__', 'host', 'path', 'constructor'), value, { noNullPrototype: true })
  .map((labels) =>
    Object.entries(labels)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flat(),
  );
const matcher = fc.record({
  name: fc.constantFrom('__name__', 'host', 'path', 'constructor', 'none'),
  kind: fc.constantFrom<Matcher['kind'][]>('=', '!=', '=~', '!~'),
  value: fc.constantFrom('', 'a', 'b', 'a.*', '.*', '.+', 'a|b', '|a', 'zz', '__proto__'),
});

test('the catalogue finds what a look at each series finds, while series come and go', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(labelSet, fc.boolean()), { maxLength: 40 }),
      fc.array(fc.array(matcher, { maxLength: 3 }), { minLength: 1, maxLength: 5 }),
      (changes, queries) => {
        const { table, catalog } = newTable();
        const old = catalog();
        const known = new Map<string, number>();
        const freed: number[] = [];
        changes.forEach(([pairs, forget], i) => {
          const key = JSON.stringify(pairs);
          const sid = table.find(pairs);
          expect(sid).toBe(known.get(key));
          if (sid === undefined) known.set(key, table.add(pairs));
          else if (forget) {
            table.forget(sid);
            known.delete(key);
            freed.push(sid);
          }
          if (i % 7 === 6) table.reuse(freed.splice(0));
          if (i % 3 === 0) old.refresh();
        });
        expect(table.count).toBe(known.size);
        for (const one of [old, catalog()]) {
          one.refresh();
          for (const matchers of queries) {
            const tests = matchers.map((each) => ({ name: each.name, test: testOf(each) }));
            const expected = [...known]
              .filter(([key]) => {
                const pairs = JSON.parse(key) as string[];
                const at = (name: string) => pairs.findIndex((text, i) => i % 2 === 0 && text === name);
                return tests.every(({ name, test: passes }) =>
                  passes(at(name) < 0 ? '' : pairs[at(name) + 1]!),
                );
              })
              .map(([, sid]) => sid)
              .sort((a, b) => a - b);
            expect([...one.match(matchers)]).toEqual(expected);
          }
          for (const [key, sid] of known)
            expect(Object.entries(one.labels(sid)).flat()).toEqual(JSON.parse(key));
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('a table that is full says so, and has room again when numbers are free', () => {
  const { table } = newTable(3);
  for (const n of ['1', '2', '3']) {
    expect(table.isFull).toBe(false);
    table.add(['a', n]);
  }
  expect(table.isFull).toBe(true);
  table.forget(2);
  expect(table.isFull).toBe(false);
  expect(table.add(['a', '4'])).toBe(4);
  table.forget(1);
  table.reuse([1, 2]);
  expect(table.add(['a', '5'])).toBe(2);
  expect(table.isFull).toBe(true);
});

test('ten thousand series are found by their labels, and none twice', () => {
  const { table, catalog } = newTable(20_000);
  const pairs = (i: number) => ['__name__', 'm', 'host', `h${i % 100}`, 'path', `p${i}`];
  for (let i = 0; i < 10_000; i++) expect(table.add(pairs(i))).toBe(i + 1);
  for (let i = 0; i < 10_000; i++) expect(table.find(pairs(i))).toBe(i + 1);
  const one = catalog();
  one.refresh();
  expect(one.match([{ name: 'host', kind: '=', value: 'h7' }])).toHaveLength(100);
  expect([...one.valuesOf('host')]).toHaveLength(100);
});
