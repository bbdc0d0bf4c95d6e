import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { formatProblem } from '../../../src/model/problem.ts';
import { loadPack } from '../../../src/parse/load-pack.ts';
import { runCase } from '../../../src/parse/run-case.ts';

interface Program {
  readonly program: string;
  /** A pack of its own, or the name of a built-in one. */
  readonly pack?: object;
  readonly parser?: string;
  readonly lines: string;
  readonly metrics: string;
}

const file = new URL('programs.yaml', import.meta.url);
const programs = parse(readFileSync(file, 'utf8')) as readonly Program[];

test.each(programs)('what $program counts, a pack counts', ({ pack, parser, lines, metrics }) => {
  const text =
    parser === undefined
      ? stringify({ name: 'mtail', description: 'x', ...pack })
      : readFileSync(new URL(`../../../parsers/${parser}/pack.yaml`, import.meta.url), 'utf8');
  const loaded = loadPack(text, 'pack.yaml');
  expect(loaded.problems.map(formatProblem)).toEqual([]);
  const result = runCase(loaded.pack!, Buffer.from(lines), { unmatched: 0, metrics });
  expect(result.differences).toEqual([]);
});

test('docs/FROM-MTAIL.md names each program, and each that it names is here', () => {
  const page = readFileSync(new URL('../../../docs/FROM-MTAIL.md', import.meta.url), 'utf8');
  const named = page
    .split('\n')
    .flatMap((row) => /^\| ((?:`[\w-]+`(?:, )?)+) +\|/.exec(row)?.[1]?.replaceAll('`', '').split(', ') ?? []);
  const here = programs.flatMap(({ program }) => program.split(', '));
  expect(named.toSorted()).toEqual(here.toSorted());
});

test('every built-in pack that docs/FROM-MTAIL.md names is there', () => {
  const page = readFileSync(new URL('../../../docs/FROM-MTAIL.md', import.meta.url), 'utf8');
  const packs = [...page.matchAll(/built-in `([\w-]+)`/g)].map(([, name]) => name!);
  expect(packs.length).toBeGreaterThan(5);
  for (const name of packs)
    expect(existsSync(new URL(`../../../parsers/${name}/pack.yaml`, import.meta.url)), name).toBe(true);
});
