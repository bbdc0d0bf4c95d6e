import type { Command } from 'commander';
import { addRemoteOptions } from './ask/remote-options.ts';
import type { AlertsOptions } from './ask/run-alerts.ts';

export function registerAlerts(program: Command): void {
  addRemoteOptions(program.command('alerts'))
    .description('pending and firing alerts of a running agent or collector, and who was told of them')
    .addHelpText(
      'after',
      "\nExit status: 0 when no alert fires (the dead man's switch aside), 1 when one does, 2 when nobody could be asked.\n\nExample:\n  taffrail alerts --url http://127.0.0.1:4318\n",
    )
    .action(async (options: AlertsOptions) => {
      const { runAlerts } = await import('./ask/run-alerts.ts');
      await runAlerts(options);
    });
}
