import { dirname, isAbsolute, join } from 'node:path';
import { type LoadedRules, loadRuleFile, type LoadRuleOptions } from './load-rule-file.ts';
import type { RuleGroup, RuleProblem } from './rule.ts';
import { formatProblem } from './rule.ts';
import type { RuleTest, RuleTestFile } from './rule-test-file.ts';
import { readRuleTestFile } from './rule-test-file.ts';
import { RuleTestRun } from './rule-test-run.ts';
import type { RuleTestFailure, RuleTestFileResult, RuleTestResult } from './rule-test-result.ts';

/** How the runner reaches files; paths are as the test file names them, joined with its folder. */
export interface RuleTestFiles {
  readonly readFile: (path: string) => Promise<string>;
  /** The files that a pattern means, in order; a path without wildcards is a pattern too. */
  readonly glob: (pattern: string) => Promise<readonly string[]>;
}

export interface RunRuleTestsOptions {
  /** Only tests whose name matches one of these; all without it. */
  readonly run?: readonly RegExp[];
  readonly ignoreUnknownFields?: boolean;
  readonly monotonic?: () => number;
}

/** Runs one promtool unit-test file, with promtool's semantics. Never throws for what the files say. */
export async function runRuleTests(
  file: string,
  files: RuleTestFiles,
  options: RunRuleTestsOptions = {},
): Promise<RuleTestFileResult> {
  const read = await readText(file, files);
  if (typeof read !== 'string') return { file, ok: false, problems: [read], warnings: [], tests: [] };
  const { testFile, problems } = readRuleTestFile(read, {
    file,
    ignoreUnknownFields: options.ignoreUnknownFields ?? false,
  });
  if (testFile === undefined) return { file, ok: problems.length === 0, problems, warnings: [], tests: [] };
  const warnings: string[] = [];
  const paths = await ruleFilePaths(testFile, files, warnings);
  const tests: RuleTestResult[] = [];
  for (const test of testFile.tests) tests.push(await runTest(test, testFile, paths, files, options));
  return { file, ok: tests.every((test) => test.failures.length === 0), problems, warnings, tests };
}

async function runTest(
  test: RuleTest,
  testFile: RuleTestFile,
  paths: readonly string[],
  files: RuleTestFiles,
  options: RunRuleTestsOptions,
): Promise<RuleTestResult> {
  const now = options.monotonic ?? (() => 0);
  const base = { name: test.name, line: test.line };
  if (options.run !== undefined && !options.run.some((pattern) => pattern.test(test.name))) {
    return { ...base, skipped: true, failures: [], durationMs: 0 };
  }
  const started = now();
  const { groups, failures } = await loadGroups(paths, files, {
    defaultIntervalMs: test.intervalMs,
    ignoreUnknownKeys: options.ignoreUnknownFields ?? false,
    withLines: test.inputLines.length > 0,
  });
  const found =
    failures.length > 0
      ? failures
      : await new RuleTestRun(test, testFile, ordered(groups, testFile.groupEvalOrder)).run();
  return { ...base, skipped: false, failures: found, durationMs: now() - started };
}

interface GroupOptions {
  readonly defaultIntervalMs: number;
  readonly ignoreUnknownKeys: boolean;
  /** The test has lines: its rule files may be about them. */
  readonly withLines: boolean;
}

/** A file cannot say in which language it is: in a test with lines it is LogQL, unless it is PromQL alone. */
function loadEither(text: string, withLines: boolean, options: LoadRuleOptions): LoadedRules {
  if (!withLines) return loadRuleFile(text, options);
  const lines = loadRuleFile(text, { ...options, language: 'logql' });
  if (lines.problems.length === 0) return lines;
  const samples = loadRuleFile(text, options);
  return samples.problems.length === 0 ? samples : lines;
}

async function loadGroups(
  paths: readonly string[],
  files: RuleTestFiles,
  { withLines, ...options }: GroupOptions,
): Promise<{ groups: RuleGroup[]; failures: RuleTestFailure[] }> {
  const groups: RuleGroup[] = [];
  const failures: RuleTestFailure[] = [];
  for (const path of paths) {
    const text = await readText(path, files);
    const problems = typeof text === 'string' ? [] : [text];
    if (typeof text === 'string') {
      const loaded = loadEither(text, withLines, { file: path, ...options });
      groups.push(...loaded.groups);
      problems.push(...loaded.problems);
    }
    for (const problem of problems)
      failures.push({ kind: 'rules', subject: path, evalTime: '', message: formatProblem(problem) });
  }
  return { groups, failures };
}

async function ruleFilePaths(
  testFile: RuleTestFile,
  files: RuleTestFiles,
  warnings: string[],
): Promise<readonly string[]> {
  const paths: string[] = [];
  for (const pattern of testFile.ruleFiles) {
    const path = pattern === '' || isAbsolute(pattern) ? pattern : join(dirname(testFile.file), pattern);
    const found = await files.glob(path);
    if (found.length === 0) warnings.push(`no file matches pattern ${path}`);
    paths.push(...found);
  }
  return paths;
}

/** A partial order, as promtool's: groups that it does not name come first, with the first one named. */
function ordered(groups: readonly RuleGroup[], order: readonly string[]): readonly RuleGroup[] {
  const rank = (group: RuleGroup): number => Math.max(order.indexOf(group.name), 0);
  return groups.toSorted((a, b) => rank(a) - rank(b));
}

async function readText(path: string, files: RuleTestFiles): Promise<string | RuleProblem> {
  try {
    return await files.readFile(path);
  } catch (error) {
    return {
      file: path,
      line: 1,
      column: 1,
      key: '',
      message: error instanceof Error ? error.message : String(error),
    };
  }
}
