import type { Command } from 'commander';

export function registerCheck(program: Command): void {
  program
    .command('check')
    .description(
      'check a configuration, with the packs and rule files that it names, without starting anything',
    )
    .requiredOption(
      '-c, --config <file>',
      'configuration of an agent or a collector',
      '/etc/taffrail/taffrail.yaml',
    )
    .addHelpText('after', '\nExample:\n  taffrail check -c taffrail.yaml\n')
    .action(async (options: { config: string }) => {
      const { checkConfig } = await import('./check-config.ts');
      process.stdout.write(`${await checkConfig(options.config)}\n`);
    });
}
