import type { Command } from 'commander';

export function registerAgent(program: Command): void {
  program
    .command('agent')
    .description('run the agent: read files, keep metrics and records, ship them')
    .requiredOption('-c, --config <file>', 'the configuration', '/etc/taffrail/taffrail.yaml')
    .addHelpText('after', '\nExample:\n  taffrail agent -c taffrail.yaml\n')
    .action(async (options: { config: string }) => {
      const { runAgent } = await import('./run-agent.ts');
      await runAgent(options.config);
    });
}
