import type { Command } from 'commander';
import { collect, wholeNumber } from './option-values.ts';

export function registerBackfill(program: Command): void {
  program
    .command('backfill')
    .description("write a pack's metrics of old files with the lines' own times, as OpenMetrics")
    .argument('<pack>', 'name of a pack, or path of a pack.yaml')
    .argument('<file...>', 'files, .gz too, in any order: they are read in the order of their times')
    .requiredOption('--openmetrics <file>', 'where to write to')
    .option('--step <duration>', 'time between samples', '15s')
    .option('--labels <name=value,...>', 'labels for every series', 'source=backfill')
    .option('--timezone <zone>', 'IANA zone of time stamps that name none (default: the system zone)')
    .option(
      '--max-series <count>',
      'most series of a metric; the rest is folded into one',
      wholeNumber(1),
      2000,
    )
    .option('--parsers <folder>', 'folder of packs beside the built-in ones; may be repeated', collect)
    .option('--json', 'print the summary as JSON')
    .addHelpText(
      'after',
      '\nExit status: 0 if lines matched, 1 if none did, 2 for wrong usage.\n' +
        '\nExample:\n  taffrail backfill nginx /var/log/nginx/access.log* --openmetrics history.om --labels service=shop\n' +
        '  promtool tsdb create-blocks-from openmetrics history.om /var/lib/prometheus/data\n',
    )
    .action(async (pack: string, files: string[], options: BackfillOptions) => {
      const { runBackfill } = await import('./backfill/run-backfill.ts');
      process.exitCode = await runBackfill(pack, files, options, (text) => process.stdout.write(text));
    });
}

export interface BackfillOptions {
  readonly openmetrics: string;
  readonly step: string;
  readonly labels: string;
  readonly timezone?: string;
  readonly maxSeries: number;
  readonly parsers?: readonly string[];
  readonly json?: boolean;
}
