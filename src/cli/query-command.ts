import type { Command } from 'commander';
import { addRemoteOptions } from './ask/remote-options.ts';
import type { QueryOptions } from './ask/run-query.ts';

export function registerQuery(program: Command): void {
  addRemoteOptions(program.command('query'))
    .description('ask a running agent or collector in PromQL')
    .argument('<expr>', 'a PromQL expression')
    .option('--range <duration>', 'over so much time until now, instead of now')
    .option('--step <duration>', 'time between two points of a range', '15s')
    .addHelpText(
      'after',
      "\nExamples:\n  taffrail query 'sum by (status) (rate(http_requests_total[5m]))'\n  taffrail query queue_depth --range 1h --step 1m --json\n",
    )
    .action(async (expr: string, options: QueryOptions) => {
      const { runQuery } = await import('./ask/run-query.ts');
      await runQuery(expr, options);
    });
}
