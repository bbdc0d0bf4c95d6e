import type { Command } from 'commander';
import { addRemoteOptions } from './ask/remote-options.ts';
import type { QueryOptions } from './ask/run-query.ts';

export function registerQuery(program: Command): void {
  addRemoteOptions(program.command('query'))
    .description('ask a running agent or collector in PromQL, or in LogQL with --logql')
    .argument('<expr>', 'a PromQL expression; with --logql a query for samples in LogQL')
    .option('--range <duration>', 'over so much time until now, instead of now')
    .option('--logql', 'the expression is LogQL, about lines (a collector answers it)')
    .option('--step <duration>', 'time between two points of a range', '15s')
    .addHelpText(
      'after',
      "\nExamples:\n  taffrail query 'sum by (status) (rate(http_requests_total[5m]))'\n  taffrail query queue_depth --range 1h --step 1m --json\n  taffrail query --logql 'sum by (status) (count_over_time({source=\"web\"}[5m]))'\n",
    )
    .action(async (expr: string, options: QueryOptions) => {
      const { runQuery } = await import('./ask/run-query.ts');
      await runQuery(expr, options);
    });
}
