import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { expandGlobs, loadRuleText } from '../../agent/load-rules.ts';
import { enableLinearFallback } from '../../parse/pattern/linear.ts';
import { writeJunit } from '../../rules/junit.ts';
import { runRuleTests } from '../../rules/run-rule-tests.ts';
import type { TestOptions } from '../test-command.ts';
import { UsageError } from '../usage-error.ts';
import { renderResult, renderTotals } from './render-results.ts';
import { testPack } from './test-pack.ts';
import type { PackTestResult } from './test-pack.ts';
import { testTargets } from './test-targets.ts';

/** Gives the exit status. */
export async function runTests(
  paths: readonly string[],
  options: TestOptions,
  write: (text: string) => void,
): Promise<number> {
  enableLinearFallback();
  const run = runPattern(options.run);
  const results: PackTestResult[] = [];
  const show = (result: PackTestResult): void => {
    results.push(result);
    if (options.json !== true) write(renderResult(result, options.coverage === true));
  };
  for (const target of testTargets(paths)) {
    if (target.kind === 'rules') {
      show(await testRules(target.file, run));
      continue;
    }
    const pack = testPack(target.folder, {
      run,
      update: options.update === true,
      monotonic: () => performance.now(),
    });
    show(withRuleProblems(pack, join(target.folder, 'rules.yaml')));
    const rulesTest = join(target.folder, 'rules-test.yaml');
    if (existsSync(rulesTest)) show(await testRules(rulesTest, run));
  }
  if (run !== undefined && results.every(({ ok, tests }) => ok && tests.every(({ skipped }) => skipped))) {
    write(`no test's name matches --run ${run.source}\n`);
    return 1;
  }
  if (options.junit !== undefined) writeFileSync(options.junit, writeJunit(results));
  write(options.json === true ? `${JSON.stringify(results, null, 2)}\n` : renderTotals(results));
  return results.every((result) => result.ok && !(options.coverage === true && isUncovered(result))) ? 0 : 1;
}

function runPattern(text: string | undefined): RegExp | undefined {
  try {
    return text === undefined ? undefined : new RegExp(text);
  } catch (cause) {
    throw new UsageError(`--run: ${(cause as Error).message}`, { cause });
  }
}

async function testRules(file: string, run: RegExp | undefined): Promise<PackTestResult> {
  const files = {
    readFile: (path: string) => readFile(path, 'utf8'),
    glob: (pattern: string) => expandGlobs([resolve(pattern)]),
  };
  const options = { monotonic: () => performance.now(), ...(run === undefined ? {} : { run: [run] }) };
  return { ...(await runRuleTests(file, files, options)), updated: [] };
}

/** Rules that a pack brings must load, tested or not. */
function withRuleProblems(result: PackTestResult, rules: string): PackTestResult {
  if (!existsSync(rules)) return result;
  const { problems } = loadRuleText(readFileSync(rules, 'utf8'), rules);
  if (problems.length === 0) return result;
  return { ...result, ok: false, problems: [...result.problems, ...problems] };
}

function isUncovered({ uncovered }: PackTestResult): boolean {
  return uncovered !== undefined && uncovered.patterns.length + uncovered.metrics.length > 0;
}
