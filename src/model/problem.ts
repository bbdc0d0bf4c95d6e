/** The user's mistake in a file: where it is, what it is, what would be accepted. */
export interface Problem {
  readonly file: string;
  /** From 1; 0 where the problem is the whole file. */
  readonly line: number;
  readonly column: number;
  /** `sources[0].start_at`; empty for the whole document. */
  readonly key: string;
  readonly message: string;
  /** The line of the file, for the caret. Left out where it may hold a secret. */
  readonly sourceLine?: string;
}

/** `file:line:column: key: message`, then the line with a caret. */
export function formatProblem(problem: Problem): string {
  const place = problem.line === 0 ? problem.file : `${problem.file}:${problem.line}:${problem.column}`;
  const head = `${place}: ${problem.key === '' ? '' : `${problem.key}: `}${problem.message}`;
  if (problem.sourceLine === undefined) return head;
  const shown = problem.sourceLine.slice(0, 160);
  return `${head}\n    ${shown}\n    ${' '.repeat(Math.min(Math.max(0, problem.column - 1), 160))}^`;
}

/** Thrown where a caller can only give up: holds every problem found, not just the first. */
export class ProblemsError extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(formatProblem).join('\n'));
    this.name = 'ProblemsError';
    this.problems = problems;
  }
}
