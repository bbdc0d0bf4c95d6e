import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { Pack } from '../../config/pack-schema.ts';
import { formatProblem } from '../../model/problem.ts';
import { loadPack } from '../../parse/load-pack.ts';
import { packWarnings } from '../../parse/pack-warnings.ts';
import { readExpectation, runCase } from '../../parse/run-case.ts';
import type { CaseResult } from '../../parse/run-case.ts';
import type { RuleTestFailure, RuleTestFileResult, RuleTestResult } from '../../rules/rule-test-result.ts';
import { lineDiff } from './line-diff.ts';
import { PackCoverage } from './pack-coverage.ts';
import type { Uncovered } from './pack-coverage.ts';
import { newExpectation, updatedExpectation } from './update-expectation.ts';

export interface PackTestOptions {
  readonly run: RegExp | undefined;
  readonly update: boolean;
  readonly monotonic: () => number;
}

export interface PackTestResult extends RuleTestFileResult {
  /** What no case exercises; undefined where not all cases were run. */
  readonly uncovered?: Uncovered;
  readonly updated: readonly string[];
}

/** Runs the cases of one pack. Never throws for what its files say. */
export function testPack(folder: string, options: PackTestOptions): PackTestResult {
  const file = join(folder, 'pack.yaml');
  const text = readFileSync(file, 'utf8');
  const { pack, problems } = loadPack(text, file);
  const name = basename(resolve(folder));
  if (pack === undefined) return { file: folder, ok: false, problems, warnings: [], tests: [], updated: [] };
  const misnamed = pack.name === name ? [] : [`pack.yaml has the name ${pack.name}, its folder ${name}`];
  const coverage = new PackCoverage(pack);
  const updated: string[] = [];
  const cases = caseNames(folder);
  const tests = cases.map((one) => {
    const title = `${name}/${one}`;
    if (options.run?.test(title) === false)
      return { name: title, line: 0, skipped: true, failures: [], durationMs: 0 };
    const started = options.monotonic();
    const failures = testCase(join(folder, 'cases', one), pack, coverage, options.update, updated);
    return { name: title, line: 0, skipped: false, failures, durationMs: options.monotonic() - started };
  });
  return {
    file: folder,
    ok: misnamed.length === 0 && tests.every((test) => test.failures.length === 0),
    problems: misnamed.map((message) => ({ file, line: 1, column: 1, key: 'name', message })),
    warnings: [
      ...(cases.length === 0 ? ['has no cases'] : []),
      ...packWarnings(text, file).map(({ line, column, key, message }) =>
        formatProblem({ file, line, column, key, message }),
      ),
    ],
    tests: tests satisfies RuleTestResult[],
    ...(options.run === undefined ? { uncovered: coverage.uncovered() } : {}),
    updated,
  };
}

function caseNames(folder: string): readonly string[] {
  const cases = join(folder, 'cases');
  return existsSync(cases)
    ? readdirSync(cases)
        .filter((name) => !name.startsWith('.'))
        .toSorted()
    : [];
}

function testCase(
  folder: string,
  pack: Pack,
  coverage: PackCoverage,
  update: boolean,
  updated: string[],
): readonly RuleTestFailure[] {
  const file = join(folder, 'expected.yaml');
  try {
    const input = readFileSync(join(folder, 'input.log'));
    const text = existsSync(file) ? readFileSync(file, 'utf8') : undefined;
    if (text === undefined && !update) return [failure(file, 'is missing; taffrail test --update writes it')];
    const expected = readExpectation(text ?? '');
    const result = runCase(pack, input, expected);
    coverage.watch(input, Date.parse(expected.read_at ?? '2026-01-15T12:00:00Z'));
    if (!update) return result.differences.map(difference);
    const now = text === undefined ? newExpectation(result.actual) : updatedExpectation(text, result.actual);
    // What no expectation can put right: the ways to read a file do not agree.
    if (now === text) return result.differences.map(difference);
    writeFileSync(file, now);
    updated.push(file);
    return [];
  } catch (error) {
    return [failure(folder, error instanceof Error ? error.message : String(error))];
  }
}

function failure(subject: string, message: string): RuleTestFailure {
  return { kind: 'case', subject, evalTime: '', message };
}

function difference({ what, expected, actual }: CaseResult['differences'][number]): RuleTestFailure {
  const lines = lineDiff(expected, actual).map(({ sign, text }) => `${sign} ${text}`);
  return failure(what, lines.join('\n'));
}
