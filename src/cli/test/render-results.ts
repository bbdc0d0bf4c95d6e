import { formatProblem } from '../../rules/rule.ts';
import { printable } from '../../model/printable.ts';
import { paint } from '../style.ts';
import type { PackTestResult } from './test-pack.ts';

const SIGNS = { '-': 'red', '+': 'green', '…': 'dim' } as const;

/** One block for each pack or file: a line where all is well, differences where not. */
export function renderResult(result: PackTestResult, coverageCounts: boolean): string {
  const ran = result.tests.filter((test) => !test.skipped);
  const uncovered = result.uncovered;
  const missing = [
    ...(uncovered?.patterns ?? []).map((name) => `pattern ${name}`),
    ...(uncovered?.metrics ?? []).map((name) => `metric ${name}`),
  ];
  const ok = result.ok && !(coverageCounts && missing.length > 0);
  const lines = [
    `${ok ? paint('green', 'ok  ') : paint('red', 'FAIL')} ${result.file} ${paint('dim', `(${ran.length} test${ran.length === 1 ? '' : 's'})`)}`,
    ...result.warnings.map((warning) => `  ${paint('yellow', `warning: ${warning}`)}`),
    ...result.problems.map((problem) => `  ${formatProblem(problem)}`),
    ...result.updated.map((file) => `  ${paint('yellow', 'updated')} ${file}`),
  ];
  for (const test of ran) {
    for (const failure of test.failures) {
      const time = failure.evalTime === '' ? '' : ` at ${failure.evalTime}`;
      const name = test.name === '' ? `line ${test.line}` : test.name;
      lines.push(
        `  ${paint('bold', name)}: ${failure.kind === 'case' ? '' : `${failure.kind} `}${failure.subject}${time}`,
      );
      lines.push(...failure.message.split('\n').map((line) => `    ${signed(line)}`));
    }
  }
  if (missing.length > 0) lines.push(`  ${paint('yellow', 'no case exercises')} ${missing.join(', ')}`);
  return `${lines.join('\n')}\n`;
}

function signed(line: string): string {
  const colour = SIGNS[line[0] as keyof typeof SIGNS];
  return colour === undefined ? printable(line) : paint(colour, printable(line));
}

export function renderTotals(results: readonly PackTestResult[]): string {
  const tests = results.flatMap((result) => result.tests).filter((test) => !test.skipped);
  const failed = tests.filter((test) => test.failures.length > 0).length;
  const problems = results.reduce((sum, result) => sum + result.problems.length, 0);
  const updated = results.reduce((sum, result) => sum + result.updated.length, 0);
  const parts = [
    `${tests.length} tests`,
    failed === 0 ? paint('green', 'none failed') : paint('red', `${failed} failed`),
    ...(problems === 0 ? [] : [paint('red', `${problems} problems`)]),
    ...(updated === 0 ? [] : [paint('yellow', `${updated} updated`)]),
  ];
  return `${parts.join(', ')}\n`;
}
