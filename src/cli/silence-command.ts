import type { Command } from 'commander';
import { addRemoteOptions } from './ask/remote-options.ts';
import type { AddSilenceOptions, SilenceOptions } from './ask/run-silence.ts';

export function registerSilence(program: Command): void {
  const silence = program.command('silence').description('alerts that nobody shall be told of for a while');
  addRemoteOptions(silence.command('add'))
    .description('silence the alerts that fit all matchers')
    .argument(
      '<matcher...>',
      'such as severity=warning or instance=~"web.*"; a word alone is the name of an alert',
    )
    .option('--for <duration>', 'how long, from now', '1h')
    .option('--author <name>', 'who silences; the user of this shell by default')
    .requiredOption('--comment <text>', 'why')
    .addHelpText(
      'after',
      '\nExample:\n  taffrail silence add QueueFilling severity=warning --for 2h --comment "consumer is being replaced"\n',
    )
    .action(async (matchers: readonly string[], options: AddSilenceOptions) => {
      const { addSilence } = await import('./ask/run-silence.ts');
      await addSilence(matchers, options);
    });
  addRemoteOptions(silence.command('list'))
    .description('silences that are active or will be')
    .option('--all', 'those that have ended, too')
    .addHelpText('after', '\nExample:\n  taffrail silence list --all\n')
    .action(async (options: SilenceOptions & { readonly all?: boolean }) => {
      const { listSilences } = await import('./ask/run-silence.ts');
      await listSilences(options);
    });
  addRemoteOptions(silence.command('expire'))
    .description('end silences now')
    .argument('<id...>', 'as "taffrail silence list" shows them')
    .addHelpText('after', '\nExample:\n  taffrail silence expire 11111111-2222-3333-4444-555555555555\n')
    .action(async (ids: readonly string[], options: SilenceOptions) => {
      const { expireSilences } = await import('./ask/run-silence.ts');
      await expireSilences(ids, options);
    });
}
