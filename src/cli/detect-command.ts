import type { Command } from 'commander';
import { collect, wholeNumber } from './option-values.ts';

export function registerDetect(program: Command): void {
  program
    .command('detect')
    .description('find the parser pack that fits each file, and print a configuration that works as it is')
    .argument('<file...>', 'files to look at (.gz too), or - for standard input')
    .option('--top <count>', 'packs to show for each file', wholeNumber(1), 3)
    .option('--parsers <folder>', 'folder of packs beside the built-in ones; may be repeated', collect)
    .option('--write <folder>', 'write the packs proposed for files that none fits into this folder of packs')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nA sample is read of each file: its head, its tail, and pieces between. Where no pack fits, one is proposed from\n' +
        "the file's own structure, with a case, to be edited.\n" +
        '\nExit status: 0 if a pack fits each file, 1 if not, 2 for wrong usage.\n' +
        '\nExamples:\n  taffrail detect /var/log/nginx/*.log > taffrail.yaml\n' +
        '  taffrail detect shop.log --write ./parsers\n',
    )
    .action(async (files: string[], options: DetectOptions) => {
      const { runDetect } = await import('./detect/run-detect.ts');
      process.exitCode = await runDetect(files, options, (text) => process.stdout.write(text));
    });
}

export interface DetectOptions {
  readonly top: number;
  readonly parsers?: readonly string[];
  readonly write?: string;
  readonly json?: boolean;
}
