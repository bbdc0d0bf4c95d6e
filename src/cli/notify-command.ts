import type { Command } from 'commander';
import type { RemoteOptions } from './ask/remote.ts';
import { addRemoteOptions } from './ask/remote-options.ts';

export function registerNotify(program: Command): void {
  addRemoteOptions(program.command('notify'))
    .description('send a test notification to a receiver of a running agent or collector')
    .argument('<receiver>', 'its name in the configuration')
    .addHelpText('after', '\nExample:\n  taffrail notify pager --url https://collector.example:4318\n')
    .action(async (receiver: string, options: RemoteOptions & { readonly json?: boolean }) => {
      const { runNotify } = await import('./ask/run-notify.ts');
      await runNotify(receiver, options);
    });
}
