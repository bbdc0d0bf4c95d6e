import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { runRuleTests } from '../../src/rules/run-rule-tests.ts';
import type { RuleTestFileResult } from '../../src/rules/rule-test-result.ts';

const run = promisify(execFile);

export interface ProgramResult {
  readonly ok: boolean;
  readonly output: string;
}

export async function runPromtool(...args: readonly string[]): Promise<ProgramResult> {
  try {
    const { stdout, stderr } = await run('promtool', [...args], { maxBuffer: 64 * 1024 * 1024 });
    return { ok: true, output: stdout + stderr };
  } catch (error) {
    const { stdout = '', stderr = '', code } = error as { stdout?: string; stderr?: string; code?: unknown };
    if (code === 'ENOENT') throw error;
    return { ok: false, output: stdout + stderr };
  }
}

export const promtoolInstalled = await run('promtool', ['--version']).then(
  () => true,
  () => false,
);

/** A unit-test file run by our runner; each pattern of `rule_files` is one file. */
export function runOurs(file: string): Promise<RuleTestFileResult> {
  return runRuleTests(file, {
    readFile: (path) => readFile(path, 'utf8'),
    glob: (pattern) => Promise.resolve([pattern]),
  });
}
