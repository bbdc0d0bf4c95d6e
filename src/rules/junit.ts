import type { RuleProblem } from './rule.ts';
import { formatProblem } from './rule.ts';
import type { RuleTestFileResult, RuleTestResult } from './rule-test-result.ts';

/** JUnit XML, as CI systems read it: a suite for each file, a case for each test. */
export function writeJunit(results: readonly RuleTestFileResult[]): string {
  const suites = results.map(suite).join('');
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suites}</testsuites>\n`;
}

function suite(result: RuleTestFileResult): string {
  const failures = result.tests.filter((test) => test.failures.length > 0).length;
  const skipped = result.tests.filter((test) => test.skipped).length;
  const errors = result.problems.length;
  const total = result.tests.length + errors;
  const attributes = `name="${escape(result.file)}" tests="${total}" failures="${failures}" errors="${errors}" skipped="${skipped}"`;
  const cases = [
    ...result.problems.map(problemCase),
    ...result.tests.map((test, at) => testCase(result.file, test, at)),
  ];
  return `  <testsuite ${attributes}>\n${cases.join('')}  </testsuite>\n`;
}

function problemCase(problem: RuleProblem): string {
  const text = escape(formatProblem(problem));
  return `    <testcase classname="${escape(problem.file)}" name="file"><error message="${text}"></error></testcase>\n`;
}

function testCase(file: string, test: RuleTestResult, at: number): string {
  const name = test.name === '' ? `test ${at + 1}` : test.name;
  const head = `    <testcase classname="${escape(file)}" name="${escape(name)}" time="${(test.durationMs / 1000).toFixed(3)}"`;
  if (test.skipped) return `${head}><skipped></skipped></testcase>\n`;
  if (test.failures.length === 0) return `${head}></testcase>\n`;
  const failures = test.failures.map((failure) => {
    const message = escape(`${failure.kind} ${failure.subject} ${failure.evalTime}`.trim());
    return `<failure message="${message}">${escape(failure.message)}</failure>`;
  });
  return `${head}>${failures.join('')}</testcase>\n`;
}

function escape(text: string): string {
  const entities: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&apos;',
    '\n': '&#10;',
  };
  return text
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\uFFFE\uFFFF]/g, '\uFFFD')
    .replace(/[&<>"'\n]/g, (character) => entities[character] ?? character);
}
