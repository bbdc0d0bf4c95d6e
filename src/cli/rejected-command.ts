import type { Command } from 'commander';
import { addRemoteOptions } from './ask/remote-options.ts';
import type { RejectedOptions } from './ask/run-rejected.ts';

export function registerRejected(program: Command): void {
  const rejected = program
    .command('rejected')
    .description('what receivers refused for good, and a running agent has set aside');
  const ids = ['[id...]', 'as "taffrail rejected list" shows them: SINK/ID'] as const;
  addRemoteOptions(rejected.command('list'))
    .description('requests that were refused, with what the receiver said')
    .option('--sink <name>', 'only those of this sink')
    .addHelpText('after', '\nExample:\n  taffrail rejected list --sink central\n')
    .action(async (options: RejectedOptions) => {
      const { listRejected } = await import('./ask/run-rejected.ts');
      await listRejected(options);
    });
  addRemoteOptions(rejected.command('show'))
    .description('the records of a request that was refused')
    .argument('<id>', ids[1])
    .addHelpText('after', '\nExample:\n  taffrail rejected show central/17\n')
    .action(async (id: string, options: RejectedOptions) => {
      const { showRejected } = await import('./ask/run-rejected.ts');
      await showRejected(id, options);
    });
  addRemoteOptions(rejected.command('retry'))
    .description('send it again, under the same key: after the receiver was mended')
    .argument(...ids)
    .option('--sink <name>', 'all of this sink')
    .option('--all', 'all there is')
    .addHelpText(
      'after',
      '\nExamples:\n  taffrail rejected retry central/17\n  taffrail rejected retry --all\n',
    )
    .action(async (chosen: readonly string[], options: RejectedOptions) => {
      const { endRejected } = await import('./ask/run-rejected.ts');
      await endRejected('retry', chosen, options);
    });
  addRemoteOptions(rejected.command('drop'))
    .description('give it up for good: its lines are counted as lost, with the reason dropped')
    .argument(...ids)
    .option('--sink <name>', 'all of this sink')
    .option('--all', 'all there is')
    .addHelpText('after', '\nExample:\n  taffrail rejected drop central/17\n')
    .action(async (chosen: readonly string[], options: RejectedOptions) => {
      const { endRejected } = await import('./ask/run-rejected.ts');
      await endRejected('drop', chosen, options);
    });
}
