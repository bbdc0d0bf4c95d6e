import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { formatProblem } from '../../../src/model/problem.ts';
import { loadPack } from '../../../src/parse/load-pack.ts';
import { runCase } from '../../../src/parse/run-case.ts';

interface Program {
  readonly program: string;
  readonly pack: object;
  readonly lines: string;
  readonly metrics: string;
}

const file = new URL('programs.yaml', import.meta.url);
const programs = parse(readFileSync(file, 'utf8')) as readonly Program[];

test.each(programs)('what $program counts, a pack counts', ({ pack, lines, metrics }) => {
  const loaded = loadPack(stringify({ name: 'mtail', description: 'x', ...pack }), 'pack.yaml');
  expect(loaded.problems.map(formatProblem)).toEqual([]);
  const result = runCase(loaded.pack!, Buffer.from(lines), { unmatched: 0, metrics });
  expect(result.differences).toEqual([]);
});

test('docs/FROM-MTAIL.md names each program', () => {
  const page = readFileSync(new URL('../../../docs/FROM-MTAIL.md', import.meta.url), 'utf8');
  for (const { program } of programs)
    for (const name of program.split(', ')) expect(page).toContain(`\`${name}\``);
});
