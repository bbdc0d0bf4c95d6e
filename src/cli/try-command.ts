import type { Command } from 'commander';
import { collect, wholeNumber } from './option-values.ts';

export function registerTry(program: Command): void {
  program
    .command('try')
    .description('show what a parser pack makes of a file: fields, metrics, and lines that it does not read')
    .argument('<pack>', 'name of a pack, or path of a pack.yaml')
    .argument('<file>', 'file to read (.gz too), or - for standard input')
    .option('-f, --follow', 'show lines as they are written; nothing is kept')
    .option('--explain', 'which pattern matched a line, or how far each came, and what each pattern costs')
    .option('--line <number>', 'the line to explain (default: the first that is unmatched)', wholeNumber(1))
    .option('--limit <count>', 'matched and unmatched lines to show, of each', wholeNumber(0), 10)
    .option('--parsers <folder>', 'folder of packs beside the built-in ones; may be repeated', collect)
    .option('--json', 'print JSON; with --follow one object a line')
    .addHelpText(
      'after',
      '\nExit status: 0 if lines matched, 1 if none did, 2 for wrong usage or a pack with mistakes.\n' +
        '\nExamples:\n  taffrail try nginx /var/log/nginx/access.log\n' +
        '  taffrail try ./parsers/shop/pack.yaml shop.log --explain --line 12\n' +
        '  journalctl -u ssh -o short-iso | taffrail try syslog -\n',
    )
    .action(async (pack: string, file: string, options: TryOptions) => {
      const { runTry } = await import('./try/run-try.ts');
      const stop = new AbortController();
      if (options.follow === true) {
        process.once('SIGINT', () => stop.abort()).once('SIGTERM', () => stop.abort());
      }
      process.exitCode = await runTry(pack, file, options, (text) => process.stdout.write(text), stop.signal);
    });
}

export interface TryOptions {
  readonly follow?: boolean;
  readonly explain?: boolean;
  readonly line?: number;
  readonly limit: number;
  readonly parsers?: readonly string[];
  readonly json?: boolean;
}
