import type { RuleProblem } from './rule.ts';

/** The outcome of one unit-test file. */
export interface RuleTestFileResult {
  readonly file: string;
  readonly ok: boolean;
  /** Mistakes in the test file itself. */
  readonly problems: readonly RuleProblem[];
  readonly warnings: readonly string[];
  readonly tests: readonly RuleTestResult[];
}

export interface RuleTestResult {
  readonly name: string;
  readonly line: number;
  /** Left out by `--run`. */
  readonly skipped: boolean;
  readonly failures: readonly RuleTestFailure[];
  readonly durationMs: number;
}

export interface RuleTestFailure {
  readonly kind: 'rules' | 'input' | 'evaluation' | 'alert' | 'expr' | 'case';
  /** The alert's name, the expression, the file, or what of a pack's case differs. */
  readonly subject: string;
  readonly evalTime: string;
  /** One line or several; lines beginning with - are expected and missing, with + found and not expected. */
  readonly message: string;
}

/** For people: one block for each file. */
export function formatRuleTestResult(
  result: RuleTestFileResult,
  formatProblem: (problem: RuleProblem) => string,
): string {
  const ran = result.tests.filter((test) => !test.skipped);
  const lines = [
    `${result.ok ? 'ok  ' : 'FAIL'} ${result.file} (${ran.length} test${ran.length === 1 ? '' : 's'})`,
  ];
  for (const warning of result.warnings) lines.push(`  warning: ${warning}`);
  for (const problem of result.problems) lines.push(`  ${formatProblem(problem)}`);
  for (const test of ran) {
    for (const failure of test.failures) {
      const name = test.name === '' ? `line ${test.line}` : test.name;
      const time = failure.evalTime === '' ? '' : ` at ${failure.evalTime}`;
      lines.push(`  ${name}: ${failure.kind} ${failure.subject}${time}`);
      lines.push(...failure.message.split('\n').map((line) => `    ${line}`));
    }
  }
  return lines.join('\n');
}
