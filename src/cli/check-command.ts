import { type Command, Option } from 'commander';
import type { FileKind } from './file-kind.ts';

const DEFAULT = '/etc/taffrail/taffrail.yaml';

export function registerCheck(program: Command): void {
  program
    .command('check')
    .description(
      'check a configuration with the packs and rule files that it names, or any of these by itself; nothing is started',
    )
    .argument(
      '[files...]',
      'configurations of agents and collectors, rule files, unit tests of rules, packs; - is standard input',
    )
    .option('-c, --config <file>', 'the same, as agent and collector take it (/etc/taffrail/taffrail.yaml)')
    .addOption(
      new Option('--kind <kind>', 'what the files are, where their content does not say it').choices([
        'agent',
        'collector',
        'rules',
        'rule-tests',
        'pack',
      ]),
    )
    .option('--strict', 'what is said as a note or a warning is an error')
    .addHelpText('after', '\nExamples:\n  taffrail check taffrail.yaml\n  taffrail check rules/*.yaml\n')
    .action(
      async (files: readonly string[], options: { config?: string; kind?: FileKind; strict?: boolean }) => {
        const { checkConfig } = await import('./check-config.ts');
        const named = [...(options.config === undefined ? [] : [options.config]), ...files];
        for (const file of named.length === 0 ? [DEFAULT] : named)
          process.stdout.write(`${await checkConfig(file, options.kind, options.strict)}\n`);
      },
    );
}
