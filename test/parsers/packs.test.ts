import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatProblem } from '../../src/model/problem.ts';
import { loadPack } from '../../src/parse/load-pack.ts';
import { readExpectation, runCase } from '../../src/parse/run-case.ts';

const root = join(import.meta.dirname, '../../parsers');

for (const name of readdirSync(root).toSorted()) {
  const folder = join(root, name);
  if (!existsSync(join(folder, 'pack.yaml'))) continue;
  describe(`pack ${name}`, () => {
    const file = join(folder, 'pack.yaml');
    const { pack, problems } = loadPack(readFileSync(file, 'utf8'), `parsers/${name}/pack.yaml`);

    it('loads, is named after its folder and has a README and a case', () => {
      expect(problems.map(formatProblem)).toEqual([]);
      expect(pack?.name).toBe(name);
      expect(existsSync(join(folder, 'README.md'))).toBe(true);
      expect(readdirSync(join(folder, 'cases')).length).toBeGreaterThan(0);
    });

    for (const one of readdirSync(join(folder, 'cases')).toSorted()) {
      it(`gives what case ${one} expects`, () => {
        const input = readFileSync(join(folder, 'cases', one, 'input.log'));
        const expected = readExpectation(readFileSync(join(folder, 'cases', one, 'expected.yaml'), 'utf8'));
        expect(runCase(pack!, input, expected).differences).toEqual([]);
      });
    }
  });
}
