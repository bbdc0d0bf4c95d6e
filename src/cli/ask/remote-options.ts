import type { Command } from 'commander';

/** What every command that asks a running agent or collector takes. */
export function addRemoteOptions(command: Command): Command {
  return command
    .option(
      '--url <address>',
      'address of an agent or a collector; by default the agent on this host, or else the collector',
    )
    .option('--token-file <file>', 'file with a bearer token; without it TAFFRAIL_TOKEN is used')
    .option('--json', 'print the answer as JSON');
}
