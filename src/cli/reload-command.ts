import type { Command } from 'commander';

export function registerReload(program: Command): void {
  program
    .command('reload')
    .description(
      'ask the agent or the collector of this host to read its configuration again; fails if it is refused',
    )
    .option('-c, --config <file>', 'the one that runs with this configuration, where there are several')
    .option('--socket <path>', 'its control socket, where it is found nowhere else')
    .addHelpText('after', '\nExample:\n  taffrail reload -c taffrail.yaml\n')
    .action(async (options: { config?: string; socket?: string }) => {
      const { runReload } = await import('./run-reload.ts');
      process.stdout.write(`${await runReload(options)}\n`);
    });
}
