import { parseDocument } from 'yaml';
import { describe, expect, it } from 'vitest';
import { expandMergeKeys } from '../../src/model/yaml-merge.ts';

function merged(text: string): { readonly value: unknown; readonly problems: readonly string[] } {
  const document = parseDocument(text);
  const problems = expandMergeKeys(document).map(({ offset, message }) => `${offset}: ${message}`);
  return { value: document.toJS({ maxAliasCount: -1 }), problems };
}

describe('merge keys', () => {
  it.each([
    [
      'a key of the mapping itself comes first, wherever it stands',
      'a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: {y: 4, <<: *a}',
      { b: { x: 1, y: 3 }, c: { x: 1, y: 4 } },
    ],
    [
      'an earlier mapping of a list comes first',
      'a: &a {x: 1}\nz: &z {x: 2, y: 2}\nb: {<<: [*a, *z]}',
      { b: { x: 1, y: 2 } },
    ],
    ['what is merged may merge', 'a: &a {x: 1}\nz: &z {<<: *a, y: 2}\nb: {<<: *z}', { b: { x: 1, y: 2 } }],
    ['a quoted key is a key', 'b: {"<<": {x: 1}}', { b: { '<<': { x: 1 } } }],
    [
      'a later anchor of the same name is another',
      'a: &a {x: 1}\nb: {<<: *a}\nc: &a {x: 2}\nd: {<<: *a}',
      { b: { x: 1 }, d: { x: 2 } },
    ],
  ])('%s', (_name, text, expected) => {
    const { value, problems } = merged(text);
    expect(problems).toEqual([]);
    expect(value).toMatchObject(expected);
  });

  it.each([
    ['a: {<<: 3}', ['8: a merge key takes a mapping, or a list of mappings']],
    ['a: {<<: }', ['8: a merge key takes a mapping, or a list of mappings']],
    ['a: {<<: [{x: 1}, y]}', ['17: a merge key takes a mapping, or a list of mappings']],
    ['a: &a {<<: *a, x: 1}', ['6: a mapping cannot be merged into itself']],
  ])('%s is refused where it stands', (text, problems) => {
    expect(merged(text).problems).toEqual(problems);
  });

  it('a few lines cannot stand for more than memory holds', () => {
    const wide = Array.from({ length: 2000 }, (_, at) => `k${at}: [1]`).join(', ');
    const text = `a: &a {${wide}}\nb:\n${'- {<<: *a}\n'.repeat(2000)}`;
    const { problems } = merged(text);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain('merge keys bring in more than 1000000 values');
  });
});
