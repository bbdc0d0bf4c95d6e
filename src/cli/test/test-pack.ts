import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { Document, parseDocument } from 'yaml';
import type { Pack } from '../../config/pack-schema.ts';
import { formatProblem } from '../../model/problem.ts';
import { loadPack } from '../../parse/load-pack.ts';
import { packWarnings } from '../../parse/pack-warnings.ts';
import { readExpectation, runCase } from '../../parse/run-case.ts';
import type { CaseExpectation, CaseResult } from '../../parse/run-case.ts';
import type { RuleTestFailure, RuleTestFileResult, RuleTestResult } from '../../rules/rule-test-result.ts';
import { lineDiff } from './line-diff.ts';
import { PackCoverage } from './pack-coverage.ts';
import type { Uncovered } from './pack-coverage.ts';

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
    if (result.differences.length === 0 && text !== undefined) return [];
    if (!update) return result.differences.map(difference);
    writeFileSync(
      file,
      text === undefined ? newExpectation(result) : updatedExpectation(text, expected, result),
    );
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

function newExpectation({ actual }: CaseResult): string {
  return new Document(actual, { aliasDuplicateObjects: false }).toString({ lineWidth: 0 });
}

/** Keeps the comments, and which keys are compared: of the file, and of each record. */
function updatedExpectation(text: string, expected: CaseExpectation, { actual }: CaseResult): string {
  const document = parseDocument(text);
  const whole: Record<string, unknown> = { ...defaults(actual), ...actual };
  for (const key of Object.keys(expected)) {
    if (key === 'records')
      document.set(key, document.createNode(sameKeys(expected, actual), { aliasDuplicateObjects: false }));
    else if (key in whole) document.set(key, document.createNode(whole[key]));
    else document.delete(key);
  }
  return document.toString({ lineWidth: 0 });
}

function defaults(actual: CaseExpectation): CaseExpectation {
  return { filtered: {}, bad_timestamps: 0, events: actual.lines ?? 0 };
}

function sameKeys(expected: CaseExpectation, actual: CaseExpectation): readonly object[] {
  const before = expected.records ?? [];
  const usual = before[0];
  return (actual.records ?? []).map((record, at) => {
    const keys = Object.keys(before[at] ?? usual ?? record);
    return Object.fromEntries(Object.entries(record).filter(([key]) => keys.includes(key)));
  });
}
