import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { runRuleTests } from '../../src/rules/run-rule-tests.ts';

const FILE = resolve('examples/queue/rules-test.yaml');
const isThere = spawnSync('promtool', ['--version']).error === undefined;

test("the tests of the example's rules pass", async () => {
  const result = await runRuleTests(FILE, {
    readFile: (path) => readFile(path, 'utf8'),
    glob: (pattern) => Promise.resolve([pattern]),
  });
  expect(result.problems).toEqual([]);
  expect(result.tests.filter(({ failures }) => failures.length > 0)).toEqual([]);
  expect(result.tests).toHaveLength(3);
});

test.skipIf(!isThere && process.env['CI'] !== 'true')(
  `promtool is of the same opinion${isThere ? '' : ' (promtool is not installed)'}`,
  () => {
    const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', FILE], { encoding: 'utf8' });
    expect({ status, stderr }, stdout).toEqual({ status: 0, stderr: '' });
  },
);
