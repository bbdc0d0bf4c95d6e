import type { Command } from 'commander';

export function registerCollector(program: Command): void {
  program
    .command('collector')
    .description('run the collector: take metrics and records, store them, show them')
    .requiredOption('-c, --config <file>', 'the configuration', '/etc/taffrail/collector.yaml')
    .addHelpText('after', '\nExample:\n  taffrail collector -c collector.yaml\n')
    .action(async (options: { config: string }) => {
      const { runCollector } = await import('./run-collector.ts');
      await runCollector(options.config);
    });
}
