import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PackCoverage } from '../../src/cli/test/pack-coverage.ts';
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

describe.each(
  readdirSync(root)
    .toSorted()
    .filter((name) => existsSync(join(root, name, 'pack.yaml'))),
)('the cases of %s', (name) => {
  const folder = join(root, name);
  const { pack } = loadPack(readFileSync(join(folder, 'pack.yaml'), 'utf8'), 'pack.yaml');
  const cases = readdirSync(join(folder, 'cases')).map((one) => {
    const input = readFileSync(join(folder, 'cases', one, 'input.log'));
    return { input, ...readExpectation(readFileSync(join(folder, 'cases', one, 'expected.yaml'), 'utf8')) };
  });

  it('exercise every pattern and every metric', () => {
    const coverage = new PackCoverage(pack!);
    for (const { input, read_at = '2026-01-15T12:00:00Z' } of cases)
      coverage.watch(input, Date.parse(read_at));
    expect(coverage.uncovered()).toEqual({ patterns: [], metrics: [] });
  });

  it('have lines that are not its own, unless it takes all lines', () => {
    if (pack!.format === 'raw') return;
    const others = cases.map(({ unmatched = 0, filtered = {} }) =>
      Object.values(filtered).reduce((sum, lines) => sum + lines, unmatched),
    );
    expect(Math.max(...others)).toBeGreaterThan(0);
  });
});
