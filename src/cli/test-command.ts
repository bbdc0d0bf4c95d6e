import type { Command } from 'commander';

export function registerTest(program: Command): void {
  program
    .command('test')
    .description("run the cases of parser packs, and rule unit tests in promtool's format")
    .argument(
      '[path...]',
      'folders of packs, packs, or rule unit-test files (default: the built-in packs, and ./parsers if there is one)',
    )
    .option(
      '--update',
      'write what came out to the expected.yaml of each case: what differs, and what it does not say',
    )
    .option('--coverage', 'fail if a pattern or metric of a pack is exercised by no case')
    .option('--run <regex>', 'only tests whose name (pack/case, or the name of a rule test) matches')
    .option('--junit <file>', 'write the results as JUnit XML too')
    .option('--json', 'print the results as JSON')
    .addHelpText(
      'after',
      '\nExit status: 0 if all is as expected, 1 if not, 2 for wrong usage.\n' +
        '\nExamples:\n  taffrail test\n  taffrail test parsers/shop --update\n' +
        '  taffrail test /etc/taffrail/parsers rules/shop-test.yaml --junit results.xml\n',
    )
    .action(async (paths: string[], options: TestOptions) => {
      const { runTests } = await import('./test/run-tests.ts');
      process.exitCode = await runTests(paths, options, (text) => process.stdout.write(text));
    });
}

export interface TestOptions {
  readonly update?: boolean;
  readonly coverage?: boolean;
  readonly run?: string;
  readonly junit?: string;
  readonly json?: boolean;
}
