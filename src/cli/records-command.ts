import type { Command } from 'commander';
import { addRemoteOptions } from './ask/remote-options.ts';
import type { RecordsOptions } from './ask/run-records.ts';

export function registerRecords(program: Command): void {
  addRemoteOptions(program.command('records'))
    .description('show lines that a collector has, in LogQL')
    .argument('<query>', 'a query for lines in LogQL, or a plain text that lines have in them, in any case')
    .option('--since <duration>', 'lines of so much time until now', '1h')
    .option('--limit <count>', 'the newest so many lines', '100')
    .option('--all', 'all lines, the oldest first, however many there are')
    .option('--follow', 'go on with lines as they come')
    .option('--context <lines>', 'also so many lines before and after each, of the same file')
    .addHelpText(
      'after',
      '\nExamples:\n  taffrail records \'{source="web"} |= "timeout"\' --since 2h --context 3\n  taffrail records \'{host="m1"} | status >= 500\' --follow\n  taffrail records "out of memory" --all --json\n',
    )
    .action(async (query: string, options: RecordsOptions) => {
      const { runRecords } = await import('./ask/run-records.ts');
      await runRecords(query, options);
    });
}
